import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wire } from "../support/engine.ts";
import { startTestCloud, temporaryFolder, type Made, type TestCloud } from "./support.ts";

let folder: string;
let cloud: TestCloud;

beforeAll(async () => {
  folder = await temporaryFolder();
  // At this scale three days pass in 26 ms.
  cloud = await startTestCloud({ folder, clockScale: 10_000_000 });
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const documents = "arn:aws:s3:::flagship-documents";

const trust = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: { Service: "backup.amazonaws.com" } }],
});

function allow(action: string, resource: string, principal?: string): string {
  return JSON.stringify({
    Statement: [
      { Effect: "Allow", Action: action, Resource: resource, Principal: principal ?? undefined },
    ],
  });
}

function vaultArn(region: string, name: string): string {
  return `arn:aws:backup:${region}:123456789012:backup-vault:${name}`;
}

function planWithCopy(copy: Wire): Wire {
  return { rules: [{ ruleName: "r", targetVaultName: "flagship", copyActions: [copy] }] };
}

const alarm = {
  name: "database-cpu",
  namespace: "AWS/RDS",
  metricName: "CPUUtilization",
  dimensions: { DBInstanceIdentifier: "flagship" },
  extendedStatistic: "p95",
  comparisonOperator: "GreaterThanThreshold",
  threshold: 80,
  period: 60,
  evaluationPeriods: 5,
  alarmActions: ["arn:aws:sns:us-east-1:123456789012:alarms"],
};

const widget = { type: "metric", x: 0, y: 0, width: 12, height: 6, properties: {} };

function dashboard(...widgets: Wire[]): Wire {
  return { dashboardBody: JSON.stringify({ widgets }) };
}

