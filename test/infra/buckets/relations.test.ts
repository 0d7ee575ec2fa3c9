import { describe, expect, test } from "vitest";
import { bucketRelations, type BucketKeys } from "../../../infra/buckets/relations.ts";
import { r2, s3 } from "./samples.ts";

const copy = "arn:aws:s3:::flagship-documents-copy";
const replicaKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1";
const log = s3({ name: "flagship-log" });

function container(bucket: string): NonNullable<BucketKeys["database"]> {
  return {
    kind: "container",
    name: "ignition",
    username: "cutover",
    engineVersion: "18.1",
    address: "203.0.113.40",
    port: 5432,
    image: `postgres@sha256:${"4f".repeat(32)}`,
    memoryMib: 1024,
    dumps: { bucket, keepDays: 30 },
  };
}

const whole: BucketKeys["buckets"] = {
  documents: s3({
    accessLogTo: "log",
    objectLockDays: 30,
    replicateTo: copy,
    replicaKeyArn,
  }),
  log,
  archive: r2({ copyTo: "documents", expireDays: 90 }),
};

test.each<[string, BucketKeys]>([
  ["no bucket", { buckets: {} }],
  ["a whole table", { buckets: whole, database: container("documents") }],
  [
    "one name in two R2 accounts",
    { buckets: { one: r2(), two: r2({ accountId: "f".repeat(32) }) } },
  ],
  [
    "one name in S3 and in R2",
    { buckets: { one: s3({ name: "same" }), two: r2({ name: "same" }) } },
  ],
  [
    "replicas without a key of objects without one",
    { buckets: { documents: s3({ encrypted: false, replicateTo: copy }) } },
  ],
  [
    "replicas without a key of access logs, which have none",
    { buckets: { documents: s3({ accessLogTo: "log" }), log: { ...log, replicateTo: copy } } },
  ],
  ["an object that expires as its lock ends", { buckets: { archive: r2({ expireDays: 90 }) } }],
])("%s is right", (_, keys) => {
  expect(bucketRelations(keys)).toEqual([]);
});

