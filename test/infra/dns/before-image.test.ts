import { expect, onTestFinished, test } from "vitest";
import { readBeforeImage, zoneText, type ZoneImage } from "../../../infra/dns/before-image.ts";
import type { DnsConfig } from "../../../infra/dns/config.ts";
import { startAuthoritative, type ZoneRecord } from "../../../rehearsal/stand-ins/dns.ts";
import { encode, startDns } from "../readings/network/dns-server.ts";
import { sampleDns } from "./sample.ts";

const { signal } = new AbortController();

/** A name server in charge of these records. */
async function inCharge(records: readonly Partial<ZoneRecord>[]): Promise<string> {
  const zone = records.map((record) => ({
    name: "app.example.com",
    type: "A",
    content: "192.0.2.1",
    ttl: 3600,
    proxied: false,
    ...record,
  }));
  const server = await startAuthoritative("127.0.0.1", () => zone);
  onTestFinished(() => server.close());
  return server.server;
}

function image(authority: string, change: Parameters<typeof sampleDns>[0]): Promise<ZoneImage[]> {
  return readBeforeImage(dnsAt(authority, change), signal);
}

function dnsAt(authority: string, change: Parameters<typeof sampleDns>[0]): DnsConfig {
  return sampleDns({ names: { "app.example.com": {} }, authorities: [authority], ...change });
}

const everything: readonly Partial<ZoneRecord>[] = [
  { content: "192.0.2.2", ttl: 60 },
  { ttl: 60 },
  { type: "AAAA", content: "2001:db8::1" },
  { type: "TXT", content: '"a \\"b\\"" "c"' },
  {
    name: "example.com",
    type: "CAA",
    content: "",
    data: { flags: 0, tag: "issue", value: "ca.example.net" },
  },
  { name: "example.com", type: "MX", content: "mail.example.com", priority: 10 },
  { name: "example.com", type: "NS", content: "ns1.example.net" },
  { name: "www.example.com", type: "CNAME", content: "app.example.com", ttl: 1 },
  { name: "unasked.example.com" },
];
const kept = [
  { name: "example.com", type: "CAA", caa: { flags: 0, tag: "issue", value: "x" }, ttl: 1 },
  { name: "example.com", type: "NS", content: "ns1.example.net", ttl: 3600 },
  { name: "www.example.com", type: "CNAME", content: "app.example.com", ttl: 1 },
] as const;

test("everything that the zone answers for moved and kept names is read, in order", async () => {
  const [read] = await image(await inCharge(everything), { kept: [...kept] });

  expect(read).toEqual({
    zone: "example.com",
    records: [
      ["app.example.com", "A", "192.0.2.1", 60],
      ["app.example.com", "A", "192.0.2.2", 60],
      ["app.example.com", "AAAA", "2001:db8::1", 3600],
      ["app.example.com", "TXT", '"a \\"b\\"" "c"', 3600],
      ["example.com", "CAA", '0 issue "ca.example.net"', 3600],
      ["example.com", "MX", "10 mail.example.com", 3600],
      ["example.com", "NS", "ns1.example.net", 3600],
      ["www.example.com", "CNAME", "app.example.com", 300],
    ].map(([name, type, content, ttlSeconds]) => ({ name, type, content, ttlSeconds })),
    unread: [],
  });
});

test("read twice, it is the same", async () => {
  const authority = await inCharge(everything);

  expect(await image(authority, { kept: [...kept] })).toEqual(
    await image(authority, { kept: [...kept] }),
  );
});

test("as text it is a fragment of a zone file", async () => {
  const authority = await inCharge(everything);

  expect(zoneText(await image(authority, { kept: [...kept] }), dnsAt(authority, {}))).toBe(
    [
      "$ORIGIN example.com.",
      "app.example.com. 60 IN A 192.0.2.1",
      "app.example.com. 60 IN A 192.0.2.2",
      "app.example.com. 3600 IN AAAA 2001:db8::1",
      'app.example.com. 3600 IN TXT "a \\"b\\"" "c"',
      'example.com. 3600 IN CAA 0 issue "ca.example.net"',
      "example.com. 3600 IN MX 10 mail.example.com.",
      "example.com. 3600 IN NS ns1.example.net.",
      "www.example.com. 300 IN CNAME app.example.com.",
      "",
    ].join("\n"),
  );
});

