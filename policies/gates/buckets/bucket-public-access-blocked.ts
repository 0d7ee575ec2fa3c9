import { withRowKey } from "../../bucket-rows.ts";
import { defineGate, fail } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { shown } from "../../values.ts";

const flags = [
  "blockPublicAcls",
  "blockPublicPolicy",
  "ignorePublicAcls",
  "restrictPublicBuckets",
] as const;
const block = {
  kind: "BucketPublicAccessBlock",
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  ownerIn: "bucket",
};

/** No ACL and no bucket policy can make a bucket public. */
export const bucketPublicAccessBlocked = defineGate({
  id: "bucket-public-access-blocked",
  about: "relation",
  nouns: ["buckets"],
  requires: "Every S3 bucket blocks public access in all four ways.",
  because: "One wrong ACL or policy would publish the data.",
  severity: "critical",
  required: "all four flags of its BucketPublicAccessBlock are true",
  remedy: "set publicAccessBlocked of its row in cutover:buckets to true",
  judge: (bucket, seen) => {
    const reasons = judgeParts(block, bucket, nouns.buckets.nameIn, seen, ({ props }) =>
      flags
        .filter((flag) => props[flag] !== true)
        .map((flag) => fail(`${flag} is ${shown(props[flag])}`)),
    );
    return withRowKey(reasons, bucket, "publicAccessBlocked", true);
  },
});
