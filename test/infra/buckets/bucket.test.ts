import { describe, expect, test } from "vitest";
import { Bucket, type BucketArgs } from "../../../infra/buckets/bucket.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { s3 } from "./samples.ts";

const parts = {
  encrypted:
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  versioned: "aws:s3/bucketVersioning:BucketVersioning",
  publicAccessBlocked: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  tlsOnly: "aws:s3/bucketPolicy:BucketPolicy",
  lifecycle: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
} as const;
const bucketType = "aws:s3/bucket:Bucket";
const lockType = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration";
const loggingType = "aws:s3/bucketLogging:BucketLogging";

describe("Bucket", () => {
  test.each(Object.entries(parts))(
    "%s is a part that names the bucket in plain text",
    async (_, type) => {
      expect(only(await bucket(), type).inputs["bucket"]).toBe("flagship-documents");
    },
  );

  test.each(["encrypted", "versioned", "publicAccessBlocked", "tlsOnly"] as const)(
    "without %s that part is not declared, and the others are",
    async (name) => {
      const types = (await bucket({ [name]: false })).map(({ type }) => type);
      expect(types).not.toContain(parts[name]);
      expect(types).toHaveLength((await bucket()).length - 1);
    },
  );

  test("its resources carry the row's name, so that a message can name the key", async () => {
    expect((await bucket()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["documents-bucket", "documents-policy", "documents-lifecycle"]),
    );
  });

  test("encrypts with the key", async () => {
    expect(only(await bucket(), parts.encrypted).inputs["rules"]).toEqual([
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "arn:key" },
        bucketKeyEnabled: true,
      },
    ]);
  });

  test("refuses requests without TLS, to the bucket and to its objects", async () => {
    expect(policyOf(await bucket())).toEqual([
      {
        Sid: "RefuseWithoutTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: ["arn:aws:s3:::flagship-documents", "arn:aws:s3:::flagship-documents/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
  });

  test("keeps old versions for the retention, and throws unfinished uploads away after a week", async () => {
    expect(only(await bucket(), parts.lifecycle).inputs["rules"]).toEqual([
      {
        id: "keep-old-versions",
        status: "Enabled",
        filter: { prefix: "" },
        noncurrentVersionExpiration: { noncurrentDays: 90 },
      },
      {
        id: "abort-unfinished-uploads",
        status: "Enabled",
        filter: { prefix: "" },
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      },
    ]);
  });

  test("without retention only unfinished uploads have a rule", async () => {
    const rules = only(await bucket({ retentionDays: 0 }), parts.lifecycle).inputs["rules"];
    expect(rules).toMatchObject([{ id: "abort-unfinished-uploads" }]);
  });

  test("locks objects where it is asked to, so that nobody can lift the lock", async () => {
    expect((await bucket()).map(({ type }) => type)).not.toContain(lockType);
    expect(only(await bucket(), bucketType).inputs).toEqual({ bucket: "flagship-documents" });
    const locked = await bucket({ objectLockDays: 1 });
    expect(only(locked, bucketType).inputs["objectLockEnabled"]).toBe(true);
    expect(only(locked, lockType).inputs).toEqual({
      bucket: "flagship-documents",
      objectLockEnabled: "Enabled",
      rule: { defaultRetention: { mode: "COMPLIANCE", days: 1 } },
    });
  });

  test("writes its access log under its own name", async () => {
    expect((await bucket()).map(({ type }) => type)).not.toContain(loggingType);
    const resources = await bucket({}, { accessLogTo: "flagship-access-log" });
    expect(only(resources, loggingType).inputs).toEqual({
      bucket: "flagship-documents",
      targetBucket: "flagship-access-log",
      targetPrefix: "flagship-documents/",
    });
  });

  describe("that takes access logs", () => {
    const logsOf = ["one", "two"];

    test("lets S3 write those of the buckets it takes them from, and of no other", async () => {
      expect(policyOf(await bucket({}, { logsOf }))).toMatchObject([
        { Effect: "Deny" },
        {
          Effect: "Allow",
          Principal: { Service: "logging.s3.amazonaws.com" },
          Action: "s3:PutObject",
          Resource: "arn:aws:s3:::flagship-documents/*",
          Condition: { ArnLike: { "aws:SourceArn": ["arn:aws:s3:::one", "arn:aws:s3:::two"] } },
        },
      ]);
    });

    test("does so where requests without TLS are taken, too", async () => {
      expect(policyOf(await bucket({ tlsOnly: false }, { logsOf }))).toMatchObject([
        { Effect: "Allow" },
      ]);
    });

    test("is encrypted by S3 itself, because no log comes to one with KMS", async () => {
      expect(only(await bucket({}, { logsOf }), parts.encrypted).inputs["rules"]).toEqual([
        { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
      ]);
    });
  });
});

function bucket(change: object = {}, more: Partial<BucketArgs> = {}): Promise<Declared[]> {
  const args = { settings: s3(change), kmsKeyArn: "arn:key", ...more };
  return declared(() => new Bucket("documents", args, firstStep));
}

function policyOf(resources: readonly Declared[]): unknown {
  const text = only(resources, parts.tlsOnly).inputs["policy"] as string;
  return (JSON.parse(text) as { Statement: unknown }).Statement;
}
