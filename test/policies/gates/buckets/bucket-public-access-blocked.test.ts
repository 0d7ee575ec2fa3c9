import { bucketPublicAccessBlocked } from "../../../../policies/gates/buckets/bucket-public-access-blocked.ts";
import { set, testGate, unset, without } from "../../../support/gate-tester.ts";

testGate(bucketPublicAccessBlocked, {
  needs: [
    "block.blockPublicAcls",
    "block.blockPublicPolicy",
    "block.ignorePublicAcls",
    "block.restrictPublicBuckets",
  ],
  names: ["bucket.bucket", "block.bucket"],
  passes: { "all four flags": [set("block.skipDestroy", true)] },
  fails: {
    "one flag off": [
      [set("block.restrictPublicBuckets", false)],
      "fail",
      "bucket orders-documents: restrictPublicBuckets is false",
    ],
    "one flag left out": [
      [unset("block.ignorePublicAcls")],
      "fail",
      "bucket orders-documents: ignorePublicAcls is not set",
    ],
    "no block": [
      [without("block")],
      "inconclusive",
      "bucket orders-documents: no declared BucketPublicAccessBlock names it",
    ],
  },
});
