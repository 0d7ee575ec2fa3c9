import { bucketEncrypted } from "../../../../policies/gates/buckets/bucket-encrypted.ts";
import { another, set, testGate, unknown, without } from "../../../support/gate-tester.ts";

const algorithm = "encryption.rules.0.applyServerSideEncryptionByDefault.sseAlgorithm";

testGate(bucketEncrypted, {
  needs: ["facts.covers.buckets", "encryption.rules", algorithm],
  names: ["bucket.bucket", "encryption.bucket"],
  passes: {
    "two layers of a KMS key": [set(algorithm, "aws:kms:dsse")],
    "a key not yet made": [
      set("encryption.rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", unknown),
    ],
  },
  fails: {
    "the key of S3 itself": [
      [set(algorithm, "AES256")],
      "fail",
      "bucket orders-documents: sseAlgorithm is AES256",
    ],
    "no rule": [
      [set("encryption.rules", [])],
      "fail",
      "bucket orders-documents: its encryption has no rule",
    ],
    "a second rule without a default": [
      [set("encryption.rules.1", { bucketKeyEnabled: true })],
      "fail",
      "bucket orders-documents: sseAlgorithm is not set",
    ],
    "no encryption": [
      [without("encryption")],
      "inconclusive",
      "bucket orders-documents: no declared BucketServerSideEncryptionConfiguration names it",
    ],
    "a second bucket without encryption": [
      [another("bucket", { bucket: "second" })],
      "inconclusive",
      "bucket second: no declared BucketServerSideEncryptionConfiguration names it",
    ],
    "no bucket": [
      [without("bucket")],
      "inconclusive",
      "bucket orders-documents: no declared bucket carries this name",
    ],
  },
});
