import { withRowKey } from "../../bucket-rows.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { isRecord } from "../../contract/path.ts";
import type { Seen, Sighting } from "../../run.ts";
import { listOf, readName, shown } from "../../values.ts";

const withKms: readonly unknown[] = ["aws:kms", "aws:kms:dsse"];
const byS3: readonly unknown[] = ["AES256"];
const encryption = {
  kind: "BucketServerSideEncryptionConfiguration",
  type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  ownerIn: "bucket",
};

const loggingType = "aws:s3/bucketLogging:BucketLogging";

/**
 * Objects are encrypted with a KMS key, whose policy decides who may read. A bucket that takes access logs is encrypted
 * with the key of S3 itself: to one with KMS by default, S3 delivers none. R2 encrypts always and has no setting.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
 */
export const bucketEncrypted = defineGate({
  id: "bucket-encrypted",
  about: "relation",
  nouns: ["buckets"],
  requires: "Every S3 bucket encrypts new objects with a KMS key, but for access logs.",
  because: "Whoever may list the bucket could read it: only a key of its own adds a second lock.",
  severity: "high",
  required: "sseAlgorithm is aws:kms in every rule, and there is a rule",
  remedy: "set encrypted of its row in cutover:buckets to true",
  judge: (bucket, seen) => {
    const accepted = takesAccessLogs(bucket, seen) ? byS3 : withKms;
    const reasons = judgeParts(encryption, bucket, nouns.buckets.nameIn, seen, ({ props }) => {
      const rules = listOf(props["rules"]);
      if (rules.length === 0) return [fail("its encryption has no rule")];
      return rules
        .map(algorithmOf)
        .filter((algorithm) => !accepted.includes(algorithm))
        .map((algorithm) => judged(algorithm, accepted));
    });
    return withRowKey(reasons, bucket, "encrypted", true);
  },
});

function judged(algorithm: unknown, accepted: readonly unknown[]): Reason {
  const found = `sseAlgorithm is ${shown(algorithm, ["AES256", "aws:kms", "aws:kms:dsse"])}`;
  if (accepted === withKms) return fail(found);
  return fail(found, {
    required: "sseAlgorithm is AES256 where access logs are taken",
    remedy: "set it where the bucket is declared, in infra/buckets",
  });
}

function takesAccessLogs(bucket: Sighting, seen: Seen): boolean {
  const name = bucket.props[nouns.buckets.nameIn];
  return seen.ofType(loggingType).some((logging) => {
    const target = readName(logging, "targetBucket");
    return typeof target === "object" && target.name === name;
  });
}

function algorithmOf(rule: unknown): unknown {
  const byDefault = isRecord(rule) ? rule["applyServerSideEncryptionByDefault"] : undefined;
  return isRecord(byDefault) ? byDefault["sseAlgorithm"] : undefined;
}
