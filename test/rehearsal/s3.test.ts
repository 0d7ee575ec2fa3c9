import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wire } from "../support/engine.ts";
import { startTestCloud, temporaryFolder, type Subject, type TestCloud } from "./support.ts";

let folder: string;
let cloud: TestCloud;
let buckets: Subject;
let versionings: Subject;
let replications: Subject;
let locks: Subject;
let role: unknown;

const day = 86_400_000;

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder, clockScale: 1 });
  buckets = cloud.subject("aws:s3/bucket:Bucket");
  versionings = cloud.subject("aws:s3/bucketVersioning:BucketVersioning");
  replications = cloud.subject("aws:s3/bucketReplicationConfig:BucketReplicationConfig");
  locks = cloud.subject("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration");
  const made = await cloud
    .subject("aws:iam/role:Role")
    .create({ name: "replicate", assumeRolePolicy: "{}" });
  role = made.outputs["arn"];
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

function replication(bucket: string, to: string, more: Wire = {}): Wire {
  const destination = { bucket: `arn:aws:s3:::${to}` };
  return { bucket, role, rules: [{ id: "all", status: "Enabled", destination }], ...more };
}

function versioning(bucket: string, status: string): Wire {
  return { bucket, versioningConfiguration: { status } };
}

test("a replication needs versions on both sides and a role that is there", async () => {
  await buckets.create({ bucket: "source" });
  await buckets.create({ bucket: "copy" });
  expect(await replications.refusal(replication("source", "copy"))).toMatch(
    /InvalidRequest: Versioning must be 'Enabled' on the bucket/,
  );
  const suspended = await versionings.create(versioning("source", "Suspended"));
  expect(await replications.refusal(replication("source", "copy"))).toMatch(/must be 'Enabled'/);
  const source = await versionings.update(suspended, versioning("source", "Enabled"));
  expect(await replications.refusal(replication("source", "copy"))).toMatch(
    /Destination bucket must have versioning enabled/,
  );
  await versionings.create(versioning("copy", "Enabled"));
  const noRole = { role: "arn:aws:iam::123456789012:role/none" };
  expect(await replications.refusal(replication("source", "copy", noRole))).toMatch(
    /InvalidArgument: Invalid Role/,
  );
  expect(await replications.check(replication("source", "copy", { rules: [] }))).toEqual({
    rules: expect.stringMatching(/Too small/) as unknown,
  });

  const made = await replications.create(replication("source", "copy"));
  await expect(versionings.update(source, versioning("source", "Suspended"))).rejects.toThrow(
    "InvalidBucketState: A replication configuration is present on this bucket",
  );
  await expect(versionings.delete(source)).rejects.toThrow("first delete the replication");
  await replications.delete(made);
  expect(await replications.exists(made)).toBe(false);
  await versionings.delete(source);
});

test("a replication to a bucket of another account is taken as it is", async () => {
  await buckets.create({ bucket: "outward" });
  await versionings.create(versioning("outward", "Enabled"));
  const made = await replications.create(replication("outward", "elsewhere"));

  expect(await replications.exists(made)).toBe(true);
});

function lock(bucket: string, retention: Wire): Wire {
  return { bucket, rule: { defaultRetention: retention } };
}

test("only a bucket that was made for it can be locked", async () => {
  await buckets.create({ bucket: "open" });
  expect(await locks.refusal(lock("open", { mode: "GOVERNANCE", days: 1 }))).toMatch(
    /InvalidBucketState: Object Lock configuration cannot be enabled on existing buckets/,
  );
  expect(await locks.refusal(lock("none", { mode: "GOVERNANCE", days: 1 }))).toMatch(
    /NoSuchBucket/,
  );
  const both = await locks.check(lock("open", { mode: "GOVERNANCE", days: 1, years: 1 }));
  expect(both).toEqual({ "rule.defaultRetention": expect.stringMatching(/not both/) as unknown });
});

test.each([
  ["COMPLIANCE", { days: 2 }, 1 * day, false],
  ["COMPLIANCE", { days: 2 }, 3 * day, true],
  ["COMPLIANCE", { years: 1 }, 364 * day, false],
  ["GOVERNANCE", { days: 2 }, 0, true],
])("a lock in %s of %o lets objects of age %i go: %s", async (mode, retention, age, goes) => {
  const bucket = `locked-${mode.toLowerCase()}-${String(age)}`;
  const made = await buckets.create({ bucket, objectLockEnabled: true, forceDestroy: true });
  await locks.create(lock(bucket, { mode, ...retention }));
  const file = join(folder, "s3", bucket, "object");
  mkdirSync(join(folder, "s3", bucket), { recursive: true });
  writeFileSync(file, "");
  const at = new Date(Date.now() - age);
  utimesSync(file, at, at);

  const gone = buckets.delete(made).then(
    () => "gone",
    (error: unknown) => String(error),
  );
  expect(await gone).toMatch(goes ? /^gone$/ : /AccessDenied.*object protected by object lock/);
});

test("a public policy meets the block of public policies", async () => {
  await buckets.create({ bucket: "blocked" });
  await cloud
    .subject("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    .create({ bucket: "blocked", blockPublicPolicy: true });
  const policies = cloud.subject("aws:s3/bucketPolicy:BucketPolicy");
  const policy = (effect: string, principal: unknown): Wire => ({
    bucket: "blocked",
    policy: JSON.stringify({
      Statement: {
        Effect: effect,
        Principal: principal,
        Action: "s3:*",
        Resource: ["arn:aws:s3:::blocked", "arn:aws:s3:::blocked/*"],
      },
    }),
  });

  expect(await policies.refusal(policy("Allow", "*"))).toMatch(/AccessDenied.*BlockPublicPolicy/);
  expect(await policies.refusal(policy("Allow", { AWS: "*" }))).toMatch(/AccessDenied/);
  await policies.create(policy("Deny", "*"));
});
