import { expect, test } from "vitest";
import { DnsRecords } from "../../../infra/dns/dns-records.ts";
import { declared, firstStep } from "../../support/declared.ts";

test("DnsRecords point every name at one address, DNS only", async () => {
  const args = {
    zoneId: "zone",
    names: ["a.example.com", "b.example.com"],
    address: "203.0.113.10",
    ttlSeconds: 60,
  };
  const resources = await declared(() => new DnsRecords("dns", args, firstStep));
  const records = resources.filter(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord");
  expect(records.map(({ inputs }) => inputs)).toEqual(
    ["a.example.com", "b.example.com"].map((name) => ({
      zoneId: "zone",
      name,
      type: "A",
      content: "203.0.113.10",
      ttl: 60,
      proxied: false,
    })),
  );
});
