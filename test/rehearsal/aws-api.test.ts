import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { ECRClient, DescribeImagesCommand } from "@aws-sdk/client-ecr";
import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from "@aws-sdk/client-rds";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { expect, onTestFinished, test, vi } from "vitest";
import { testingAlarms } from "../../infra/provider/test-alarm.ts";
import { backupRecoveryPoints } from "../../infra/readings/aws/backup-recovery-points.ts";
import { backupRestoreJobs } from "../../infra/readings/aws/backup-restore-jobs.ts";
import { cloudwatchAlarms } from "../../infra/readings/aws/cloudwatch-alarms.ts";
import { s3Bucket } from "../../infra/readings/aws/s3-bucket.ts";
import { secretRotation } from "../../infra/readings/aws/secret-rotation.ts";
import { startAwsApi, type AwsApi } from "../../rehearsal/stand-ins/aws-api/aws-api.ts";
import type { Account } from "../../rehearsal/stand-ins/aws/account.ts";
import { makeSecret, putSecretValue, secretsOf } from "../../rehearsal/stand-ins/aws/secrets.ts";
import { ApiError } from "../../rehearsal/stand-ins/kind.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { contextOf, failureOf, readFacts } from "../infra/readings/context.ts";

interface Place {
  readonly api: AwsApi;
  readonly account: Account;
  readonly told: { topic: string; message: Record<string, unknown> }[];
  /** From now on, what is published is refused so. */
  refuse(error: Error): void;
}

/** An account with an API before it, that every client of this test finds. Nothing of it can be changed but here. */
async function open(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "aws-api-test-"));
  const account: Account = {
    store: openStore(folder),
    network: undefined as never,
    clockScale: 1,
    region: "eu-central-1",
  };
  const told: Place["told"] = [];
  let refusal: Error | undefined;
  const api = await startAwsApi({
    account,
    aws: {
      types: {},
      publish(topic, message) {
        if (refusal !== undefined) return Promise.reject(refusal);
        told.push({ topic, message: JSON.parse(message) as Record<string, unknown> });
        return Promise.resolve();
      },
    },
    address: "127.0.0.1",
    region: "eu-central-1",
  });
  for (const [name, value] of Object.entries(api.env)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await api.close();
    await rm(folder, { recursive: true });
  });
  return {
    api,
    account,
    told,
    refuse(error) {
      refusal = error;
    },
  };
}

