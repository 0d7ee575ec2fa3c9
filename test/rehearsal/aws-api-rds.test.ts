import { rm } from "node:fs/promises";
import {
  AddTagsToResourceCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
} from "@aws-sdk/client-rds";
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { withRdsCopy } from "../../infra/provider/restore-rds.ts";
import { rdsInstance } from "../../infra/readings/aws/rds-instance.ts";
import { rdsSnapshot } from "../../infra/readings/aws/rds-snapshot.ts";
import { startAwsApi, type AwsApi } from "../../rehearsal/stand-ins/aws-api/aws-api.ts";
import { openAws } from "../../rehearsal/stand-ins/aws.ts";
import { claimNetwork } from "../../rehearsal/stand-ins/network.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { makeHome } from "../../rehearsal/workspace.ts";
import { contextOf, failureOf, readFacts } from "../infra/readings/context.ts";
import { databaseInputs, until } from "./support.ts";

let api: AwsApi;
let address: string;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const folder = await makeHome("aws-api-rds-");
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const store = openStore(folder);
  const claim = await claimNetwork(store);
  ends.push(() => claim.release());
  const account = { store, network: claim.network, clockScale: 1000, region: "eu-central-1" };
  const aws = await openAws(account);
  ends.push(async () => aws.onShutdown?.());
  api = await startAwsApi({ account, aws, address: claim.network.dns, region: "eu-central-1" });
  ends.push(() => api.close());
  for (const [name, value] of Object.entries(api.env)) vi.stubEnv(name, value);

  const instance = aws.types["aws:rds/instance:Instance"];
  const inputs = databaseInputs("orders", {
    backupRetentionPeriod: 7,
    deletionProtection: true,
    storageEncrypted: true,
    storageType: "gp3",
    multiAz: true,
  });
  const made = await instance?.create(inputs, {
    urn: "",
    name: "orders",
    type: "aws:rds/instance:Instance",
    preview: false,
    signal: new AbortController().signal,
    timeoutSeconds: 0,
    log: () => undefined,
  });
  address = String(made?.outputs["endpoint"]);
  await query(address, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)");
}, 60_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  for (const end of ends.toReversed()) await end();
});

async function query(endpoint: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(`postgres://cutover:right-password@${endpoint}/flagship`);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

const rds = (): RDSClient => new RDSClient({ maxAttempts: 1 });

test("an instance is read as the stack declared it", async () => {
  expect(await readFacts(rdsInstance, { identifier: "orders" }, contextOf())).toMatchObject({
    encrypted: true,
    backupRetentionDays: 7,
    latestRestorableTime: expect.any(String) as string,
    multiAz: true,
    deletionProtection: true,
    publiclyAccessible: false,
    status: "available",
    engine: "postgres",
    engineVersion: "18.1",
    storageType: "gp3",
    pendingModifiedValues: [],
  });
  const failure = await failureOf(rdsInstance.read({ identifier: "none" }, contextOf()));
  expect(failure.message).toContain("there is no RDS instance none");
});

test("a night takes an automated snapshot, which is no manual one", async () => {
  const read = (type?: "manual" | "automated") =>
    readFacts(rdsSnapshot, { identifier: "orders", type }, contextOf());
  expect(await read("automated")).toMatchObject({ exists: false, count: 0 });
  const [name] = await api.backUp();
  expect(name).toMatch(/^rds:orders-\d{4}-\d\d-\d\d-/);
  const snapshot = { exists: true, id: name, status: "available", type: "automated", count: 1 };
  expect(await read("automated")).toMatchObject({ ...snapshot, encrypted: true });
  expect(await read("manual")).toMatchObject({ exists: false });
});

test("a snapshot takes its time, is restored with its data, and what was restored is removed", async () => {
  const client = rds();
  const taken = await client.send(
    new CreateDBSnapshotCommand({
      DBInstanceIdentifier: "orders",
      DBSnapshotIdentifier: "before",
      Tags: [{ Key: "release", Value: "v1.0.0" }],
    }),
  );
  expect(taken.DBSnapshot?.Status).toBe("creating");
  const snapshotOf = async () => {
    const { DBSnapshots = [] } = await client.send(
      new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: "before" }),
    );
    return DBSnapshots[0];
  };
  await until("the snapshot is there", async () => (await snapshotOf())?.Status === "available");
  expect((await snapshotOf())?.TagList).toEqual([{ Key: "release", Value: "v1.0.0" }]);
  await expect(
    client.send(
      new CreateDBSnapshotCommand({
        DBInstanceIdentifier: "orders",
        DBSnapshotIdentifier: "before",
      }),
    ),
  ).rejects.toMatchObject({ name: "DBSnapshotAlreadyExistsFault" });
  await query(address, "DELETE FROM orders");

  const restored = await client.send(
    new RestoreDBInstanceFromDBSnapshotCommand({
      DBInstanceIdentifier: "orders-test",
      DBSnapshotIdentifier: "before",
      PubliclyAccessible: false,
      Tags: [{ Key: "purpose", Value: "restore-test" }],
    }),
  );
  expect(restored.DBInstance?.DBInstanceStatus).toBe("creating");
  const instanceOf = async () => {
    const { DBInstances = [] } = await client.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: "orders-test" }),
    );
    return DBInstances[0];
  };
  await until("it is restored", async () => (await instanceOf())?.DBInstanceStatus === "available");
  const found = await instanceOf();
  expect(found).toMatchObject({ StorageEncrypted: true, DeletionProtection: false });
  await client.send(
    new AddTagsToResourceCommand({
      ResourceName: found?.DBInstanceArn,
      Tags: [{ Key: "seen", Value: "yes" }],
    }),
  );
  expect((await instanceOf())?.TagList).toEqual([
    { Key: "purpose", Value: "restore-test" },
    { Key: "seen", Value: "yes" },
  ]);
  const endpoint = `${found?.Endpoint?.Address ?? ""}:${String(found?.Endpoint?.Port)}`;
  expect((await query(endpoint, "SELECT count(*)::int FROM orders")).rows).toEqual([{ count: 2 }]);

  await client.send(
    new DeleteDBInstanceCommand({ DBInstanceIdentifier: "orders-test", SkipFinalSnapshot: true }),
  );
  await expect(instanceOf()).rejects.toMatchObject({ name: "DBInstanceNotFoundFault" });
}, 60_000);

