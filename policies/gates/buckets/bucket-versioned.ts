import { withRowKey } from "../../bucket-rows.ts";
import { defineGate, fail } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { isRecord } from "../../contract/path.ts";
import { shown } from "../../values.ts";

const versioning = {
  kind: "BucketVersioning",
  type: "aws:s3/bucketVersioning:BucketVersioning",
  ownerIn: "bucket",
};

/** What a release overwrites or deletes in a bucket stays behind as an earlier version. R2 has no versions. */
export const bucketVersioned = defineGate({
  id: "bucket-versioned",
  about: "relation",
  nouns: ["buckets"],
  requires: "Every S3 bucket keeps earlier versions of its objects.",
  because: "An object that the new release overwrites would be gone.",
  severity: "high",
  required: "versioningConfiguration.status is Enabled",
  remedy: "set versioned of its row in cutover:buckets to true",
  judge: (bucket, seen) => {
    const reasons = judgeParts(versioning, bucket, nouns.buckets.nameIn, seen, ({ props }) => {
      const configuration = props["versioningConfiguration"];
      const status = isRecord(configuration) ? configuration["status"] : undefined;
      return status === "Enabled"
        ? []
        : [fail(`its versioning status is ${shown(status, ["Suspended", "Disabled"])}`)];
    });
    return withRowKey(reasons, bucket, "versioned", true);
  },
});