/** Every type but RDS: fine inputs, and what refers to something that has to be there. */
const cases: readonly {
  readonly type: string;
  readonly inputs: Wire;
  /** A change that needs a new one, and whether the old one goes first. */
  readonly replace: readonly [Wire, boolean];
  /** A change that does not. */
  readonly update?: Wire;
  /** Inputs that the API refuses, and its words. */
  readonly refused?: readonly [Wire, RegExp][];
  /** Inputs that fail the check, where and why. */
  readonly unchecked?: readonly [Wire, string, RegExp][];
}[] = [
  {
    type: "aws:kms/key:Key",
    inputs: { description: "storage", enableKeyRotation: true, deletionWindowInDays: 30 },
    replace: [{ multiRegion: true }, false],
    update: { description: "other" },
    unchecked: [[{ deletionWindowInDays: 31 }, "deletionWindowInDays", /range \(7 - 30\)/]],
  },
  {
    type: "aws:kms/alias:Alias",
    inputs: { name: "alias/storage", targetKeyId: "KEY" },
    replace: [{ name: "alias/other" }, false],
    refused: [
      [{}, /AlreadyExistsException: An alias with the name .*:alias\/storage already exists/],
      [{ name: "alias/none", targetKeyId: "none" }, /NotFoundException/],
    ],
    unchecked: [[{ name: "storage" }, "name", /must begin with "alias\/"/]],
  },
  {
    type: "aws:iam/role:Role",
    inputs: { name: "backup", assumeRolePolicy: trust },
    replace: [{ path: "/x/" }, true],
    update: { description: "other" },
    refused: [[{}, /EntityAlreadyExists: Role with name backup already exists/]],
    unchecked: [
      [{ assumeRolePolicy: "{" }, "assumeRolePolicy", /invalid JSON/],
      [{ inlinePolicies: [] }, "inlinePolicies", /does not imitate/],
    ],
  },
  {
    type: "aws:iam/rolePolicy:RolePolicy",
    inputs: { name: "read", role: "backup", policy: allow("s3:GetObject", "*") },
    replace: [{ name: "write" }, false],
    update: { policy: allow("s3:PutObject", "*") },
    refused: [[{ role: "none" }, /NoSuchEntity: The role with name none cannot be found/]],
    unchecked: [
      [{ policy: "{" }, "policy", /must be a policy in JSON/],
      [{ policy: '{"Statement":[{"Effect":"Maybe"}]}' }, "policy", /an Effect of Allow or Deny/],
    ],
  },
  {
    type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    inputs: {
      role: "backup",
      policyArn: "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    },
    replace: [{ role: "other" }, false],
    refused: [
      [{ role: "none" }, /NoSuchEntity: The role with name none cannot be found/],
      [{ policyArn: "arn:aws:iam::123456789012:policy/none" }, /NoSuchEntity: Policy .* not exist/],
    ],
  },
  {
    type: "aws:rds/parameterGroup:ParameterGroup",
    inputs: { name: "flagship", family: "postgres18", parameters: [{ name: "a", value: "b" }] },
    replace: [{ family: "postgres17" }, true],
    update: { parameters: [] },
    refused: [[{}, /DBParameterGroupAlreadyExists/]],
    unchecked: [[{ family: "mysql8.0" }, "family", /only has postgres/]],
  },
  {
    type: "aws:backup/vault:Vault",
    inputs: { name: "flagship", kmsKeyArn: "KEY_ARN" },
    replace: [{ name: "other" }, false],
    update: { forceDestroy: true },
    refused: [
      [{}, /AlreadyExistsException: Backup vault with the same name already exists/],
      [
        { name: "v2", kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/none" },
        /KMSKeyNotAccessible/,
      ],
    ],
    unchecked: [[{ name: "x" }, "name", /2 to 50/]],
  },
  {
    type: "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
    inputs: { backupVaultName: "flagship", minRetentionDays: 7 },
    replace: [{ minRetentionDays: 8 }, false],
    refused: [
      [{ backupVaultName: "none" }, /ResourceNotFoundException: Backup vault none cannot be found/],
      [{ minRetentionDays: 0 }, /MinRetentionDays must be at least 1 day/],
      [{ changeableForDays: 2 }, /ChangeableForDays must be at least 3 days/],
      [{ maxRetentionDays: 6 }, /MaxRetentionDays must be greater/],
    ],
    unchecked: [[{ minRetentionDays: 1.5 }, "minRetentionDays", /expected int/]],
  },
  {
    type: "aws:backup/plan:Plan",
    inputs: {
      name: "flagship",
      rules: [
        {
          ruleName: "daily",
          targetVaultName: "flagship",
          schedule: "cron(0 3 * * ? *)",
          lifecycle: { deleteAfter: 35 },
          copyActions: [
            {
              destinationVaultArn: vaultArn("eu-west-1", "copies"),
              lifecycle: { deleteAfter: 35 },
            },
            { destinationVaultArn: vaultArn("us-east-1", "flagship") },
          ],
        },
      ],
    },
    replace: [{ name: "other" }, false],
    update: { rules: [{ ruleName: "weekly", targetVaultName: "flagship" }] },
    refused: [
      [
        { rules: [{ ruleName: "r", targetVaultName: "none" }] },
        /ResourceNotFoundException: Backup vault none/,
      ],
      [
        {
          rules: [
            {
              ruleName: "r",
              targetVaultName: "flagship",
              lifecycle: { coldStorageAfter: 30, deleteAfter: 60 },
            },
          ],
        },
        /at least 90 days more/,
      ],
      [planWithCopy({ destinationVaultArn: vaultArn("us-east-1", "none") }), /vault none cannot/],
      [
        planWithCopy({ destinationVaultArn: "arn:aws:s3:::flagship-documents" }),
        /Invalid DestinationBackupVaultArn/,
      ],
      [
        planWithCopy({
          destinationVaultArn: vaultArn("eu-west-1", "copies"),
          lifecycle: { coldStorageAfter: 1, deleteAfter: 90 },
        }),
        /at least 90 days more/,
      ],
    ],
    unchecked: [
      [{ rules: [{ targetVaultName: "flagship" }] }, "rules[0].ruleName", /Missing required/],
      [{ rules: [] }, "rules", /Too small/],
      [
        planWithCopy({ destinationVaultArn: "copies" }),
        "rules[0].copyActions[0].destinationVaultArn",
        /is not an ARN/,
      ],
    ],
  },
  {
    type: "aws:backup/selection:Selection",
    inputs: { name: "flagship", planId: "PLAN", iamRoleArn: "ROLE_ARN", resources: ["KEY_ARN"] },
    replace: [{ name: "other" }, false],
    refused: [
      [{ planId: "none" }, /Cannot find Backup plan with ID none/],
      [
        { iamRoleArn: "arn:aws:iam::123456789012:role/none" },
        /IAM Role .* cannot be assumed by AWS Backup/,
      ],
    ],
    unchecked: [[{ iamRoleArn: "backup" }, "iamRoleArn", /is not an ARN/]],
  },
  {
    type: "aws:s3/bucket:Bucket",
    inputs: { bucket: "flagship-documents" },
    replace: [{ bucket: "other-documents" }, false],
    update: { tags: { owner: "team" } },
    refused: [[{}, /BucketAlreadyOwnedByYou/]],
    unchecked: [[{ bucket: "Flagship" }, "bucket", /3 to 63 lowercase/]],
  },
  {
    type: "aws:s3/bucketVersioning:BucketVersioning",
    inputs: { bucket: "flagship-documents", versioningConfiguration: { status: "Enabled" } },
    replace: [{ bucket: "other-documents" }, false],
    update: { versioningConfiguration: { status: "Suspended" } },
    refused: [[{ bucket: "none" }, /NoSuchBucket: The specified bucket does not exist/]],
    unchecked: [
      [
        { versioningConfiguration: { status: "On" } },
        "versioningConfiguration.status",
        /expected one of/,
      ],
    ],
  },
  {
    type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    inputs: {
      bucket: "flagship-documents",
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: "aws:kms",
            kmsMasterKeyId: "KEY_ARN",
          },
          bucketKeyEnabled: true,
        },
      ],
    },
    replace: [{ bucket: "other-documents" }, false],
    update: { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    refused: [
      [{ bucket: "none" }, /NoSuchBucket/],
      [
        {
          rules: [
            {
              applyServerSideEncryptionByDefault: {
                sseAlgorithm: "aws:kms",
                kmsMasterKeyId: "none",
              },
            },
          ],
        },
        /KMS.NotFoundException/,
      ],
    ],
    unchecked: [
      [
        { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "DES" } }] },
        "rules[0].applyServerSideEncryptionByDefault.sseAlgorithm",
        /expected one of/,
      ],
    ],
  },
  {
    type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    inputs: { bucket: "flagship-documents", blockPublicAcls: true },
    replace: [{ bucket: "other-documents" }, false],
    update: { blockPublicAcls: false },
    refused: [[{ bucket: "none" }, /NoSuchBucket/]],
  },
  {
    type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    inputs: {
      bucket: "flagship-documents",
      rules: [
        {
          id: "keep-old-versions",
          status: "Enabled",
          filter: { prefix: "" },
          noncurrentVersionExpiration: { noncurrentDays: 30 },
        },
      ],
    },
    replace: [{ bucket: "other-documents" }, false],
    update: { rules: [{ id: "none", status: "Disabled" }] },
    refused: [[{ bucket: "none" }, /NoSuchBucket/]],
    unchecked: [
      [
        {
          rules: [
            {
              id: "x",
              status: "Enabled",
              noncurrentVersionExpiration: { noncurrentDays: 0 },
            },
          ],
        },
        "rules[0].noncurrentVersionExpiration.noncurrentDays",
        /Too small/,
      ],
    ],
  },
  {
    type: "aws:s3/bucketPolicy:BucketPolicy",
    inputs: {
      bucket: "flagship-documents",
      policy: allow("s3:GetObject", `${documents}/*`, "arn:aws:iam::123456789012:root"),
    },
    replace: [{ bucket: "other-documents" }, false],
    update: { policy: allow("s3:ListBucket", documents, "arn:aws:iam::123456789012:root") },
    refused: [
      [{ bucket: "none" }, /NoSuchBucket/],
      [{ policy: allow("s3:GetObject", `${documents}/*`) }, /Missing required field Principal/],
      [
        { policy: allow("s3:GetObject", `${documents}-other/*`, "*") },
        /MalformedPolicy: Policy has invalid resource/,
      ],
    ],
    unchecked: [[{ policy: "" }, "policy", /must be a policy in JSON/]],
  },
  {
    type: "aws:s3/bucketLogging:BucketLogging",
    inputs: {
      bucket: "flagship-documents",
      targetBucket: "flagship-documents",
      targetPrefix: "log/",
    },
    replace: [{ bucket: "other-documents" }, false],
    update: { targetPrefix: "access/" },
    refused: [[{ targetBucket: "none" }, /InvalidTargetBucketForLogging/]],
    unchecked: [[{ targetGrants: [] }, "targetGrants", /does not imitate/]],
  },
  {
    type: "aws:sns/topic:Topic",
    inputs: { name: "alarms", displayName: "Alarms", kmsMasterKeyId: "KEY" },
    replace: [{ name: "other" }, false],
    update: { kmsMasterKeyId: "alias/aws/sns" },
    refused: [[{ kmsMasterKeyId: "none" }, /KMSNotFoundException/]],
    unchecked: [[{ name: "alarms.fifo" }, "name", /the rehearsal has no FIFO topics/]],
  },
  {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs: alarm,
    replace: [{ name: "other" }, false],
    update: { threshold: 90 },
    refused: [
      [{ datapointsToAlarm: 6 }, /DatapointsToAlarm must be less than or equal/],
      [{ period: 60, evaluationPeriods: 1441 }, /more than a day .*<= 86400/],
      [{ period: 3600, evaluationPeriods: 169 }, /more than a week .*<= 604800/],
    ],
    unchecked: [
      [{ period: 45 }, "period", /10, 20, 30 or a multiple of 60/],
      [{ period: 0 }, "period", /10, 20, 30 or a multiple of 60/],
      [{ statistic: "Average" }, "statistic", /not both/],
      [{ extendedStatistic: "median" }, "extendedStatistic", /must be a percentile/],
      [{ alarmActions: ["on-call"] }, "alarmActions[0]", /is not an ARN/],
      [{ metricQueries: [] }, "metricQueries", /does not imitate/],
    ],
  },
  {
    type: "aws:cloudwatch/dashboard:Dashboard",
    inputs: { dashboardName: "flagship", ...dashboard(widget) },
    replace: [{ dashboardName: "other" }, false],
    update: dashboard(),
    refused: [
      [{ dashboardBody: "{}" }, /The dashboard body is invalid, there are 1 validation errors/],
      [dashboard({ ...widget, width: 25 }), /widgets\/0\/width/],
      [dashboard({ ...widget, type: "picture" }), /widgets\/0\/type/],
    ],
    unchecked: [[{ dashboardBody: "{" }, "dashboardBody", /invalid JSON/]],
  },
  {
    type: "aws:secretsmanager/secret:Secret",
    inputs: { name: "flagship/jwt", kmsKeyId: "KEY_ARN", recoveryWindowInDays: 7 },
    replace: [{ name: "flagship/other" }, false],
    update: { description: "signs sessions" },
    refused: [[{}, /ResourceExistsException: .* flagship\/jwt already exists/]],
    unchecked: [
      [
        { recoveryWindowInDays: 6 },
        "recoveryWindowInDays",
        /must be 0, or in the range \(7 - 30\)/,
      ],
      [{ name: "flagship jwt" }, "name", /must be 1 to 512/],
    ],
  },
];

