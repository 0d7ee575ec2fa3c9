import {
  CreateDBInstanceCommand,
  RDSClient,
  type CreateDBInstanceCommandInput,
} from "@aws-sdk/client-rds";
import { afterAll, beforeEach, expect, test } from "vitest";
import { rdsInstance } from "../../../../infra/readings/aws/rds-instance.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

async function create(
  identifier: string,
  more: Partial<CreateDBInstanceCommandInput>,
): Promise<void> {
  const client = new RDSClient();
  const command = new CreateDBInstanceCommand({
    DBInstanceIdentifier: identifier,
    DBInstanceClass: "db.t4g.micro",
    Engine: "postgres",
    EngineVersion: "17.2",
    AllocatedStorage: 20,
    MasterUsername: "owner",
    MasterUserPassword: "canary-password",
    ...more,
  });
  await client.send(command);
  client.destroy();
}

function read(identifier: string): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(rdsInstance, { identifier }, contextOf());
}

/** An answer of the Query protocol. */
function described(instance: string): string {
  return `<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
    <DescribeDBInstancesResult><DBInstances>
      <DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier>${instance}</DBInstance>
    </DBInstances></DescribeDBInstancesResult>
    <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
  </DescribeDBInstancesResponse>`;
}

test("an instance that keeps its data well", async () => {
  await create("good", {
    StorageEncrypted: true,
    KmsKeyId: "arn:aws:kms:eu-central-1:123456789012:key/1234abcd",
    BackupRetentionPeriod: 14,
    MultiAZ: true,
    DeletionProtection: true,
    PubliclyAccessible: false,
    StorageType: "gp3",
  });
  const value = await read("good");
  expect(value).toEqual({
    encrypted: true,
    kmsKey: "1234abcd",
    backupRetentionDays: 14,
    latestRestorableTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    multiAz: true,
    deletionProtection: true,
    publiclyAccessible: false,
    status: "available",
    engine: "postgres",
    engineVersion: "17.2",
    storageType: "gp3",
    pendingModifiedValues: [],
  });
  expect(JSON.stringify(value)).not.toMatch(/canary|123456789012/);
});

test("an instance that does not", async () => {
  await create("bad", { BackupRetentionPeriod: 0, PubliclyAccessible: true });
  expect(await read("bad")).toMatchObject({
    encrypted: false,
    kmsKey: null,
    backupRetentionDays: 0,
    multiAz: false,
    deletionProtection: false,
    publiclyAccessible: true,
  });
});

test("an instance that does not exist", async () => {
  const { message, again } = await failureOf(read("none"));
  expect(message).toBe("there is no RDS instance none in eu-central-1");
  expect(again).toBe(false);
});

test("the region of the reading goes before that of the environment", async () => {
  await create("here", {});
  const there = readFacts(rdsInstance, { identifier: "here", region: "us-west-2" }, contextOf());
  expect((await failureOf(there)).message).toBe("there is no RDS instance here in us-west-2");
});

test("modifications that wait are told by their names", async () => {
  await answerAws(() =>
    described(`<PendingModifiedValues>
      <MasterUserPassword>canary-password</MasterUserPassword>
      <EngineVersion>17.4</EngineVersion><MultiAZ>false</MultiAZ>
      <ProcessorFeatures/><PendingCloudwatchLogsExports/>
    </PendingModifiedValues>`),
  );
  expect((await read("orders"))["pendingModifiedValues"]).toEqual([
    "EngineVersion",
    "MasterUserPassword",
    "MultiAZ",
  ]);
});

test("what AWS leaves out is null", async () => {
  await answerAws(() => described(""));
  expect(await read("orders")).toEqual({
    encrypted: null,
    kmsKey: null,
    backupRetentionDays: null,
    latestRestorableTime: null,
    multiAz: null,
    deletionProtection: null,
    publiclyAccessible: null,
    status: null,
    engine: null,
    engineVersion: null,
    storageType: null,
    pendingModifiedValues: [],
  });
});

test.each(["NaN", "-1", "Infinity"])("a retention of %j days is none", async (days) => {
  await answerAws(() => described(`<BackupRetentionPeriod>${days}</BackupRetentionPeriod>`));
  expect(await read("orders")).toMatchObject({ backupRetentionDays: null });
});

test("an answer without an instance is none", async () => {
  await answerAws(() => "");
  expect((await failureOf(read("orders"))).message).toContain("there is no RDS instance orders");
});

test.each([
  ["", false],
  ["1st", false],
  ["a".repeat(64), false],
  ["a".repeat(63), true],
  ["orders-production", true],
])("the identifier %j", (identifier, valid) => {
  expect(rdsInstance.target.safeParse({ identifier }).success).toBe(valid);
});

test.each(["eu-central-1", "us-gov-west-1", "eusc-de-east-1"])("the region %s", (region) => {
  expect(rdsInstance.target.safeParse({ identifier: "a", region }).success).toBe(true);
});

test.each(["eu-central", "eu-central-1.example.com", "EU-CENTRAL-1", ""])(
  "%j is no region",
  (region) => {
    expect(rdsInstance.target.safeParse({ identifier: "a", region }).success).toBe(false);
  },
);
