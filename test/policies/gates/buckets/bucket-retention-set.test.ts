import { bucketRetentionSet } from "../../../../policies/gates/buckets/bucket-retention-set.ts";
import { another, set, testGate, unset, without } from "../../../support/gate-tester.ts";

const versions = "lifecycle.rules.0.noncurrentVersionExpiration";
const age = "archiveLock.rules.0.condition.maxAgeSeconds";
const month = 30 * 86_400;

testGate(bucketRetentionSet, {
  needs: [
    "lifecycle.rules",
    "lifecycle.rules.0.status",
    versions,
    `${versions}.noncurrentDays`,
    "archiveLock.rules",
    "archiveLock.rules.0.enabled",
    "archiveLock.rules.0.condition",
    "archiveLock.rules.0.condition.type",
    age,
  ],
  names: ["bucket.bucket", "lifecycle.bucket", "archive.name", "archiveLock.bucketName"],
  mayRead: ["bucket.lifecycleRules"],
  passes: {
    "the required days": [set(`${versions}.noncurrentDays`, 30)],
    "a rule without a filter": [unset("lifecycle.rules.0.filter")],
    "a rule with an empty filter": [set("lifecycle.rules.0.filter", {})],
    "objects that expire after the required days": [
      set("lifecycle.rules.0.expiration", { days: 30 }),
    ],
    "delete markers cleaned up": [
      set("lifecycle.rules.0.expiration", { expiredObjectDeleteMarker: true }),
    ],
    "a disabled rule that is too short": [
      set("lifecycle.rules.1", { id: "old", status: "Disabled", expiration: { days: 1 } }),
    ],
    "a lock for ever": [set("archiveLock.rules.0.condition", { type: "Indefinite" })],
    "a lock with an empty prefix": [set("archiveLock.rules.0.prefix", "")],
    "no archive": [set("facts.covers.archives", []), without("archive"), without("archiveLock")],
  },
  fails: {
    "versions one day short": [
      [set(`${versions}.noncurrentDays`, 29)],
      "fail",
      "bucket orders-documents: a rule keeps earlier versions 29 days",
    ],
    "objects one day short": [
      [set("lifecycle.rules.0.expiration", { days: 29 })],
      "fail",
      "bucket orders-documents: a rule expires objects after 29 days",
    ],
    "a second rule that is too short": [
      [
        set("lifecycle.rules.1", {
          id: "logs",
          status: "Enabled",
          filter: { prefix: "logs/" },
          expiration: { days: 1 },
        }),
      ],
      "fail",
      "bucket orders-documents: a rule expires objects after 1 days",
    ],
    "a rule that expires on a date": [
      [set("lifecycle.rules.0.expiration", { date: "2030-01-01" })],
      "fail",
      "bucket orders-documents: a rule expires objects on a date",
    ],
    "versions kept for some objects only": [
      [set("lifecycle.rules.0.filter", { prefix: "reports/" })],
      "fail",
      "bucket orders-documents: no enabled rule for the whole bucket sets how long versions are kept",
    ],
    "versions kept for large objects only": [
      [set("lifecycle.rules.0.filter", { objectSizeGreaterThan: 0 })],
      "fail",
      "bucket orders-documents: no enabled rule for the whole bucket sets how long versions are kept",
    ],
    "versions kept under a prefix only": [
      [set("lifecycle.rules.0.prefix", "reports/")],
      "fail",
      "bucket orders-documents: no enabled rule for the whole bucket sets how long versions are kept",
    ],
    "the rule disabled": [
      [set("lifecycle.rules.0.status", "Disabled")],
      "fail",
      "bucket orders-documents: no enabled rule for the whole bucket sets how long versions are kept",
    ],
    "no lifecycle": [
      [without("lifecycle")],
      "inconclusive",
      "bucket orders-documents: no declared BucketLifecycleConfiguration names it",
    ],
    "rules within the bucket": [
      [set("bucket.lifecycleRules", [{ enabled: true, expiration: { days: 1 } }])],
      "fail",
      "bucket orders-documents: it carries lifecycleRules of its own, which are not judged",
    ],
    "a lock one second short": [
      [set(age, month - 1)],
      "fail",
      "R2 bucket orders-archive: no enabled lock rule holds all its objects 30 days",
    ],
    "a lock under a prefix only": [
      [set("archiveLock.rules.0.prefix", "2026/")],
      "fail",
      "R2 bucket orders-archive: no enabled lock rule holds all its objects 30 days",
    ],
    "a lock that is off": [
      [set("archiveLock.rules.0.enabled", false)],
      "fail",
      "R2 bucket orders-archive: no enabled lock rule holds all its objects 30 days",
    ],
    "a lock until a date": [
      [set("archiveLock.rules.0.condition", { type: "Date", date: "2030-01-01T00:00:00Z" })],
      "fail",
      "R2 bucket orders-archive: no enabled lock rule holds all its objects 30 days",
    ],
    "no lock": [
      [without("archiveLock")],
      "inconclusive",
      "R2 bucket orders-archive: no declared R2BucketLock names it",
    ],
    "a second archive without a lock": [
      [another("archive", { name: "second" })],
      "inconclusive",
      "R2 bucket second: no declared R2BucketLock names it",
    ],
    "a covered archive that is not declared": [
      [without("archive")],
      "inconclusive",
      "R2 bucket orders-archive: no declared R2 bucket carries this name",
    ],
  },
});