/** Outputs that later cases refer to, filled in as the resources are made. */
const references: Record<string, string> = {};

function resolved(inputs: Wire): Wire {
  return JSON.parse(
    JSON.stringify(inputs).replaceAll(/"([A-Z_]+)"/g, (text, name: string) =>
      name in references ? JSON.stringify(references[name]) : text,
    ),
  ) as Wire;
}

/** What was made, by type. */
const mades = new Map<string, Made>();

test.each(cases)("$type is made, once checked", async ({ type, inputs, refused, unchecked }) => {
  const subject = cloud.subject(type);
  const fine = resolved(inputs);
  expect(await subject.check(fine)).toEqual({});
  for (const [change, property, reason] of unchecked ?? []) {
    expect(await subject.check({ ...fine, ...change })).toEqual({
      [property]: expect.stringMatching(reason) as unknown,
    });
  }
  const made = await subject.create(fine);
  expect(made.outputs).toMatchObject(fine);
  expect(await subject.exists(made)).toBe(true);
  expect(await subject.diff(made, fine)).toMatchObject({ changes: [], replaces: [] });
  for (const [change, message] of refused ?? []) {
    expect(await subject.refusal(resolved({ ...fine, ...change }))).toMatch(message);
  }
  mades.set(type, made);
  remember(type, made.id, made.outputs);
});

