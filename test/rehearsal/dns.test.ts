import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { fc } from "@fast-check/vitest";
import * as packet from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { lookup } from "../../rehearsal/lookup.ts";
import { exchange } from "../../infra/provider/dns-exchange.ts";
import { askServer } from "../../infra/provider/dns-lookup.ts";
import {
  startAuthoritative,
  startCaching,
  type NameServer,
  type ZoneRecord,
} from "../../rehearsal/stand-ins/dns.ts";
import { until } from "./support.ts";

const servers: NameServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function authoritative(records: () => readonly ZoneRecord[]): Promise<string> {
  const server = await startAuthoritative("127.0.0.1", records);
  servers.push(server);
  return server.server;
}

async function caching(upstream: string, clockScale: number): Promise<string> {
  const server = await startCaching("127.0.0.1", upstream, clockScale);
  servers.push(server);
  return server.server;
}

function record(change: Partial<ZoneRecord> = {}): ZoneRecord {
  return {
    name: "app.example.com",
    type: "A",
    content: "192.0.2.1",
    ttl: 60,
    proxied: false,
    ...change,
  };
}

test("the name server answers from the records with their TTL, and as the one in charge", async () => {
  const server = await authoritative(() => [record(), record({ content: "192.0.2.2" })]);

  expect(await lookup("APP.example.com", server)).toEqual({
    code: "NOERROR",
    authoritative: true,
    addresses: [
      { address: "192.0.2.1", ttl: 60 },
      { address: "192.0.2.2", ttl: 60 },
    ],
  });
});

test("an alias is followed", async () => {
  const server = await authoritative(() => [
    record({ name: "www.example.com", type: "CNAME", content: "app.example.com", ttl: 300 }),
    record(),
  ]);

  expect((await lookup("www.example.com", server)).addresses).toEqual([
    { address: "192.0.2.1", ttl: 60 },
  ]);
});

test("aliases that go in a circle end in a failure, not in a loop", async () => {
  const server = await authoritative(() => [
    record({ name: "a.example.com", type: "CNAME", content: "b.example.com" }),
    record({ name: "b.example.com", type: "CNAME", content: "a.example.com" }),
  ]);

  expect((await lookup("a.example.com", server)).code).toBe("SERVFAIL");
});

test.each([
  ["a name that is nowhere", "other.example.com", "NXDOMAIN"],
  ["a name that has other types only", "six.example.com", "NOERROR"],
  ["a name that only has others below it", "example.com", "NOERROR"],
])("%s has no address: %s is %s, with the zone's start of authority", async (_, host, code) => {
  const server = await authoritative(() => [
    record(),
    record({ name: "six.example.com", type: "AAAA", content: "2001:db8::1" }),
  ]);
  const question = packet.encode({ type: "query", id: 7, questions: [{ type: "A", name: host }] });
  const answer = packet.decode(await exchange(question, server, 1000));

  expect(await lookup(host, server)).toEqual({ code, authoritative: true, addresses: [] });
  expect(answer.authorities?.map(({ type, name }) => [type, name])).toEqual([
    ["SOA", "example.com"],
  ]);
});

test("a wildcard answers for names that are not there, and for nothing else", async () => {
  const server = await authoritative(() => [
    record({ name: "*.example.com", content: "192.0.2.9" }),
    record({ name: "host.sub.example.com" }),
    record({ name: "text.example.com", type: "TXT", content: "x" }),
  ]);
  const addresses = async (host: string): Promise<string[]> =>
    (await lookup(host, server)).addresses.map(({ address }) => address);

  expect(await addresses("any.example.com")).toEqual(["192.0.2.9"]);
  expect(await addresses("a.b.example.com")).toEqual(["192.0.2.9"]);
  expect(await addresses("host.sub.example.com")).toEqual(["192.0.2.1"]);
  expect(await addresses("text.example.com")).toEqual([]);
  expect(await addresses("other.sub.example.com")).toEqual([]);
  expect(await addresses("example.com")).toEqual([]);
  expect((await lookup("any.example.org", server)).code).toBe("NXDOMAIN");
});

test("a name that is handed over is answered with who has it, and so is all below it", async () => {
  const server = await authoritative(() => [
    record({ name: "sub.example.com", type: "NS", content: "ns1.example.net" }),
    record({ name: "host.sub.example.com" }),
  ]);

  for (const name of ["sub.example.com", "host.sub.example.com"]) {
    const question = packet.encode({ type: "query", id: 7, questions: [{ type: "A", name }] });
    const answer = packet.decode(await exchange(question, server, 1000));
    expect(answer).toMatchObject({ flag_aa: false, rcode: "NOERROR", answers: [] });
    expect(answer.authorities).toMatchObject([
      { type: "NS", name: "sub.example.com", data: "ns1.example.net" },
    ]);
  }
});