test("a new master password counts at once, and nothing else changes", async () => {
  const client = rds();
  const name = { DBInstanceIdentifier: "orders" };
  await client.send(
    new ModifyDBInstanceCommand({
      ...name,
      MasterUserPassword: "another-password",
      ApplyImmediately: true,
    }),
  );
  await expect(query(address, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  await client.send(
    new ModifyDBInstanceCommand({
      ...name,
      MasterUserPassword: "right-password",
      ApplyImmediately: true,
    }),
  );
  expect((await query(address, "SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  const { DBInstances } = await client.send(new DescribeDBInstancesCommand(name));
  expect(DBInstances?.[0]).toMatchObject({ DeletionProtection: true, BackupRetentionPeriod: 7 });
});

test("the program's own restore test asks a copy, and removes it", async () => {
  const [host = "", port = ""] = address.split(":");
  const connection = {
    host,
    port: Number(port),
    database: "flagship",
    user: "cutover",
    password: "right-password",
  };
  const run = {
    stack: "s",
    due: "2026-11-21",
    signal: new AbortController().signal,
    log: () => undefined,
  };
  await query(address, "DELETE FROM orders; INSERT INTO orders VALUES (7)");
  await api.backUp();
  const asked = await withRdsCopy({ identifier: "orders" }, connection, run, async (copy) => ({
    from: copy.recoveryPoint,
    holds: await copy.ask("SELECT count(*) = 1 FROM orders WHERE id = 7"),
  }));
  expect(asked.from).toMatch(/^rds:orders-/);
  expect(JSON.stringify(asked.holds)).toContain("true");
  await expect(
    rds().send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: "orders-restore-test" })),
  ).rejects.toMatchObject({ name: "DBInstanceNotFoundFault" });
}, 60_000);

test("a protected instance is not deleted, and one that is not there is not restored", async () => {
  const client = rds();
  await expect(
    client.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: "orders", SkipFinalSnapshot: true }),
    ),
  ).rejects.toMatchObject({ name: "InvalidParameterCombination" });
  await expect(
    client.send(
      new RestoreDBInstanceFromDBSnapshotCommand({
        DBInstanceIdentifier: "x",
        DBSnapshotIdentifier: "none",
        DBInstanceClass: "db.t4g.small",
      }),
    ),
  ).rejects.toMatchObject({ name: "DBSnapshotNotFoundFault" });
});
