import { bucketVersioned } from "../../../../policies/gates/buckets/bucket-versioned.ts";
import { set, testGate, unset, without } from "../../../support/gate-tester.ts";

const status = "versioning.versioningConfiguration.status";

testGate(bucketVersioned, {
  needs: ["versioning.versioningConfiguration", status],
  names: ["bucket.bucket", "versioning.bucket"],
  passes: { "deletion with a second factor on top": [set("versioning.mfa", "serial 123456")] },
  fails: {
    suspended: [
      [set(status, "Suspended")],
      "fail",
      "bucket orders-documents: its versioning status is Suspended",
    ],
    "in lower case": [
      [set(status, "enabled")],
      "fail",
      "bucket orders-documents: its versioning status is another text",
    ],
    "no status": [
      [unset(status)],
      "fail",
      "bucket orders-documents: its versioning status is not set",
    ],
    "no versioning": [
      [without("versioning")],
      "inconclusive",
      "bucket orders-documents: no declared BucketVersioning names it",
    ],
    "the versioning of another bucket": [
      [set("versioning.bucket", "another")],
      "inconclusive",
      "bucket orders-documents: no declared BucketVersioning names it",
    ],
  },
});
