import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wire } from "../support/engine.ts";
import { startTestCloud, type TestCloud } from "./support.ts";

let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud();
});

afterAll(() => cloud.close());

const accountId = "0123456789abcdef0123456789abcdef";
const origins = ["https://app.example.com"];

test("pages of other origins use a bucket in S3 as its rules say", async () => {
  const cors = cloud.subject("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration");
  const rules = (more: Wire = {}): Wire => ({
    bucket: "pages",
    corsRules: [{ allowedOrigins: origins, allowedMethods: ["GET", "PUT"], ...more }],
  });
  expect(await cors.refusal(rules())).toMatch(/NoSuchBucket/);
  await cloud.subject("aws:s3/bucket:Bucket").create({ bucket: "pages" });
  expect(await cors.check(rules({ allowedMethods: ["PATCH"] }))).toEqual({
    "corsRules[0].allowedMethods[0]": expect.stringMatching(/unsupported HTTP method/) as unknown,
  });
  expect(await cors.refusal(rules({ allowedOrigins: ["https://*.example.*"] }))).toMatch(
    /can not have more than one wildcard/,
  );
  const made = await cors.create(rules());
  const changed = await cors.update(made, rules({ maxAgeSeconds: 60 }));
  expect(await cors.exists(changed)).toBe(true);
  expect((await cors.diff(changed, { ...changed.inputs, bucket: "other" })).replaces).toEqual([
    "bucket",
  ]);
  await cors.delete(changed);
  expect(await cors.exists(changed)).toBe(false);
});

test("pages of other origins use a bucket in R2 as its rules say", async () => {
  const cors = cloud.subject("cloudflare:index/r2BucketCors:R2BucketCors");
  const rules = (methods: readonly string[]): Wire => ({
    accountId,
    bucketName: "pages",
    rules: [{ id: "pages", allowed: { origins, methods }, maxAgeSeconds: 3600 }],
  });
  expect(await cors.refusal(rules(["GET"]))).toMatch(/10006/);
  await cloud.subject("cloudflare:index/r2Bucket:R2Bucket").create({ accountId, name: "pages" });
  expect(await cors.check(rules(["PATCH"]))).toHaveProperty("rules[0].allowed.methods[0]");
  const made = await cors.create(rules(["GET"]));
  const changed = await cors.update(made, rules(["GET", "PUT"]));
  expect(await cors.exists(changed)).toBe(true);
  await cors.delete(changed);
  expect(await cors.exists(changed)).toBe(false);
});