function madeOf(type: string): Made {
  const made = mades.get(type);
  if (made === undefined) throw new Error(`${type} was not made`);
  return made;
}

test.each(cases)("$type is replaced on some changes", async ({ type, replace }) => {
  const made = madeOf(type);
  const [change, deleteFirst] = replace;
  const names = Object.keys(change);

  expect(await cloud.subject(type).diff(made, { ...made.inputs, ...change })).toEqual({
    changes: names,
    replaces: names,
    deleteFirst,
  });
});

test.each(cases.filter(({ update }) => update !== undefined))(
  "$type is updated on others and stays what it is",
  async ({ type, update }) => {
    const made = madeOf(type);
    const news = { ...made.inputs, ...update };
    const subject = cloud.subject(type);

    expect((await subject.diff(made, news)).replaces).toEqual([]);
    const updated = await subject.update(made, news);
    expect(updated.outputs).toMatchObject(news);
    expect(updated.outputs["arn"]).toEqual(made.outputs["arn"]);
  },
);

function remember(type: string, id: string, outputs: Wire): void {
  const arn = String(outputs["arn"]);
  if (type.endsWith(":Key")) Object.assign(references, { KEY: id, KEY_ARN: arn });
  if (type.endsWith(":Role")) references["ROLE_ARN"] = arn;
  if (type.endsWith(":Plan")) references["PLAN"] = id;
}

