import { expect, test } from "vitest";
import { relations } from "../../../infra/dns/relations.ts";
import { sampleDns, zoneIds } from "./sample.ts";

type Change = NonNullable<Parameters<typeof sampleDns>[0]>;

const caa = { flags: 0, tag: "issue", value: "letsencrypt.org" } as const;
const apex = { name: "example.com", ttl: 3600 } as const;
const www = { name: "www.example.com", ttl: 3600 } as const;
const moved = { name: "app.example.com", ttl: 3600 } as const;

test.each<[string, Change]>([
  ["no kept record", {}],
  ["no name at all", { names: {} }],
  ["a TTL that is lowered to itself", { ttl: { baseline: 60, lowered: 60 } }],
  ["a CAA record at the apex", { kept: [{ ...apex, type: "CAA", caa }] }],
  [
    "two CAA records that differ in one part",
    {
      kept: [
        { ...apex, type: "CAA", caa },
        { ...apex, type: "CAA", caa: { ...caa, tag: "issuewild" } },
      ],
    },
  ],
  ["a text at a name that moves", { kept: [{ ...moved, type: "TXT", content: "v=spf1 -all" }] }],
  [
    "an alias at the apex, which Cloudflare flattens, beside a text",
    {
      kept: [
        { ...apex, type: "CNAME", content: "pages.example.net" },
        { ...apex, type: "TXT", content: "v=spf1 -all" },
      ],
    },
  ],
  [
    "a proxied alias beside a text",
    {
      kept: [
        { ...www, type: "CNAME", content: "pages.example.net", proxied: true, ttl: 1 },
        { ...www, type: "TXT", content: "v=spf1 -all" },
      ],
    },
  ],
  [
    "two addresses of one name",
    {
      kept: [
        { ...www, type: "A", content: "203.0.113.1" },
        { ...www, type: "A", content: "203.0.113.2" },
        { ...www, type: "AAAA", content: "2001:db8::1" },
      ],
    },
  ],
  [
    "two mail servers that differ in their priority",
    {
      kept: [
        { ...apex, type: "MX", content: "mail.example.com", priority: 0 },
        { ...apex, type: "MX", content: "mail.example.com", priority: 10 },
      ],
    },
  ],
  [
    "a long text in quoted strings",
    { kept: [{ ...apex, type: "TXT", content: `"${"a".repeat(255)}"  "${"b".repeat(3)}"` }] },
  ],
  [
    "a text as long as one string can be",
    { kept: [{ ...apex, type: "TXT", content: "a".repeat(255) }] },
  ],
  [
    "name servers for a name of their own",
    { kept: [{ name: "sub.example.com", type: "NS", content: "ns1.example.net", ttl: 3600 }] },
  ],
  [
    "the apex's own name servers, where the apex moves",
    {
      names: { "example.com": {} },
      kept: [{ ...apex, type: "NS", content: "ns1.example.net" }],
    },
  ],
])("fine: %s", (_, change) => {
  expect(relations(sampleDns(change))).toEqual([]);
});

