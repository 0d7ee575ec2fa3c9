import { describe, expect, test } from "vitest";
import { Bucket } from "../../../infra/buckets/bucket.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

const parts = {
  encrypted:
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  versioned: "aws:s3/bucketVersioning:BucketVersioning",
  publicAccessBlocked: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  retentionDays: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
} as const;

describe("Bucket", () => {
  test.each(Object.entries(parts))(
    "%s is a part that names the bucket in plain text",
    async (_, type) => {
      expect(only(await bucket({}), type).inputs["bucket"]).toBe("flagship-production-documents");
    },
  );

  test.each([
    ["encrypted", false],
    ["versioned", false],
    ["publicAccessBlocked", false],
    ["retentionDays", 0],
  ] as const)("without %s that part is not declared, and the others are", async (name, value) => {
    const types = (await bucket({ [name]: value })).map(({ type }) => type);
    expect(types).not.toContain(parts[name]);
    expect(types).toHaveLength((await bucket({})).length - 1);
  });

  test("keeps old versions for the retention, and encrypts with the key", async () => {
    const resources = await bucket({});
    expect(only(resources, parts.retentionDays).inputs).toMatchObject({
      rules: [{ status: "Enabled", noncurrentVersionExpiration: { noncurrentDays: 90 } }],
    });
    expect(only(resources, parts.encrypted).inputs).toMatchObject({
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: "aws:kms",
            kmsMasterKeyId: "arn:key",
          },
        },
      ],
    });
  });
});

function bucket(change: object) {
  const settings = { ...sampleConfig().bucket, ...change };
  return declared(() => new Bucket("documents", { settings, kmsKeyArn: "arn:key" }, firstStep));
}