test("the age of a secret is that of its value, and one that nobody filled has none", async () => {
  const { account } = await open();
  for (const name of ["stageos/jwt", "stageos/encryption"]) {
    makeSecret(account, { name, kmsKeyId: undefined });
  }
  const target = { secrets: ["stageos/jwt", "stageos/encryption", "stageos/none"] };
  expect(await readFacts(secretRotation, target, contextOf())).toMatchObject({
    secrets: { "stageos/jwt": { exists: true, lastChangedAt: null } },
    missing: ["stageos/none"],
    oldestChange: null,
  });

  const client = new SecretsManagerClient({});
  await client.send(
    new PutSecretValueCommand({ SecretId: "stageos/jwt", SecretString: "canary-1" }),
  );
  const { secrets } = (await readFacts(secretRotation, target, contextOf())) as {
    secrets: Record<string, { lastChangedAt: string | null }>;
  };
  const age = Date.now() - Date.parse(secrets["stageos/jwt"]?.lastChangedAt ?? "");
  expect(age).toBeGreaterThanOrEqual(-1000);
  expect(age).toBeLessThan(60_000);
  expect(secrets["stageos/encryption"]?.lastChangedAt).toBeNull();

  const got = await client.send(new GetSecretValueCommand({ SecretId: "stageos/jwt" }));
  expect(got.SecretString).toBe("canary-1");
  await expect(
    client.send(new GetSecretValueCommand({ SecretId: "stageos/encryption" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("a secret that waits for its deletion counts as none, and takes no value", async () => {
  const { account } = await open();
  const secret = makeSecret(account, { name: "old", kmsKeyId: undefined });
  putSecretValue(account, secret, { secretString: "canary-2" });
  const kept = secretsOf(account).get(secret.arn);
  if (kept === undefined) throw new Error("the secret is gone");
  const deleted = { at: new Date().toISOString(), windowDays: 7 };
  secretsOf(account).set(secret.arn, { ...kept, deleted });

  expect(await readFacts(secretRotation, { secrets: ["old"] }, contextOf())).toMatchObject({
    missing: ["old"],
  });
  await expect(
    new SecretsManagerClient({}).send(
      new PutSecretValueCommand({ SecretId: "old", SecretString: "canary-3" }),
    ),
  ).rejects.toMatchObject({ name: "InvalidRequestException" });
});

test("an alarm is read as it was declared, and tells its topics when its state is set", async () => {
  const { account, told } = await open();
  const alarms = account.store.collection<object>("aws-cloudwatch-alarms");
  const topic = "arn:aws:sns:eu-central-1:123456789012:on-call";
  const declared = { namespace: "App", metricName: "Errors", alarmActions: [topic] };
  alarms.set("errors", { arn: "arn:errors", ...declared });
  alarms.set("off", { arn: "arn:off", ...declared, actionsEnabled: false });
  alarms.set("mute", { arn: "arn:mute", actionsEnabled: true });

  const target = { alarms: ["errors", "off", "mute", "gone"] };
  expect(await readFacts(cloudwatchAlarms, target, contextOf())).toEqual({
    alarms: {
      errors: { exists: true, actionsEnabled: true, hasAction: true, state: "INSUFFICIENT_DATA" },
      off: { exists: true, actionsEnabled: false, hasAction: true, state: "INSUFFICIENT_DATA" },
      mute: { exists: true, actionsEnabled: true, hasAction: false, state: "INSUFFICIENT_DATA" },
      gone: { exists: false, actionsEnabled: null, hasAction: null, state: null },
    },
    missing: ["gone"],
    silent: ["off", "mute"],
    inAlarm: [],
    insufficientData: ["errors", "off", "mute"],
  });

  const client = new CloudWatchClient({});
  const set = (AlarmName: string, StateValue: "ALARM" | "OK") =>
    client.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "a test" }));
  await set("errors", "ALARM");
  await set("errors", "ALARM");
  await set("off", "ALARM");
  await set("errors", "OK");
  expect(told.map(({ topic: to }) => to)).toEqual([topic]);
  expect(told[0]?.message).toMatchObject({
    AlarmName: "errors",
    OldStateValue: "INSUFFICIENT_DATA",
    NewStateValue: "ALARM",
    NewStateReason: "a test",
  });
  const { AlarmHistoryItems: items = [] } = await client.send(
    new DescribeAlarmHistoryCommand({ AlarmName: "errors", ScanBy: "TimestampDescending" }),
  );
  expect(items.map(({ HistorySummary }) => HistorySummary)).toEqual([
    "Alarm updated from ALARM to OK",
    `Successfully executed action ${topic}`,
    "Alarm updated from INSUFFICIENT_DATA to ALARM",
  ]);
  await expect(set("gone", "ALARM")).rejects.toMatchObject({ name: "ResourceNotFound" });
});

test("an alarm whose topic is gone says in its history that it told nobody", async () => {
  const place = await open();
  const { account } = place;
  const alarms = account.store.collection<object>("aws-cloudwatch-alarms");
  alarms.set("errors", { arn: "arn:errors", alarmActions: ["arn:aws:sns:x:1:gone"] });
  place.refuse(new ApiError("SNS: Publish", "NotFound", "Topic does not exist"));
  const client = new CloudWatchClient({});
  await client.send(
    new SetAlarmStateCommand({ AlarmName: "errors", StateValue: "ALARM", StateReason: "a test" }),
  );
  const { AlarmHistoryItems: items = [] } = await client.send(
    new DescribeAlarmHistoryCommand({ AlarmName: "errors", HistoryItemType: "Action" }),
  );
  expect(items.map(({ HistorySummary }) => HistorySummary)).toEqual([
    'Failed to execute action arn:aws:sns:x:1:gone. Received error: "Topic does not exist"',
  ]);
});

test("the program's own test of an alarm is told, once for a release", async () => {
  const { account, told } = await open();
  const topic = "arn:aws:sns:eu-central-1:123456789012:on-call";
  account.store
    .collection<object>("aws-cloudwatch-alarms")
    .set("errors", { arn: "arn:errors", alarmActions: [topic] });
  const type = testingAlarms({ betweenLooks: 10 });
  const inputs = { stack: "s", release: "v1.0.0", alarm: "errors", deadlineSeconds: 10 };
  const call = { ...quietCall, type: "cutover:index:TestAlarm" };
  const first = await type.create(inputs, call);
  expect(told.map(({ message }) => message["NewStateValue"])).toEqual(["ALARM"]);
  expect((await type.create(inputs, call)).outputs).toEqual(first.outputs);
  expect(told).toHaveLength(1);
  expect(await readFacts(cloudwatchAlarms, { alarms: ["errors"] }, contextOf())).toMatchObject({
    inAlarm: [],
  });
});

/** A call of the engine that nobody hears. */
const quietCall = {
  urn: "",
  name: "it",
  preview: false,
  signal: new AbortController().signal,
  timeoutSeconds: 0,
  log: () => undefined,
};

test("a list of alarms comes in pages", async () => {
  const { account } = await open();
  const alarms = account.store.collection<object>("aws-cloudwatch-alarms");
  for (const name of ["a", "b", "c"]) alarms.set(name, { arn: `arn:${name}` });
  const client = new CloudWatchClient({});
  const first = await client.send(new DescribeAlarmsCommand({ MaxRecords: 2 }));
  const second = await client.send(
    new DescribeAlarmsCommand({ MaxRecords: 2, NextToken: first.NextToken }),
  );
  expect(first.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["a", "b"]);
  expect(second.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["c"]);
  expect(second.NextToken).toBeUndefined();
});

test("a vault says its lock, and that no backup ran", async () => {
  const { account } = await open();
  const vaults = account.store.collection<object>("aws-backup-vaults");
  vaults.set("locked", { arn: "arn:locked", lock: { minRetentionDays: 7 } });
  vaults.set("open", { arn: "arn:open" });
  const read = (vault: string) => readFacts(backupRecoveryPoints, { vault }, contextOf());
  expect(await read("locked")).toEqual({
    vaultLocked: true,
    minRetentionDays: 7,
    count: 0,
    newest: null,
  });
  expect(await read("open")).toMatchObject({ vaultLocked: false, minRetentionDays: null });
  expect(
    (await failureOf(backupRecoveryPoints.read({ vault: "none" }, contextOf()))).message,
  ).toContain("there is no AWS Backup vault none");
  expect(await readFacts(backupRestoreJobs, { withinDays: 30 }, contextOf())).toEqual({
    newest: null,
    failuresSince: 0,
  });
});

test("a bucket's settings are what was declared", async () => {
  const { account } = await open();
  const buckets = account.store.collection<object>("aws-s3-buckets");
  buckets.set("kept", {
    arn: "arn:aws:s3:::kept",
    objectLockEnabled: true,
    settings: {
      versioning: { versioningConfiguration: { status: "Enabled" } },
      encryption: {
        rules: [
          {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" },
            bucketKeyEnabled: true,
          },
        ],
      },
      "public-access-block": {
        blockPublicAcls: true,
        ignorePublicAcls: true,
        blockPublicPolicy: true,
        restrictPublicBuckets: false,
      },
      lifecycle: {
        rules: [
          { id: "old", status: "Enabled", noncurrentVersionExpiration: { noncurrentDays: 30 } },
        ],
      },
      "object-lock": { rule: { defaultRetention: { mode: "COMPLIANCE", days: 30 } } },
      policy: {
        policy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:*",
              Resource: ["arn:aws:s3:::kept", "arn:aws:s3:::kept/*"],
              Condition: { Bool: { "aws:SecureTransport": "false" } },
            },
          ],
        }),
      },
      logging: { targetBucket: "log", targetPrefix: "kept/" },
      replication: {
        role: "arn:aws:iam::123456789012:role/copy",
        rules: [{ id: "all", status: "Enabled", destination: { bucket: "arn:aws:s3:::copy" } }],
      },
    },
  });
  buckets.set("bare", { arn: "arn:aws:s3:::bare", objectLockEnabled: false, settings: {} });

  expect(await readFacts(s3Bucket, { bucket: "kept" }, contextOf())).toEqual({
    versioning: "Enabled",
    mfaDelete: false,
    encryption: { algorithm: "aws:kms", bucketKey: true },
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: false,
    },
    lifecycle: { rules: 1, noncurrentDays: 30 },
    objectLock: { mode: "COMPLIANCE", days: 30 },
    replication: true,
    tlsOnly: true,
    logging: "log",
  });
  expect(await readFacts(s3Bucket, { bucket: "bare" }, contextOf())).toEqual({
    versioning: null,
    mfaDelete: false,
    encryption: { algorithm: "AES256", bucketKey: false },
    publicAccessBlock: null,
    lifecycle: null,
    objectLock: null,
    replication: false,
    tlsOnly: false,
    logging: null,
  });
  expect((await failureOf(s3Bucket.read({ bucket: "none" }, contextOf()))).message).toContain(
    "there is no S3 bucket none",
  );
});

