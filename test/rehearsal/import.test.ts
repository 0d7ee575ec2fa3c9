import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { databaseInputs, startTestCloud, temporaryFolder, type TestCloud } from "./support.ts";

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

test("an instance is found by its identifier, with what RDS describes and no more", async () => {
  const instances = cloud.subject("aws:rds/instance:Instance");
  const inputs = databaseInputs("adopted", { backupRetentionPeriod: 7, deletionProtection: true });
  const made = await instances.create(inputs);
  const found = await instances.find("adopted");

  expect(found?.id).toBe(made.id);
  expect(found?.outputs).toMatchObject({
    endpoint: made.outputs["endpoint"],
    arn: made.outputs["arn"],
    status: "available",
  });
  expect(found?.inputs).not.toHaveProperty("password");
  expect(JSON.stringify(found)).not.toContain("right-password");
  if (found === undefined) return;
  // Nobody tells a password again: who imports leaves it out of the comparison, or out of the program.
  expect((await instances.diff(found, inputs)).changes).toEqual(["password"]);
  const { password: _password, ...described } = inputs;
  expect(await instances.diff(found, described)).toEqual({
    changes: [],
    replaces: [],
    deleteFirst: false,
  });
  expect((await instances.diff(found, { ...described, skipFinalSnapshot: false })).changes).toEqual(
    ["skipFinalSnapshot"],
  );
  expect(
    (await instances.diff(found, { ...described, instanceClass: "db.r8g.large" })).changes,
  ).toEqual(["instanceClass"]);

  const changed = await instances.update(found, { ...described, backupRetentionPeriod: 14 });
  expect((await instances.find(made.id))?.inputs["backupRetentionPeriod"]).toBe(14);
  const open = await instances.update(changed, { ...described, deletionProtection: false });
  await instances.delete(open);
  expect(await instances.find("adopted")).toBeUndefined();
});

test("a D1 database is found by its account and its id, and by neither alone", async () => {
  const databases = cloud.subject("cloudflare:index/d1Database:D1Database");
  const inputs = { accountId, name: "ledger", primaryLocationHint: "weur" };
  const made = await databases.create(inputs);

  expect(await databases.find(`${accountId}/${made.id}`)).toEqual({
    id: made.id,
    inputs,
    outputs: made.outputs,
  });
  expect(await databases.find(made.id)).toBeUndefined();
  expect(await databases.find(`${"f".repeat(32)}/${made.id}`)).toBeUndefined();
  expect(await databases.find(`${accountId}/none`)).toBeUndefined();
});

test.each(["aws:s3/bucket:Bucket", "aws:kms/key:Key", "cloudflare:index/r2Bucket:R2Bucket"])(
  "%s cannot be imported, and says so",
  async (type) => {
    await expect(cloud.subject(type).find("some")).rejects.toThrow(
      new RegExp(`the rehearsal cannot import ${type}.* To do: declare it without import`),
    );
  },
);

test("an input that is written out as its default is no change", async () => {
  const buckets = cloud.subject("aws:s3/bucket:Bucket");
  const made = await buckets.create({ bucket: "defaults" });

  expect((await buckets.diff(made, { bucket: "defaults", forceDestroy: false })).changes).toEqual(
    [],
  );
  expect((await buckets.diff(made, { bucket: "defaults", forceDestroy: true })).changes).toEqual([
    "forceDestroy",
  ]);
});
