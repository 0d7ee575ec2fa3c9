import { bucketEncrypted } from "../../../../policies/gates/buckets/bucket-encrypted.ts";
import {
  another,
  set,
  testGate,
  unknown,
  without,
  type Change,
} from "../../../support/gate-tester.ts";

const algorithm = "encryption.rules.0.applyServerSideEncryptionByDefault.sseAlgorithm";

/** Another bucket writes its access log to this one. */
function takesLogs(targetBucket: unknown = "orders-documents"): Change {
  return ({ resources }) => {
    const props = { bucket: "another", targetBucket };
    resources["logging"] = { type: "aws:s3/bucketLogging:BucketLogging", props };
  };
}

testGate(bucketEncrypted, {
  needs: ["encryption.rules", algorithm],
  names: ["bucket.bucket", "encryption.bucket"],
  passes: {
    "two layers of a KMS key": [set(algorithm, "aws:kms:dsse")],
    "a key not yet made": [
      set("encryption.rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", unknown),
    ],
    "the key of S3 itself, where access logs are taken": [takesLogs(), set(algorithm, "AES256")],
    "access logs that go to another bucket": [takesLogs("another")],
  },
  fails: {
    "the key of S3 itself": [
      [set(algorithm, "AES256")],
      "fail",
      "bucket orders-documents: sseAlgorithm is AES256",
    ],
    "the key of S3 itself, where another bucket takes access logs": [
      [takesLogs("another"), set(algorithm, "AES256")],
      "fail",
      "bucket orders-documents: sseAlgorithm is AES256",
    ],
    "the key of S3 itself, where who takes access logs is not known yet": [
      [takesLogs(unknown), set(algorithm, "AES256")],
      "fail",
      "bucket orders-documents: sseAlgorithm is AES256",
    ],
    "a KMS key where access logs are taken, which then never come": [
      [takesLogs()],
      "fail",
      "bucket orders-documents: sseAlgorithm is aws:kms",
    ],
    "no encryption where access logs are taken": [
      [takesLogs(), without("encryption")],
      "inconclusive",
      "bucket orders-documents: no declared BucketServerSideEncryptionConfiguration names it",
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