test("what is not imitated is refused by its name, in the words of its protocol", async () => {
  await open();
  const cases = [
    [() => new RDSClient({ maxAttempts: 1 }).send(createInstance), "rds:CreateDBInstance"],
    [
      () => new RDSClient({ maxAttempts: 1 }).send(describeFiltered),
      "Filters of rds:DescribeDBInstances",
    ],
    [
      () => new S3Client({ maxAttempts: 1 }).send(createBucket),
      "The specified bucket does not exist",
    ],
    [() => new ECRClient({ maxAttempts: 1 }).send(describeImages), "the service ecr of AWS"],
  ] as const;
  for (const [ask, text] of cases) {
    await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining(text) as string });
  }
});

const createInstance = new CreateDBInstanceCommand({
  DBInstanceIdentifier: "x",
  DBInstanceClass: "db.t4g.small",
  Engine: "postgres",
});
const describeFiltered = new DescribeDBInstancesCommand({
  Filters: [{ Name: "engine", Values: ["postgres"] }],
});
const createBucket = new CreateBucketCommand({ Bucket: "new-bucket" });
const describeImages = new DescribeImagesCommand({ repositoryName: "x" });

test("a request that is not signed, or not whole, is refused", async () => {
  const { api } = await open();
  const unsigned = await fetch(`${api.url}/bucket/key`);
  expect([unsigned.status, await unsigned.text()]).toEqual([
    403,
    expect.stringContaining("<Code>MissingAuthenticationToken</Code>"),
  ]);
  const broken = await fetch(api.url, {
    method: "POST",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=x", "x-amz-target": "secretsmanager.X" },
  });
  expect([broken.status, await broken.json()]).toEqual([
    400,
    expect.objectContaining({ __type: "IncompleteSignature" }),
  ]);
});
