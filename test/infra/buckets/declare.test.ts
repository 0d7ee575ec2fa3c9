import { describe, expect, test } from "vitest";
import { declareBuckets, type BucketTable } from "../../../infra/buckets/declare.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { r2, s3 } from "./samples.ts";

const configType = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const roleType = "aws:iam/role:Role";
const copy = "arn:aws:s3:::flagship-documents-copy";
const replicaKey = "arn:aws:kms:eu-west-1:123456789012:key/1";

test("every row is declared, and knows its part in access logs", async () => {
  const resources = await declare({
    documents: s3({ accessLogTo: "log" }),
    archive: r2({ copyTo: "documents" }),
    log: s3({ name: "flagship-log" }),
  });
  expect(
    resources
      .filter(({ type }) => type.startsWith("cutover:"))
      .map(named)
      .sort(),
  ).toEqual([
    "cutover:buckets:Archive archive",
    "cutover:buckets:Bucket documents",
    "cutover:buckets:Bucket log",
  ]);
  expect(only(resources, "aws:s3/bucketLogging:BucketLogging").inputs).toMatchObject({
    bucket: "flagship-documents",
    targetBucket: "flagship-log",
  });
  const policies = resources.filter(({ type }) => type === "aws:s3/bucketPolicy:BucketPolicy");
  expect(policies.map(({ name, inputs }) => [name, grants(inputs["policy"])])).toEqual([
    ["log-policy", ["arn:aws:s3:::flagship-documents"]],
    ["documents-policy", []],
  ]);
});

test("what takes a log is finished before what writes it", async () => {
  const resources = await declare({
    documents: s3({ accessLogTo: "log" }),
    log: s3({ name: "flagship-log" }),
  });
  const at = (name: string): number => resources.findIndex((one) => one.name === name);
  expect(at("log-policy")).toBeGreaterThan(-1);
  expect(at("log-policy")).toBeLessThan(at("documents-access-log"));
});

test("an empty table declares nothing", async () => {
  expect(await declare({})).toEqual([]);
});

test("R2 declares nothing for a copy: it has none of its own", async () => {
  const types = (table: BucketTable): Promise<string[]> =>
    declare(table).then((resources) => resources.map(({ type }) => type));
  expect(await types({ archive: r2({ copyTo: "copies" }) })).toEqual(
    await types({ archive: r2() }),
  );
});

describe("a replication", () => {
  test("copies objects, their encryption and deletions, as a role that may do no more", async () => {
    const resources = await declare({
      documents: s3({ replicateTo: copy, replicaKeyArn: replicaKey }),
    });
    expect(only(resources, configType).inputs).toEqual({
      bucket: "flagship-documents",
      role: "arn:role",
      rules: [
        {
          id: "everything",
          status: "Enabled",
          priority: 0,
          filter: { prefix: "" },
          deleteMarkerReplication: { status: "Enabled" },
          destination: {
            bucket: copy,
            encryptionConfiguration: { replicaKmsKeyId: replicaKey },
          },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
        },
      ],
    });
    const policy = only(resources, "aws:iam/rolePolicy:RolePolicy").inputs["policy"] as string;
    const { Statement } = JSON.parse(policy) as { Statement: Record<string, unknown>[] };
    expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [["s3:GetReplicationConfiguration", "s3:ListBucket"], "arn:aws:s3:::flagship-documents"],
      [expect.anything(), "arn:aws:s3:::flagship-documents/*"],
      [["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], `${copy}/*`],
      [["kms:Decrypt"], "arn:key"],
      [["kms:Encrypt"], replicaKey],
    ]);
  });

  test("waits for the versions that it copies", async () => {
    const resources = await declare({ documents: s3({ replicateTo: copy }) });
    const at = (name: string): number => resources.findIndex((one) => one.name === name);
    expect(at("documents-versioning")).toBeGreaterThan(-1);
    expect(at("documents-versioning")).toBeLessThan(at("documents-replication-role"));
  });

  test("without a key of the replicas names no key", async () => {
    const rows = { documents: s3({ replicateTo: copy, encrypted: false }) };
    const [rule] = only(await declare(rows), configType).inputs["rules"] as [object];
    expect(rule).not.toHaveProperty("sourceSelectionCriteria");
    expect(rule).toMatchObject({ destination: { bucket: copy } });
  });

  test.each([
    ["b".repeat(52), `${"b".repeat(52)}-replication`],
    ["b".repeat(63), `${"b".repeat(52)}-replication`],
  ])("of %s has a role whose name IAM takes", async (name, role) => {
    const resources = await declare({ documents: s3({ name, replicateTo: copy }) });
    expect(only(resources, roleType).inputs["name"]).toBe(role);
    expect(role.length).toBeLessThanOrEqual(64);
  });
});

function declare(table: BucketTable): Promise<Declared[]> {
  return declared(() => declareBuckets(table, { kmsKeyArn: "arn:key" }, firstStep), {
    [roleType]: { arn: "arn:role" },
  });
}

function named({ type, name }: Declared): string {
  return `${type} ${name}`;
}

function grants(policy: unknown): unknown {
  const { Statement } = JSON.parse(policy as string) as {
    Statement: { Condition: { ArnLike?: { "aws:SourceArn": string[] } } }[];
  };
  return Statement.flatMap(({ Condition }) => Condition.ArnLike?.["aws:SourceArn"] ?? []);
}
