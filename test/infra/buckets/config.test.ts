import { expect, test } from "vitest";
import { bucketConfig } from "../../../infra/buckets/config.ts";
import { r2, s3 } from "./samples.ts";

test("a row of S3 is closed where it says nothing", () => {
  expect(s3()).toEqual({
    store: "s3",
    name: "flagship-documents",
    encrypted: true,
    versioned: true,
    publicAccessBlocked: true,
    tlsOnly: true,
    retentionDays: 90,
    cors: false,
  });
});

test.each([
  ["a retention that is left out", { ...s3(), retentionDays: undefined }],
  ["a lock of no day", { ...s3(), objectLockDays: 0 }],
  ["a name in place of an ARN", { ...s3(), replicateTo: "flagship-copy" }],
  ["a lock key of R2", { ...s3(), lockDays: 30 }],
  ["a store that nobody knows", { ...s3(), store: "gcs" }],
  ["an expiry of no day", { ...r2(), expireDays: 0 }],
  ["encryption of R2, which has no setting", { ...r2(), encrypted: true }],
])("%s is refused", (_, row) => {
  expect(bucketConfig.safeParse(row).success).toBe(false);
});

test("versioning of R2 is refused at its own key, which says why", () => {
  const { error } = bucketConfig.safeParse({ ...r2(), versioned: true });
  expect(error?.issues.map(({ path }) => path)).toEqual([["versioned"]]);
  const [, form] = bucketConfig.options;
  expect(form.shape.versioned.meta()).toMatchObject({
    description: expect.stringContaining("lockDays") as unknown,
  });
  expect(bucketConfig.safeParse({ ...r2(), versioned: false }).success).toBe(true);
});
