import { expect, test } from "vitest";
import type { BucketConfig } from "../../../infra/buckets/config.ts";
import { declareBuckets } from "../../../infra/buckets/declare.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { r2, s3 } from "./samples.ts";

const s3Type = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration";
const r2Type = "cloudflare:index/r2BucketCors:R2BucketCors";
const origins = ["https://app.example.com", "https://admin.example.com"];

test("pages of the origins may read and upload in S3, and delete nothing", async () => {
  expect(only(await declare(s3({ cors: true })), s3Type).inputs).toEqual({
    bucket: "flagship-documents",
    corsRules: [
      {
        id: "pages",
        allowedOrigins: origins,
        allowedMethods: ["GET", "HEAD", "PUT", "POST"],
        allowedHeaders: ["content-type", "content-md5"],
        exposeHeaders: ["ETag"],
        maxAgeSeconds: 3600,
      },
    ],
  });
});

test("pages of the origins may do the same in R2", async () => {
  expect(only(await declare(r2({ cors: true })), r2Type).inputs).toEqual({
    accountId: "0123456789abcdef0123456789abcdef",
    bucketName: "flagship-archive",
    rules: [
      {
        id: "pages",
        allowed: {
          origins,
          methods: ["GET", "HEAD", "PUT", "POST"],
          headers: ["content-type", "content-md5"],
        },
        exposeHeaders: ["ETag"],
        maxAgeSeconds: 3600,
      },
    ],
  });
});

test.each([
  ["S3", s3, s3Type],
  ["R2", r2, r2Type],
])(
  "no page may use a bucket in %s that does not ask for it, or for no origin",
  async (_, row, type) => {
    const without = await declare(row());
    expect(without.map((resource) => resource.type)).not.toContain(type);
    const forNobody = await declare(row({ cors: true }), []);
    expect(forNobody.map((resource) => resource.type)).not.toContain(type);
  },
);

function declare(row: BucketConfig, corsOrigins: readonly string[] = origins): Promise<Declared[]> {
  return declared(() =>
    declareBuckets({ documents: row }, { kmsKeyArn: "arn:key", corsOrigins }, firstStep),
  );
}
