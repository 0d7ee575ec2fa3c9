import { describe, expect, test } from "vitest";
import type { ResourceHookArgs } from "@pulumi/pulumi";
import { adoption, changesOnlyFrom, changesOnlyTtl } from "../../../infra/dns/adoption.ts";
import { zoneIds } from "./sample.ts";

const urn = "urn:pulumi:t::cutover::cloudflare:index/dnsRecord:DnsRecord::it";

/** An update from what the zone holds to what is declared. */
function update(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): ResourceHookArgs {
  return { urn, id: "id", name: "it", type: "it", oldOutputs: found, newInputs: wanted };
}

test("a record is taken over by its zone and its id, and keeps its comment", () => {
  expect(adoption({ name: "example.com", id: zoneIds.com }, "f".repeat(32))).toEqual({
    import: `${zoneIds.com}/${"f".repeat(32)}`,
    ignoreChanges: ["comment"],
  });
  expect(adoption({ name: "example.com", id: zoneIds.com }, undefined)).toEqual({});
});

describe("a moved record", () => {
  const host = "app.example.com";
  const known = ["203.0.113.10", "203.0.113.30"];
  const found = { name: host, type: "A", content: "203.0.113.30", ttl: 3600 };
  const wanted = { ...found, content: "203.0.113.10", ttl: 60 };
  const look = changesOnlyFrom(host, known);

  test("is changed from an address that the stack knows", () => {
    expect(() => look(update(found, wanted))).not.toThrow();
    expect(() => look(update(wanted, found))).not.toThrow();
  });

  test.each([
    [
      "answers with a strange address",
      { content: "198.51.100.7" },
      "A record of app.example.com that answers 198.51.100.7",
    ],
    [
      "is another name's",
      { name: "www.example.com" },
      "A record of www.example.com that answers 203.0.113.30",
    ],
    [
      "is of another type",
      { type: "CNAME", content: "x.example.net" },
      "CNAME record of app.example.com that answers x.example.net",
    ],
    ["answers nothing", { content: undefined }, "A record of app.example.com that answers nothing"],
  ])("is not changed when it %s", (_, change, text) => {
    expect(() => look(update({ ...found, ...change }, wanted))).toThrow(
      [
        "The record of app.example.com is not changed: that would move somebody else's clients.",
        `Found: ${text}.`,
        "Required: an A record of app.example.com that answers 203.0.113.10 or 203.0.113.30.",
        'To do: correct adopt in cutover:dns.names["app.example.com"], or the address that serves now',
        `       and let go of the wrong one: pulumi state delete --force '${urn}'`,
      ].join("\n"),
    );
  });

  test("is not changed where no address is known", () => {
    expect(() => changesOnlyFrom(host, [])(update(found, wanted))).toThrow("somebody else's");
  });

  test("is not changed when nothing is known of it", () => {
    expect(() => look({ urn, id: "id", name: "it", type: "it" })).toThrow(
      "nothing record of nothing",
    );
  });
});

describe("a kept record", () => {
  const look = changesOnlyTtl("dns-kept-it");
  const text = { name: "example.com", type: "TXT", content: '"a"', ttl: 300, proxied: false };
  const caa = {
    name: "example.com",
    type: "CAA",
    data: { flags: 0, tag: "issue", value: "ca.example.net" },
    ttl: 300,
    proxied: false,
  };

  test.each([
    ["another TTL", text, { ...text, ttl: 60 }],
    [
      "parts that the provider added",
      { ...caa, content: '0 issue "x"', data: { ...caa.data, port: null } },
      caa,
    ],
    [
      "a number that came back as a text",
      { ...caa, data: { ...caa.data, flags: "0" } },
      { ...caa, ttl: 60 },
    ],
    ["a comment of its own", { ...text, comment: "by hand" }, text],
  ])("may have %s", (_, found, wanted) => {
    expect(() => look(update(found, wanted))).not.toThrow();
  });

  test.each([
    ["content", text, { ...text, content: '"b"' }, 'content "a"', 'content "b"'],
    ["name", text, { ...text, name: "example.org" }, "name example.com", "name example.org"],
    ["type", text, { ...text, type: "SPF" }, "type TXT", "type SPF"],
    ["proxy", text, { ...text, proxied: true }, "proxied false", "proxied true"],
    [
      "priority, which it does not have",
      text,
      { ...text, priority: 0 },
      "priority nothing",
      "priority 0",
    ],
    [
      "parts",
      caa,
      { ...caa, data: { ...caa.data, tag: "iodef" } },
      'data {"flags":0,"tag":"issue","value":"ca.example.net"}',
      'data {"flags":0,"tag":"iodef","value":"ca.example.net"}',
    ],
  ])("keeps its %s", (_, found, wanted, before, after) => {
    expect(() => look(update(found, wanted))).toThrow(
      [
        "The record dns-kept-it is not changed: a kept record stays as it is.",
        `Found: ${before}.`,
        `Required: ${after}.`,
        "To do: write into cutover:dns.kept what the zone says, or correct its adopt",
      ].join("\n"),
    );
  });
});