test("each zone is an image of its own, also one within another", async () => {
  const authority = await inCharge([{}, { name: "app.inner.example.com", content: "192.0.2.9" }]);
  const zones = { "inner.example.com": "e".repeat(32), "example.com": "c".repeat(32) };
  const names = { "app.inner.example.com": {}, "app.example.com": {} };
  const read = await image(authority, { zones, names });

  expect(read.map(({ zone, records }) => [zone, records.map(({ content }) => content)])).toEqual([
    ["example.com", ["192.0.2.1"]],
    ["inner.example.com", ["192.0.2.9"]],
  ]);
  expect(zoneText(read, dnsAt(authority, { zones, names })).split("\n").slice(0, 4)).toEqual([
    "$ORIGIN example.com.",
    "app.example.com. 3600 IN A 192.0.2.1",
    "",
    "$ORIGIN inner.example.com.",
  ]);
});

test("a proxied name says that these are the proxy's answers", async () => {
  const authority = await inCharge([{ ttl: 1, proxied: true }]);
  const change = { names: { "app.example.com": { proxied: "it hides\nthe origin" } } };
  const read = await image(authority, change);

  expect(zoneText(read, dnsAt(authority, change))).toBe(
    [
      "$ORIGIN example.com.",
      "; app.example.com is proxied (it hides the origin): these are its proxy's answers",
      "app.example.com. 300 IN A 192.0.2.1",
      "",
    ].join("\n"),
  );
});

test("a name that does not exist has no records, and is not unread", async () => {
  expect(await image(await inCharge([]), {})).toEqual([
    { zone: "example.com", records: [], unread: [] },
  ]);
});

test("a refusal is unread, and nothing is made up in its place", async () => {
  const server = await startDns((query) => {
    const [question] = query.questions ?? [];
    return encode(query, {
      flags: question?.type === "A" ? 1024 : 5,
      answers:
        question?.type === "A"
          ? [{ type: "A", name: "app.example.com", ttl: 60, data: "192.0.2.1" }]
          : [],
    });
  });
  const [read] = await image(server, {});

  expect(read?.records.map(({ type }) => type)).toEqual(["A"]);
  expect(read?.unread.map(({ type, problem }) => `${type}: ${problem}`)).toEqual(
    ["AAAA", "CAA", "CNAME", "MX", "TXT"].map((type) => `${type}: ${server}: REFUSED`),
  );
  expect(zoneText(read === undefined ? [] : [read], dnsAt(server, {}))).toContain(
    `; not read: app.example.com. AAAA (${server}: REFUSED)\n`,
  );
});

test("an answer from somebody's cache is unread: its TTL has gone down", async () => {
  const cache = await startDns((query) => ({
    flags: 0,
    questions: query.questions ?? [],
    answers: [{ type: "A", name: "app.example.com", ttl: 17, data: "192.0.2.1" }],
  }));
  const [read] = await image(cache, {});

  expect(read?.records).toEqual([]);
  expect(read?.unread).toHaveLength(6);
  expect(read?.unread[0]?.problem).toBe(`${cache}: not in charge of app.example.com`);
});

test("a delegated name is unread: others answer for it", async () => {
  const authority = await inCharge([
    { name: "sub.example.com", type: "NS", content: "ns1.example.net" },
  ]);
  const [read] = await image(authority, {
    names: {},
    kept: [{ name: "sub.example.com", type: "NS", content: "ns1.example.net", ttl: 3600 }],
  });

  expect(read?.records).toEqual([]);
  expect(read?.unread.map(({ type }) => type)).toContain("NS");
});

test("the next name server is asked when one does not answer", async () => {
  const refusing = await startDns(() => ({ flags: 5 }));
  const authority = await inCharge([{}]);
  const [read] = await image(refusing, { authorities: [refusing, authority] });

  expect(read).toMatchObject({ records: [{ content: "192.0.2.1" }], unread: [] });
});

test("where nobody can say who is in charge, all is unread", async () => {
  const resolver = await startDns(() => ({ flags: 5 }));
  const [read] = await image("", { authorities: undefined, resolvers: [resolver] });

  expect(read?.records).toEqual([]);
  expect(read?.unread.map(({ problem }) => problem)).toEqual(
    Array.from(
      { length: 6 },
      () => `${resolver} does not tell the name servers of example.com (REFUSED)`,
    ),
  );
});
