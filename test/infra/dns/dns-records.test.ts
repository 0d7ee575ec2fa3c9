import { expect, test } from "vitest";
import { DnsRecords } from "../../../infra/dns/dns-records.ts";
import { firstStep } from "../../support/declared.ts";
import { registeredRecords } from "./registered.ts";
import { sampleDns, zoneIds } from "./sample.ts";

const knownAddresses = (): readonly string[] => ["203.0.113.10", "203.0.113.30"];

const addressOf = (host: string): string =>
  host === "api.example.org" ? "203.0.113.20" : "203.0.113.10";

test("every name gets a protected record in its own zone, with its own address", async () => {
  const dns = sampleDns();
  const records = await registeredRecords(
    () => new DnsRecords("dns", { dns, addressOf, knownAddresses, ttlSeconds: 60 }, firstStep),
  );

  expect(records).toEqual([
    {
      name: "dns-app.example.com",
      inputs: {
        zoneId: zoneIds.com,
        name: "app.example.com",
        type: "A",
        content: "203.0.113.10",
        ttl: 60,
        proxied: false,
      },
      protect: true,
      import: "",
      ignoreChanges: [],
      beforeUpdate: [],
    },
    {
      name: "dns-api.example.org",
      inputs: {
        zoneId: zoneIds.org,
        name: "api.example.org",
        type: "A",
        content: "203.0.113.20",
        ttl: 60,
        proxied: false,
      },
      protect: true,
      import: "",
      ignoreChanges: [],
      beforeUpdate: [],
    },
  ]);
});

test("a proxied name has the automatic TTL, whatever the phase wants, and says why", async () => {
  const dns = sampleDns({
    names: { "app.example.com": { proxied: "the proxy hides the origin" } },
  });
  const [record] = await registeredRecords(
    () => new DnsRecords("dns", { dns, addressOf, knownAddresses, ttlSeconds: 60 }, firstStep),
  );

  expect(record?.inputs).toEqual({
    zoneId: zoneIds.com,
    name: "app.example.com",
    type: "A",
    content: "203.0.113.10",
    ttl: 1,
    proxied: true,
    comment: "the proxy hides the origin",
  });
});

test("a record that exists already is taken over, and keeps its comment", async () => {
  const dns = sampleDns({ names: { "app.example.com": { adopt: "f".repeat(32) } } });
  const [record] = await registeredRecords(
    () => new DnsRecords("dns", { dns, addressOf, knownAddresses, ttlSeconds: 3600 }, firstStep),
  );

  expect(record).toMatchObject({
    name: "dns-app.example.com",
    import: `${zoneIds.com}/${"f".repeat(32)}`,
    ignoreChanges: ["comment"],
    protect: true,
    beforeUpdate: ["changes only from known addresses: app.example.com"],
  });
});

test("no name, no record", async () => {
  const dns = sampleDns({ names: {} });
  const records = await registeredRecords(
    () => new DnsRecords("dns", { dns, addressOf, knownAddresses, ttlSeconds: 60 }, firstStep),
  );

  expect(records).toEqual([]);
});
