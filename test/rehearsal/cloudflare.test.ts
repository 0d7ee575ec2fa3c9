import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, temporaryFolder, type TestCloud } from "./support.ts";

let folder: string;
let cloud: TestCloud;

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder });
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const accountId = "0123456789abcdef0123456789abcdef";

test("a D1 database has an id of its own, a name in its account, and a folder until it goes", async () => {
  const databases = cloud.subject("cloudflare:index/d1Database:D1Database");
  const inputs = { accountId, name: "ledger" };
  expect(await databases.check({ ...inputs, primaryLocationHint: "mars" })).toEqual({
    primaryLocationHint: expect.stringMatching(/expected one of/) as unknown,
  });
  const made = await databases.create(inputs);
  const exports = join(folder, "d1", made.id);

  expect(made.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(made.outputs).toMatchObject({
    ...inputs,
    uuid: made.id,
    version: "production",
    createdAt: expect.stringMatching(/^\d{4}-/) as unknown,
  });
  expect(existsSync(exports)).toBe(true);
  expect(await databases.refusal(inputs)).toMatch(/7502.*'ledger' already exists/);
  await databases.create({ ...inputs, accountId: "f".repeat(32) });
  expect(await databases.diff(made, { ...inputs, primaryLocationHint: "weur" })).toEqual({
    changes: ["primaryLocationHint"],
    replaces: ["primaryLocationHint"],
    deleteFirst: true,
  });
  const news = { ...inputs, readReplication: { mode: "auto" } };
  expect((await databases.diff(made, news)).replaces).toEqual([]);
  const changed = await databases.update(made, news);
  expect(changed.outputs).toMatchObject({ uuid: made.id, readReplication: { mode: "auto" } });
  await databases.delete(changed);
  expect(await databases.exists(changed)).toBe(false);
  expect(existsSync(exports)).toBe(false);
  await expect(databases.update(changed, news)).rejects.toThrow("7404");
});

test("lifecycle rules belong to a bucket of R2, beside its locks", async () => {
  const buckets = cloud.subject("cloudflare:index/r2Bucket:R2Bucket");
  const lifecycles = cloud.subject("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle");
  const locks = cloud.subject("cloudflare:index/r2BucketLock:R2BucketLock");
  const expire = {
    id: "expire",
    enabled: true,
    conditions: { prefix: "" },
    deleteObjectsTransition: { condition: { type: "Age", maxAge: 86_400 } },
  };
  const rules = { accountId, bucketName: "log", rules: [expire] };
  expect(await lifecycles.refusal(rules)).toMatch(/10006/);
  await buckets.create({ accountId, name: "log" });
  const locked = await locks.create({ accountId, bucketName: "log", rules: [] });
  const made = await lifecycles.create(rules);
  expect(await lifecycles.check({ ...rules, rules: [{ ...expire, conditions: {} }] })).toEqual({
    "rules[0].conditions.prefix": expect.stringMatching(/Missing required/) as unknown,
  });
  expect((await lifecycles.diff(made, { ...rules, rules: [] })).replaces).toEqual([]);
  expect((await lifecycles.diff(made, { ...rules, bucketName: "other" })).replaces).toEqual([
    "bucketName",
  ]);
  await lifecycles.delete(made);

  expect(await lifecycles.exists(made)).toBe(false);
  expect(await locks.exists(locked)).toBe(true);
});

test("R2 buckets and their locks refer to each other, and a full bucket stays", async () => {
  const buckets = cloud.subject("cloudflare:index/r2Bucket:R2Bucket");
  const locks = cloud.subject("cloudflare:index/r2BucketLock:R2BucketLock");
  const lock = {
    accountId,
    bucketName: "archive",
    rules: [{ id: "keep", enabled: true, condition: { type: "Age", maxAgeSeconds: 86_400 } }],
  };
  expect(await locks.refusal(lock)).toMatch(/10006.*The specified bucket does not exist/);

  const made = await buckets.create({ accountId, name: "archive" });
  expect(await buckets.refusal({ accountId, name: "archive" })).toMatch(/10004/);
  expect(await buckets.diff(made, { accountId, name: "archive", location: "weur" })).toEqual({
    changes: ["location"],
    replaces: ["location"],
    deleteFirst: true,
  });

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
