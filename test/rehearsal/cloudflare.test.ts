import { mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookup } from "../../rehearsal/lookup.ts";
import type { Wire } from "../support/engine.ts";
import { startTestCloud, temporaryFolder, type Subject, type TestCloud } from "./support.ts";

let folder: string;
let cloud: TestCloud;
let records: Subject;

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder });
  records = cloud.subject("cloudflare:index/dnsRecord:DnsRecord");
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const zoneId = "0123456789abcdef0123456789abcdef";

function recordInputs(name: string, more: Wire = {}): Wire {
  return { zoneId, name, type: "A", content: "192.0.2.1", ttl: 60, proxied: false, ...more };
}

test("a record is served as soon as it is made, changed and deleted", async () => {
  const { nameServer } = cloud.cloud;
  const addresses = async (): Promise<unknown> =>
    (await lookup("app.example.com", nameServer)).addresses;

  const made = await records.create(recordInputs("app.example.com"));
  expect(await addresses()).toEqual([{ address: "192.0.2.1", ttl: 60 }]);

  const news = recordInputs("app.example.com", { content: "192.0.2.2", ttl: 3600 });
  expect(await records.diff(made, news)).toEqual({
    changes: ["content", "ttl"],
    replaces: [],
    deleteFirst: false,
  });
  const changed = await records.update(made, news);
  expect(await addresses()).toEqual([{ address: "192.0.2.2", ttl: 3600 }]);

  await records.delete(changed);
  expect(await addresses()).toEqual([]);
  expect(await records.exists(changed)).toBe(false);
});

test.each([
  ["too short a TTL", { ttl: 59 }, /9021.*Must be between 60 and 86400 seconds, or 1/],
  ["too long a TTL", { ttl: 86_401 }, /9021/],
  [
    "a proxied record with a TTL of its own",
    { proxied: true },
    /ttl must be set to 1 when proxied/,
  ],
  ["a name as the content of an A record", { content: "app.example.com" }, /9005.*valid IPv4/],
  ["an IPv4 address as the content of an AAAA record", { type: "AAAA" }, /valid IPv6/],
])("%s is refused when the record is made", async (_, change, message) => {
  const inputs = recordInputs("refused.example.com", change);

  expect(await records.check(inputs)).toEqual({});
  expect(await records.refusal(inputs)).toMatch(message);
});

test("an identical record, and anything beside an alias, are refused", async () => {
  await records.create(recordInputs("twice.example.com"));

  expect(await records.refusal(recordInputs("Twice.example.com"))).toMatch(
    /81058.*An identical record already exists/,
  );
  expect(
    await records.refusal(
      recordInputs("twice.example.com", { type: "CNAME", content: "app.example.com" }),
    ),
  ).toMatch(/81053/);
  await records.create(recordInputs("twice.example.com", { content: "192.0.2.9" }));
});

test.each([
  ["a short name", { name: "app" }, "name", /must be the full name/],
  ["a zone that is no id", { zoneId: "example.com" }, "zoneId", /32 hexadecimal digits/],
  ["a type that is not served", { type: "MX" }, "type", /only has records of types A, AAAA, CNAME/],
  ["no TTL", { ttl: undefined }, "ttl", /Missing required argument/],
])("%s is refused before anything is made", async (_, change, property, reason) => {
  const inputs = Object.entries({ ...recordInputs("x.example.com"), ...change });

  expect(
    await records.check(Object.fromEntries(inputs.filter(([, value]) => value !== undefined))),
  ).toEqual({ [property]: expect.stringMatching(reason) as unknown });
});

test("a record of another zone is another record", async () => {
  const made = await records.create(recordInputs("zone.example.com"));

  expect(
    (await records.diff(made, recordInputs("zone.example.com", { zoneId: "f".repeat(32) })))
      .replaces,
  ).toEqual(["zoneId"]);
});

test("R2 buckets and their locks refer to each other, and a full bucket stays", async () => {
  const buckets = cloud.subject("cloudflare:index/r2Bucket:R2Bucket");
  const locks = cloud.subject("cloudflare:index/r2BucketLock:R2BucketLock");
  const lock = {
    accountId: zoneId,
    bucketName: "archive",
    rules: [{ id: "keep", enabled: true, condition: { type: "Age", maxAgeSeconds: 86_400 } }],
  };
  expect(await locks.refusal(lock)).toMatch(/10006.*The specified bucket does not exist/);

  const made = await buckets.create({ accountId: zoneId, name: "archive" });
  expect(await buckets.refusal({ accountId: zoneId, name: "archive" })).toMatch(/10004/);
  expect(
    await buckets.diff(made, { accountId: zoneId, name: "archive", location: "weur" }),
  ).toEqual({ changes: ["location"], replaces: ["location"], deleteFirst: true });

  const locked = await locks.create(lock);
  expect(await locks.exists(locked)).toBe(true);
  expect((await locks.diff(locked, { ...lock, rules: [] })).replaces).toEqual([]);
  expect(
    await locks.check({ ...lock, rules: [{ id: "x", enabled: true, condition: { type: "Age" } }] }),
  ).toEqual({
    "rules[0].condition.maxAgeSeconds": expect.stringMatching(/Missing required/) as unknown,
  });
  await locks.delete(locked);
  expect(await locks.exists(locked)).toBe(false);

  mkdirSync(join(folder, "r2", "archive"), { recursive: true });
  writeFileSync(join(folder, "r2", "archive", "object"), "");
  await expect(buckets.delete(made)).rejects.toThrow("10008");
  await rm(join(folder, "r2", "archive", "object"));
  await buckets.delete(made);
  expect(await buckets.exists(made)).toBe(false);
});