test("what others still use stays", async () => {
  const role = cloud.subject("aws:iam/role:Role");
  const plan = cloud.subject("aws:backup/plan:Plan");

  await expect(
    role.delete({ id: "backup", inputs: { name: "backup" }, outputs: {} }),
  ).rejects.toThrow("DeleteConflict: Cannot delete entity, must detach all policies first.");
  await expect(
    plan.delete({ id: references["PLAN"] ?? "", inputs: {}, outputs: {} }),
  ).rejects.toThrow("Related backup plan selections must be deleted prior");
});

test("a role with a policy of its own stays until that goes", async () => {
  const roles = cloud.subject("aws:iam/role:Role");
  const policies = cloud.subject("aws:iam/rolePolicy:RolePolicy");
  const role = await roles.create({ name: "replicate", assumeRolePolicy: trust });
  const policy = await policies.create({
    name: "read",
    role: "replicate",
    policy: allow("s3:GetObject", "*"),
  });

  await expect(roles.delete(role)).rejects.toThrow("must delete policies first.");
  await policies.delete(policy);
  expect(await policies.exists(policy)).toBe(false);
  await roles.delete(role);
  expect(await roles.exists(role)).toBe(false);
});

test("a bucket with an object in it stays unless it may be destroyed", async () => {
  const buckets = cloud.subject("aws:s3/bucket:Bucket");
  const made = await buckets.create({ bucket: "full" });
  const place = join(folder, "s3", "full");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "object"), "");

  await expect(buckets.delete(made)).rejects.toThrow("BucketNotEmpty");
  await buckets.delete({ ...made, inputs: { bucket: "full", forceDestroy: true } });
  expect(await buckets.exists(made)).toBe(false);
});

test("a vault lock can be taken away while it is changeable, and never after", async () => {
  const vaults = cloud.subject("aws:backup/vault:Vault");
  const locks = cloud.subject("aws:backup/vaultLockConfiguration:VaultLockConfiguration");
  await vaults.create({ name: "for-ever" });
  const open = await locks.create({ backupVaultName: "for-ever", minRetentionDays: 7 });
  await sleep(50);
  await locks.delete(open);
  const closed = await locks.create({
    backupVaultName: "for-ever",
    minRetentionDays: 7,
    changeableForDays: 3,
  });
  await sleep(50);

  await expect(locks.delete(closed)).rejects.toThrow("the vault lock cannot be changed or deleted");
  expect(await locks.exists(closed)).toBe(true);
});

test("a deleted key cannot be used any more", async () => {
  const keys = cloud.subject("aws:kms/key:Key");
  const made = await keys.create({});
  await keys.delete(made);

  expect(
    await cloud
      .subject("aws:kms/alias:Alias")
      .refusal({ name: "alias/late", targetKeyId: made.id }),
  ).toMatch(/NotFoundException/);
});

test("ARNs are in the region that the provider is configured for", async () => {
  await cloud.clients.aws.configure({}, { region: "eu-central-1" });
  const made = await cloud.subject("aws:kms/key:Key").create({});

  expect(made.outputs["arn"]).toMatch(/^arn:aws:kms:eu-central-1:/);
});

test.each([
  ["aws", "aws:ec2/instance:Instance"],
  ["docker", "docker:index/secret:Secret"],
  ["cloudflare", "cloudflare:index/zone:Zone"],
])("%s refuses %s by name", async (_, type) => {
  const refusal = new RegExp(`the rehearsal does not imitate ${type}. To do: leave it out`);

  await expect(cloud.subject(type).check({})).rejects.toThrow(refusal);
});

test("a function is refused by name", async () => {
  await expect(
    cloud.clients.aws.invoke("aws:index/getCallerIdentity:getCallerIdentity", {}),
  ).rejects.toThrow(/does not imitate aws:index\/getCallerIdentity/);
});
