import { expect, test } from "vitest";
import { dnsConfig } from "../../../infra/dns/config.ts";
import { sampleDns } from "./sample.ts";

test.each([
  ["a service's name", "_dmarc.example.com"],
  ["a key's name", "mail._domainkey.example.com"],
  ["a wildcard", "*.example.com"],
  ["the apex", "example.com"],
])("a kept record may have %s: %s", (_, name) => {
  const kept = [{ name, type: "TXT", content: "x", ttl: 1 }];

  expect(dnsConfig.safeParse({ ...sampleDns(), kept }).success).toBe(true);
});

test.each([
  ["a capital letter, which Cloudflare gives back small", "App.example.com"],
  ["a last dot, which Cloudflare takes away", "app.example.com."],
  ["a name of one part", "localhost"],
  ["a wildcard within", "a.*.example.com"],
  ["nothing", ""],
  ["a part of 64 letters", `${"a".repeat(64)}.example.com`],
])("no name may have %s: %s", (_, name) => {
  const kept = [{ name, type: "TXT", content: "x", ttl: 1 }];

  expect(dnsConfig.safeParse({ ...sampleDns(), kept }).success).toBe(false);
  expect(dnsConfig.safeParse({ ...sampleDns(), names: { [name]: {} } }).success).toBe(false);
});

test.each([
  ["a host with an underscore", { names: { "_app.example.com": {} } }],
  ["a wildcard that moves", { names: { "*.example.com": {} } }],
  ["an empty reason", { names: { "app.example.com": { proxied: "" } } }],
  [
    "a reason longer than a comment",
    { names: { "app.example.com": { proxied: "x".repeat(101) } } },
  ],
  ["an adopted record without its id", { names: { "app.example.com": { adopt: true } } }],
  ["a TTL of 59 s", { ttl: { baseline: 3600, lowered: 59 } }],
  ["a TTL of more than a day", { ttl: { baseline: 86_401, lowered: 60 } }],
  ["no resolver", { resolvers: [] }],
  ["an empty list of name servers", { authorities: [] }],
])("refused: %s", (_, change) => {
  expect(dnsConfig.safeParse({ ...sampleDns(), ...change }).success).toBe(false);
});

test("the longest reason and the least TTL are taken", () => {
  const parsed = sampleDns({
    names: { "app.example.com": { proxied: "x".repeat(100) } },
    ttl: { baseline: 60, lowered: 60 },
  });

  expect(parsed.names["app.example.com"]).toEqual({ service: "web", proxied: "x".repeat(100) });
  expect(parsed.kept).toEqual([]);
});