describe("is wrong:", () => {
  test.each<[string, BucketKeys, string, string, string]>([
    [
      "one S3 name twice",
      { buckets: { one: s3(), two: s3() } },
      "cutover:buckets.two.name",
      "flagship-documents, which is the name of one",
      "pulumi config set --path 'cutover:buckets.two.name' 'flagship-documents-two'",
    ],
    [
      "one R2 name twice in an account",
      { buckets: { one: r2(), two: r2() } },
      "cutover:buckets.two.name",
      "flagship-archive, which is the name of one",
      "pulumi config set --path 'cutover:buckets.two.name' 'flagship-archive-two'",
    ],
    [
      "an access log to nowhere",
      { buckets: { documents: s3({ accessLogTo: "logs" }), log } },
      "cutover:buckets.documents.accessLogTo",
      "logs, which is no bucket",
      "pulumi config set --path 'cutover:buckets.documents.accessLogTo' 'log'",
    ],
    [
      "an access log to itself",
      { buckets: { documents: s3({ accessLogTo: "documents" }) } },
      "cutover:buckets.documents.accessLogTo",
      "documents, which is the bucket itself",
      "pulumi config set --path 'cutover:buckets.documents-copy.store' 's3'",
    ],
    [
      "an access log to R2",
      { buckets: { documents: s3({ accessLogTo: "archive" }), archive: r2(), log } },
      "cutover:buckets.documents.accessLogTo",
      "archive, which is in R2",
      "pulumi config set --path 'cutover:buckets.documents.accessLogTo' 'log'",
    ],
    [
      "a copy to R2",
      { buckets: { archive: r2({ copyTo: "other" }), other: r2({ name: "other" }) } },
      "cutover:buckets.archive.copyTo",
      "other, which is in R2",
      "pulumi config set --path 'cutover:buckets.other-copy.store' 's3'",
    ],
    [
      "a copy to nowhere",
      { buckets: { archive: r2({ copyTo: "copies" }) } },
      "cutover:buckets.archive.copyTo",
      "copies, which is no bucket",
      "pulumi config set --path 'cutover:buckets.copies.store' 's3'",
    ],
    [
      "dumps to nowhere",
      { buckets: { log }, database: container("dumps") },
      "cutover:database.dumps.bucket",
      "dumps, which is no bucket",
      "pulumi config set --path 'cutover:database.dumps.bucket' 'log'",
    ],
    [
      "dumps to R2",
      { buckets: { log, archive: r2() }, database: container("archive") },
      "cutover:database.dumps.bucket",
      "archive, which is in R2",
      "pulumi config set --path 'cutover:database.dumps.bucket' 'log'",
    ],
    [
      "a log of logs",
      {
        buckets: {
          documents: s3({ accessLogTo: "log" }),
          log: { ...log, accessLogTo: "other" },
          other: s3({ name: "other" }),
        },
      },
      "cutover:buckets.log.accessLogTo",
      "other, but log takes access logs itself",
      "pulumi config rm --path 'cutover:buckets.log.accessLogTo'",
    ],
    [
      "logs that are locked",
      {
        buckets: {
          documents: s3({ accessLogTo: "log" }),
          log: s3({ name: "log", objectLockDays: 1 }),
        },
      },
      "cutover:buckets.log.objectLockDays",
      "1 days, but log takes access logs",
      "pulumi config rm --path 'cutover:buckets.log.objectLockDays'",
    ],
    [
      "a lock without versions",
      { buckets: { documents: s3({ versioned: false, objectLockDays: 1 }) } },
      "cutover:buckets.documents.versioned",
      "false, but documents has objectLockDays",
      "pulumi config set --path 'cutover:buckets.documents.versioned' 'true'",
    ],
    [
      "lock and replicas without versions",
      {
        buckets: {
          documents: s3({
            versioned: false,
            objectLockDays: 1,
            replicateTo: copy,
            replicaKeyArn,
          }),
        },
      },
      "cutover:buckets.documents.versioned",
      "false, but documents has objectLockDays and replicateTo",
      "pulumi config set --path 'cutover:buckets.documents.versioned' 'true'",
    ],
    [
      "replicas that nobody could encrypt",
      { buckets: { documents: s3({ replicateTo: copy }) } },
      "cutover:buckets.documents.replicaKeyArn",
      "nothing, but the objects are encrypted with a KMS key, which is of this region",
      "pulumi config set --path 'cutover:buckets.documents.replicaKeyArn' 'arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-4cde-8f01-23456789abcd'",
    ],
    [
      "a key of replicas without replicas",
      { buckets: { documents: s3({ replicaKeyArn }) } },
      "cutover:buckets.documents.replicaKeyArn",
      "a key, but no replicateTo",
      "pulumi config rm --path 'cutover:buckets.documents.replicaKeyArn'",
    ],
    [
      "replicas in the bucket itself",
      {
        buckets: {
          documents: s3({ replicateTo: "arn:aws:s3:::flagship-documents", replicaKeyArn }),
        },
      },
      "cutover:buckets.documents.replicateTo",
      "the bucket itself",
      "pulumi config set --path 'cutover:buckets.documents.replicateTo' 'arn:aws:s3:::flagship-documents-copy'",
    ],
    [
      "an object that expires a day before its lock ends",
      { buckets: { archive: r2({ expireDays: 89 }) } },
      "cutover:buckets.archive.expireDays",
      "89 days, but an object is locked for 90",
      "pulumi config set --path 'cutover:buckets.archive.expireDays' '90'",
    ],
  ])("%s", (_, keys, where, found, todo) => {
    expect(bucketRelations(keys)).toEqual([
      { where, found, todo, required: expect.stringMatching(/\S/) as unknown },
    ]);
  });
});

test("all problems are told at once", () => {
  const keys = {
    buckets: {
      documents: s3({ accessLogTo: "logs", versioned: false, objectLockDays: 1 }),
      archive: r2({ copyTo: "copies", expireDays: 1 }),
    },
  };
  expect(bucketRelations(keys).map(({ where }) => where)).toEqual([
    "cutover:buckets.documents.accessLogTo",
    "cutover:buckets.archive.copyTo",
    "cutover:buckets.documents.versioned",
    "cutover:buckets.archive.expireDays",
  ]);
});