test.each<[string, Change, string, string, string]>([
  [
    "a TTL that is raised",
    { ttl: { baseline: 60, lowered: 61 } },
    "cutover:dns.ttl.lowered",
    "61 seconds, above the baseline",
    "pulumi config set --path 'cutover:dns.ttl.lowered' '60'",
  ],
  [
    "a name in no zone",
    { zones: { "example.org": zoneIds.org } },
    "cutover:dns.zones",
    "no zone that holds app.example.com",
    `pulumi config set --path 'cutover:dns.zones["example.com"]' '<zone id>'`,
  ],
  [
    "two names of one zone that is missing",
    {
      zones: { "example.org": zoneIds.org },
      kept: [{ name: "_dmarc.example.com", type: "TXT", content: "v=DMARC1", ttl: 1 }],
    },
    "cutover:dns.zones",
    "no zone that holds app.example.com, _dmarc.example.com",
    `pulumi config set --path 'cutover:dns.zones["example.com"]' '<zone id>'`,
  ],
  [
    "no zone",
    { zones: {}, names: { "app.example.com": {} } },
    "cutover:dns.zones",
    "no zone that holds app.example.com",
    `pulumi config set --path 'cutover:dns.zones["example.com"]' '<zone id>'`,
  ],
  [
    "an IPv6 address at a name that moves",
    {
      kept: [
        { ...www, type: "TXT", content: "x" },
        { ...moved, type: "AAAA", content: "::1" },
      ],
    },
    "cutover:dns.kept[1]",
    "a kept AAAA record of app.example.com, which is a name that moves",
    "pulumi config rm --path 'cutover:dns.kept[1]'",
  ],
  [
    "another address at a name that moves",
    { kept: [{ ...moved, type: "A", content: "203.0.113.1" }] },
    "cutover:dns.kept[0]",
    "a kept A record of app.example.com, which is a name that moves",
    "pulumi config rm --path 'cutover:dns.kept[0]'",
  ],
  [
    "an alias at a name that moves",
    { kept: [{ ...moved, type: "CNAME", content: "old.example.net" }] },
    "cutover:dns.kept[0]",
    "a kept CNAME record of app.example.com, which is a name that moves",
    "pulumi config rm --path 'cutover:dns.kept[0]'",
  ],
  [
    "a name that moves, handed to other name servers",
    { kept: [{ ...moved, type: "NS", content: "ns1.example.net" }] },
    "cutover:dns.kept[0]",
    "a kept NS record of app.example.com, which is a name that moves",
    "pulumi config rm --path 'cutover:dns.kept[0]'",
  ],
  [
    "two that say the same, though their TTLs differ",
    {
      kept: [
        { ...www, type: "A", content: "203.0.113.1" },
        { ...www, type: "A", content: "203.0.113.1", ttl: 60 },
      ],
    },
    "cutover:dns.kept[1]",
    "the same A record of www.example.com as cutover:dns.kept[0]",
    "pulumi config rm --path 'cutover:dns.kept[1]'",
  ],
  [
    "a CAA record without its parts",
    { kept: [{ ...apex, type: "CAA" }] },
    "cutover:dns.kept[0].caa",
    "nothing, in the CAA record of example.com",
    "pulumi config set --path 'cutover:dns.kept[0].caa.flags' 0; " +
      "pulumi config set --path 'cutover:dns.kept[0].caa.tag' issue; " +
      "pulumi config set --path 'cutover:dns.kept[0].caa.value' letsencrypt.org",
  ],
  [
    "a CAA record with a content",
    { kept: [{ ...apex, type: "CAA", caa, content: "0 issue letsencrypt.org" }] },
    "cutover:dns.kept[0].content",
    "a content, in the CAA record of example.com",
    "pulumi config rm --path 'cutover:dns.kept[0].content'",
  ],
  [
    "a text with parts of a CAA record",
    { kept: [{ ...apex, type: "TXT", content: "x", caa }] },
    "cutover:dns.kept[0].caa",
    "parts of a CAA record, in the TXT record of example.com",
    "pulumi config rm --path 'cutover:dns.kept[0].caa'",
  ],
  [
    "a text without content",
    { kept: [{ ...apex, type: "TXT" }] },
    "cutover:dns.kept[0].content",
    "nothing, in the TXT record of example.com",
    `pulumi config set --path 'cutover:dns.kept[0].content' '"v=spf1 -all"'`,
  ],
  [
    "a text longer than one string",
    { kept: [{ ...apex, type: "TXT", content: "a".repeat(256) }] },
    "cutover:dns.kept[0].content",
    `${"a".repeat(256)}, in the TXT record of example.com`,
    `pulumi config set --path 'cutover:dns.kept[0].content' '"v=spf1 -all"'`,
  ],
  [
    "a quotation mark that is left open",
    { kept: [{ ...apex, type: "TXT", content: '"a" "b' }] },
    "cutover:dns.kept[0].content",
    '"a" "b, in the TXT record of example.com',
    `pulumi config set --path 'cutover:dns.kept[0].content' '"v=spf1 -all"'`,
  ],
  [
    "a name as an address",
    { kept: [{ ...www, type: "A", content: "www.example.net" }] },
    "cutover:dns.kept[0].content",
    "www.example.net, in the A record of www.example.com",
    "pulumi config set --path 'cutover:dns.kept[0].content' '203.0.113.10'",
  ],
  [
    "an IPv4 address as an IPv6 one",
    { kept: [{ ...www, type: "AAAA", content: "203.0.113.1" }] },
    "cutover:dns.kept[0].content",
    "203.0.113.1, in the AAAA record of www.example.com",
    "pulumi config set --path 'cutover:dns.kept[0].content' '2001:db8::10'",
  ],
  [
    "an alias for a name with a last dot, which Cloudflare takes away",
    { kept: [{ ...www, type: "CNAME", content: "pages.example.net." }] },
    "cutover:dns.kept[0].content",
    "pages.example.net., in the CNAME record of www.example.com",
    "pulumi config set --path 'cutover:dns.kept[0].content' 'target.example.com'",
  ],
  [
    "a mail server without priority",
    { kept: [{ ...apex, type: "MX", content: "mail.example.com" }] },
    "cutover:dns.kept[0].priority",
    "nothing, in the MX record of example.com",
    "pulumi config set --path 'cutover:dns.kept[0].priority' '10'",
  ],
  [
    "a text with a priority, be it zero",
    { kept: [{ ...apex, type: "TXT", content: "x", priority: 0 }] },
    "cutover:dns.kept[0].priority",
    "a priority, in the TXT record of example.com",
    "pulumi config rm --path 'cutover:dns.kept[0].priority'",
  ],
  [
    "a proxied text",
    { kept: [{ ...apex, type: "TXT", content: "x", proxied: true, ttl: 1 }] },
    "cutover:dns.kept[0].proxied",
    "true, in the TXT record of example.com",
    "pulumi config set --path 'cutover:dns.kept[0].proxied' 'false'",
  ],
  [
    "a TTL of a proxied record",
    { kept: [{ ...www, type: "A", content: "203.0.113.1", proxied: true }] },
    "cutover:dns.kept[0].ttl",
    "3600 seconds, in the A record of www.example.com, which is proxied",
    "pulumi config set --path 'cutover:dns.kept[0].ttl' '1'",
  ],
  [
    "a text beside an alias that is not flattened",
    {
      kept: [
        { ...www, type: "TXT", content: "x" },
        { ...www, type: "CNAME", content: "pages.example.net" },
      ],
    },
    "cutover:dns.kept[0]",
    "a kept TXT record of www.example.com beside an alias for pages.example.net",
    "pulumi config rm --path 'cutover:dns.kept[0]'",
  ],
  [
    "an address beside an alias at the apex",
    {
      kept: [
        { ...apex, type: "CNAME", content: "pages.example.net" },
        { ...apex, type: "A", content: "203.0.113.1" },
      ],
    },
    "cutover:dns.kept[1]",
    "a kept A record of example.com beside an alias for pages.example.net",
    "pulumi config rm --path 'cutover:dns.kept[1]'",
  ],
  [
    "a second alias of one name",
    {
      kept: [
        { ...www, type: "CNAME", content: "pages.example.net" },
        { ...www, type: "CNAME", content: "other.example.net" },
      ],
    },
    "cutover:dns.kept[1]",
    "a kept CNAME record of www.example.com beside an alias for pages.example.net",
    "pulumi config rm --path 'cutover:dns.kept[1]'",
  ],
  [
    "one record that is adopted twice",
    {
      names: { "app.example.com": { adopt: "f".repeat(32) } },
      kept: [{ ...www, type: "A", content: "203.0.113.1", adopt: "f".repeat(32) }],
    },
    "cutover:dns.kept[0].adopt",
    `${"f".repeat(32)}, which cutover:dns.names["app.example.com"].adopt has`,
    "pulumi config rm --path 'cutover:dns.kept[0].adopt'",
  ],
])("refused: %s", (_, change, where, found, todo) => {
  expect(relations(sampleDns(change))).toEqual([
    { where, found, todo, required: expect.stringMatching(/\w/) as string },
  ]);
});

test("all problems are told at once, each zone that is missing once", () => {
  const dns = sampleDns({
    zones: {},
    names: { "app.example.com": {}, "api.example.com": {}, "app.example.org": {} },
    ttl: { baseline: 60, lowered: 300 },
    kept: [{ name: "app.example.com", type: "AAAA", content: "::1", ttl: 1 }],
  });

  expect(relations(dns).map(({ where, found }) => [where, found])).toEqual([
    ["cutover:dns.ttl.lowered", "300 seconds, above the baseline"],
    ["cutover:dns.zones", "no zone that holds app.example.com, api.example.com"],
    ["cutover:dns.zones", "no zone that holds app.example.org"],
    ["cutover:dns.kept[0]", "a kept AAAA record of app.example.com, which is a name that moves"],
  ]);
});