test("the resolver keeps texts, mail servers and certificate authorities as well", async () => {
  const upstream = await authoritative(() => [
    record({ type: "TXT", content: "v=spf1 -all" }),
    record({ type: "MX", content: "mail.example.com", priority: 5 }),
    record({ type: "CAA", content: "", data: { flags: 0, tag: "issue", value: "ca.example.net" } }),
  ]);
  const resolver = await caching(upstream, 1);

  for (const round of ["asked", "kept"]) {
    const data = await Promise.all(
      (["TXT", "MX", "CAA"] as const).map(async (type) => {
        const answer = await askServer(resolver, { name: "app.example.com", type }, 1000);
        return answer.records.map((found) => found.data);
      }),
    );
    expect([round, ...data]).toEqual([
      round,
      ['"v=spf1 -all"'],
      ["5 mail.example.com"],
      ['0 issue "ca.example.net"'],
    ]);
  }
});

test.each([
  ["automatic", record({ ttl: 1 })],
  ["proxied", record({ ttl: 1, proxied: true })],
])("an %s TTL is 300 seconds", async (_, automatic) => {
  const server = await authoritative(() => [automatic]);

  expect((await lookup("app.example.com", server)).addresses[0]?.ttl).toBe(300);
});

test("the resolver keeps an answer for its TTL in scaled time, and tells what is left of it", async () => {
  let address = "192.0.2.1";
  const upstream = await authoritative(() => [record({ content: address })]);
  // 60 seconds pass in 300 ms.
  const resolver = await caching(upstream, 200);
  const first = await lookup("app.example.com", resolver);
  const asked = performance.now();
  address = "192.0.2.2";

  expect(first).toEqual({
    code: "NOERROR",
    authoritative: false,
    addresses: [{ address: "192.0.2.1", ttl: 60 }],
  });
  await sleep(50);
  const [kept] = (await lookup("app.example.com", resolver)).addresses;
  expect(kept?.address).toBe("192.0.2.1");
  expect(kept?.ttl).toBeLessThanOrEqual(50);
  expect(kept?.ttl).toBeGreaterThan(0);
  await until(
    "the resolver gives the new address",
    async () => (await lookup("app.example.com", resolver)).addresses[0]?.address === "192.0.2.2",
  );
  expect(performance.now() - asked).toBeGreaterThanOrEqual(250);
});

test("the resolver keeps for as long as the TTL says when the clock is not scaled", async () => {
  let address = "192.0.2.1";
  const upstream = await authoritative(() => [record({ content: address })]);
  const resolver = await caching(upstream, 1);
  await lookup("app.example.com", resolver);
  address = "192.0.2.2";
  await sleep(300);

  expect((await lookup("app.example.com", resolver)).addresses).toEqual([
    { address: "192.0.2.1", ttl: 60 },
  ]);
});

test("the resolver also keeps that there is nothing", async () => {
  const records: ZoneRecord[] = [];
  const upstream = await authoritative(() => records);
  // The 1800 seconds of the zone pass in 180 ms.
  const resolver = await caching(upstream, 10_000);

  expect((await lookup("app.example.com", resolver)).code).toBe("NXDOMAIN");
  records.push(record());
  expect((await lookup("app.example.com", resolver)).code).toBe("NXDOMAIN");
  await until(
    "the name is found",
    async () => (await lookup("app.example.com", resolver)).code === "NOERROR",
  );
});

test("the resolver says so when the name server does not answer", async () => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const resolver = await caching(`127.0.0.1:${String(silent.address().port)}`, 1);

  expect((await lookup("app.example.com", resolver, 3000)).code).toBe("SERVFAIL");
  silent.close();
});

test("whatever arrives, the name server goes on answering", async () => {
  const server = await authoritative(() => [record()]);
  const [address = "", port = ""] = server.split(":");
  const socket = createSocket("udp4");
  const question = packet.encode({
    type: "query",
    id: 1,
    questions: [{ type: "A", name: "app.example.com" }],
  });
  const cut = fc.nat({ max: question.length - 1 }).map((length) => question.subarray(0, length));
  const changed = fc
    .tuple(fc.nat({ max: question.length - 1 }), fc.nat({ max: 255 }))
    .map(([at, byte]) => Buffer.from(question.with(at, byte)));
  const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));

  for (const bytes of fc.sample(fc.oneof(cut, changed, noise), 300)) {
    socket.send(bytes, Number(port), address);
  }
  await until("the server answers", async () => {
    const { code } = await lookup("app.example.com", server).catch(() => ({ code: "" }));
    return code === "NOERROR";
  });
  socket.close();
});
