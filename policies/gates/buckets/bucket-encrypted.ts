import { defineGate, fail } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { isRecord } from "../../contract/path.ts";
import { listOf, shown } from "../../values.ts";

const accepted: readonly unknown[] = ["aws:kms", "aws:kms:dsse"];
const encryption = {
  kind: "BucketServerSideEncryptionConfiguration",
  type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  ownerIn: "bucket",
};

/** Objects are encrypted with a KMS key, whose policy decides who may read. R2 encrypts always and has no setting. */
export const bucketEncrypted = defineGate({
  id: "bucket-encrypted",
  about: "relation",
  nouns: ["buckets"],
  requires: "Every S3 bucket encrypts new objects with a KMS key.",
  because: "Whoever may list the bucket could read it: only a key of its own adds a second lock.",
  severity: "high",
  required: "sseAlgorithm is aws:kms in every rule, and there is a rule",
  remedy: "pulumi config set --path cutover:bucket.encrypted true",
  judge: (bucket, seen) =>
    judgeParts(encryption, bucket, nouns.buckets.nameIn, seen, ({ props }) => {
      const rules = listOf(props["rules"]);
      if (rules.length === 0) return [fail("its encryption has no rule")];
      return rules
        .map(algorithmOf)
        .filter((algorithm) => !accepted.includes(algorithm))
        .map((algorithm) => fail(`sseAlgorithm is ${shown(algorithm, ["AES256"])}`));
    }),
});

function algorithmOf(rule: unknown): unknown {
  const byDefault = isRecord(rule) ? rule["applyServerSideEncryptionByDefault"] : undefined;
  return isRecord(byDefault) ? byDefault["sseAlgorithm"] : undefined;
}
