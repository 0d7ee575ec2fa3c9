import { withRowKey } from "../../bucket-rows.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { requirements } from "../../requirements.ts";
import type { Seen, Sighting } from "../../run.ts";
import { isRecord } from "../../contract/path.ts";
import { isAtLeast, listOf, shown } from "../../values.ts";

const { bucketRetentionDays, archiveLockDays } = requirements;
const secondsOfADay = 86_400;

const lifecycle = {
  kind: "BucketLifecycleConfiguration",
  type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  ownerIn: "bucket",
};
const lock = {
  kind: "R2BucketLock",
  type: "cloudflare:index/r2BucketLock:R2BucketLock",
  ownerIn: "bucketName",
};

/**
 * Objects outlive a mistake by the required days. In S3 a lifecycle rule for the whole bucket keeps earlier versions,
 * and no rule expires objects sooner; R2 has no versions, so a lock rule for the whole bucket forbids the deletion.
 */
export const bucketRetentionSet = defineGate({
  id: "bucket-retention-set",
  about: "relation",
  nouns: ["buckets", "archives"],
  requires:
    `Every S3 bucket keeps earlier versions and every R2 bucket locks its objects ` +
    `at least ${bucketRetentionDays} days.`,
  because: "A cleanup rule would delete what going back needs.",
  severity: "high",
  required: `objects and earlier versions are kept at least ${bucketRetentionDays} days`,
  remedy: `set retentionDays of its row in cutover:buckets to ${bucketRetentionDays}`,
  judge: (bucket, seen) =>
    nouns.archives.types.includes(bucket.type)
      ? judgeArchive(bucket, seen)
      : judgeBucket(bucket, seen),
});

function judgeBucket(bucket: Sighting, seen: Seen): readonly Reason[] {
  if (listOf(bucket.props["lifecycleRules"]).length > 0) {
    return [
      fail("it carries lifecycleRules of its own, which are not judged", {
        remedy: `declare them in a ${lifecycle.kind}`,
      }),
    ];
  }
  const reasons = judgeParts(lifecycle, bucket, nouns.buckets.nameIn, seen, ({ props }) => {
    const enabled = recordsOf(props["rules"]).filter((rule) => rule["status"] !== "Disabled");
    const short = enabled.flatMap(shortTerms);
    const keepsAll = enabled.some(
      (rule) =>
        rule["status"] === "Enabled" &&
        isForAll(rule) &&
        isRecord(rule["noncurrentVersionExpiration"]),
    );
    return keepsAll
      ? short
      : [...short, fail("no enabled rule for the whole bucket sets how long versions are kept")];
  });
  return withRowKey(reasons, bucket, "retentionDays", bucketRetentionDays);
}

/** What in a rule ends an object's life too soon. */
function shortTerms(rule: Readonly<Record<string, unknown>>): readonly Reason[] {
  const reasons: Reason[] = [];
  const versions = rule["noncurrentVersionExpiration"];
  if (versions !== undefined && versions !== null) {
    const days = isRecord(versions) ? versions["noncurrentDays"] : undefined;
    if (!isAtLeast(days, bucketRetentionDays)) {
      reasons.push(fail(`a rule keeps earlier versions ${shown(days)} days`));
    }
  }
  const objects = rule["expiration"];
  if (objects === undefined || objects === null) return reasons;
  if (!isRecord(objects))
    return [...reasons, fail(`the expiration of a rule is ${shown(objects)}`)];
  const { days, date } = objects;
  if (days !== undefined && days !== null && !isAtLeast(days, bucketRetentionDays)) {
    reasons.push(fail(`a rule expires objects after ${shown(days)} days`));
  }
  if (date !== undefined && date !== null) {
    reasons.push(
      fail("a rule expires objects on a date", { remedy: "give the rule days in place of a date" }),
    );
  }
  return reasons;
}

function judgeArchive(archive: Sighting, seen: Seen): readonly Reason[] {
  const locks = judgeParts(lock, archive, nouns.archives.nameIn, seen, ({ props }) =>
    recordsOf(props["rules"]).some(locksAll)
      ? []
      : [fail(`no enabled lock rule holds all its objects ${archiveLockDays} days`)],
  );
  const named = withRowKey(locks, archive, "lockDays", archiveLockDays);
  return named.map((reason) => ({
    remedy: `set lockDays of its row in cutover:buckets to ${archiveLockDays}`,
    ...reason,
    required: `a lock rule for all objects of at least ${archiveLockDays} days`,
  }));
}

function locksAll(rule: Readonly<Record<string, unknown>>): boolean {
  const { enabled, prefix, condition } = rule;
  if (enabled !== true || !isBlank(prefix) || !isRecord(condition)) return false;
  if (condition["type"] === "Indefinite") return true;
  return (
    condition["type"] === "Age" &&
    isAtLeast(condition["maxAgeSeconds"], archiveLockDays * secondsOfADay)
  );
}

function isForAll(rule: Readonly<Record<string, unknown>>): boolean {
  const { prefix, filter } = rule;
  if (!isBlank(prefix)) return false;
  if (filter === undefined || filter === null) return true;
  return isRecord(filter) && Object.values(filter).every(isBlank);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return listOf(value).map((entry) => (isRecord(entry) ? entry : {}));
}
