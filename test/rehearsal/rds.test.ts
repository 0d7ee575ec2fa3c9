import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyFolder } from "../../rehearsal/stand-ins/postgres.ts";
import {
  databaseInputs,
  databaseUrl,
  startTestCloud,
  temporaryFolder,
  type Made,
  type Subject,
  type TestCloud,
} from "./support.ts";

let folder: string;
let cloud: TestCloud;
let instances: Subject;
let snapshots: Subject;
let database: Made;

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder });
  instances = cloud.subject("aws:rds/instance:Instance");
  snapshots = cloud.subject("aws:rds/snapshot:Snapshot");
  database = await instances.create(databaseInputs("flagship"));
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

test("an instance is a real PostgreSQL with the outputs of one", async () => {
  const { network } = cloud.cloud;

  expect(database.outputs).toMatchObject({
    address: network.database,
    port: network.databasePort,
    endpoint: `${network.database}:${String(network.databasePort)}`,
    arn: "arn:aws:rds:us-east-1:123456789012:db:flagship",
    status: "available",
    resourceId: database.id,
  });
  expect(await query(databaseUrl(database), "SELECT current_user, current_database()")).toEqual([
    { current_user: "cutover", current_database: "flagship" },
  ]);
});

test("the master user has what RDS gives, and is not a superuser", async () => {
  const rights = await query(
    databaseUrl(database),
    `SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role('pg_signal_backend', 'member') AS signals,
       (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) AS owner
     FROM pg_roles WHERE rolname = current_user`,
  );

  expect(rights).toEqual([
    { rolsuper: false, rolcreatedb: true, rolcreaterole: true, signals: true, owner: "cutover" },
  ]);
});

test("the master user may freeze the database and end the sessions of others", async () => {
  const url = databaseUrl(database);
  await query(url, "CREATE ROLE app LOGIN PASSWORD 'app-password'");
  const other = new Client(url.replace("cutover:right-password", "app:app-password"));
  const ended = new Promise((resolve) => {
    other.on("error", resolve);
  });
  await other.connect();
  await query(url, "ALTER DATABASE flagship SET default_transaction_read_only = on");
  await query(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
  await ended;

  await expect(query(url, "CREATE TABLE frozen ()")).rejects.toMatchObject({ code: "25006" });
  await query(
    `${url}?options=-c%20default_transaction_read_only%3Doff`,
    "ALTER DATABASE flagship RESET default_transaction_read_only",
  );
});

test("a snapshot is restored with what was committed when it was taken, and nothing later", async () => {
  const url = databaseUrl(database);
  await query(url, "CREATE TABLE kept AS SELECT generate_series(1, 5000) AS n");
  const busy = new Client(url);
  await busy.connect();
  await busy.query("BEGIN; INSERT INTO kept VALUES (-1)");

  const snapshot = await snapshots.create({
    dbInstanceIdentifier: "flagship",
    dbSnapshotIdentifier: "flagship-before",
  });
  await busy.query("COMMIT");
  await busy.end();
  await query(url, "DROP TABLE kept");
  const restored = await instances.create(
    databaseInputs("flagship-restored", {
      snapshotIdentifier: "flagship-before",
      password: "other-password",
    }),
  );

  expect(snapshot.outputs).toMatchObject({ status: "available", engine: "postgres" });
  expect(restored.outputs["address"]).not.toBe(database.outputs["address"]);
  expect(
    await query(databaseUrl(restored, "other-password"), "SELECT count(*)::int, min(n) FROM kept"),
  ).toEqual([{ count: 5000, min: 1 }]);
  await instances.delete(restored);
  expect(await instances.exists(restored)).toBe(false);
  await snapshots.delete(snapshot);
});

test("a snapshot taken while somebody writes is whole", async () => {
  const url = databaseUrl(database);
  await query(url, "CREATE TABLE busy (n bigint PRIMARY KEY, filler text)");
  const writing = { stopped: false, last: 0 };
  const writes = (async () => {
    const client = new Client(url);
    await client.connect();
    while (!isStopped(writing)) {
      await client.query("INSERT INTO busy VALUES ($1, repeat('x', 2000))", [writing.last + 1]);
      writing.last += 1;
    }
    await client.end();
  })();
  const before = writing.last;
  const snapshot = await snapshots.create({
    dbInstanceIdentifier: "flagship",
    dbSnapshotIdentifier: "while-busy",
  });
  // Without the label recovery would start too late, and only sometimes go wrong.
  const copy = copyFolder(join(folder, "rds-snapshots", "while-busy"));
  expect(await readFile(join(copy, "backup_label"), "utf8")).toContain("START WAL LOCATION");
  writing.stopped = true;
  await writes;
  const restored = await instances.create(
    databaseInputs("busy", { snapshotIdentifier: "while-busy" }),
  );
  const [row] = await query(
    databaseUrl(restored),
    "SELECT count(*)::int AS count, coalesce(max(n), 0)::int AS max FROM busy",
  );
  await instances.delete(restored);
  await snapshots.delete(snapshot);

  expect(row?.["count"]).toBe(row?.["max"]);
  expect(row?.["max"]).toBeGreaterThanOrEqual(before);
  expect(row?.["max"]).toBeLessThanOrEqual(writing.last);
});

test("a new password is one at the database", async () => {
  const news = databaseInputs("flagship", { password: "other-password" });
  expect(await instances.diff(database, news)).toEqual({
    changes: ["password"],
    replaces: [],
    deleteFirst: false,
  });
  const changed = await instances.update(database, news);

  expect(await query(databaseUrl(changed, "other-password"), "SELECT 1 AS one")).toEqual([
    { one: 1 },
  ]);
  await expect(query(databaseUrl(changed), "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  expect(changed.outputs["endpoint"]).toBe(database.outputs["endpoint"]);
  database = await instances.update(changed, databaseInputs("flagship"));
});

test.each([
  ["identifier", { identifier: "other" }, false],
  ["storageEncrypted", { storageEncrypted: true }, true],
  ["username", { username: "other" }, true],
  ["snapshotIdentifier", { snapshotIdentifier: "before" }, true],
])("another %s needs a new instance", async (name, change, deleteFirst) => {
  expect(await instances.diff(database, databaseInputs("flagship", change))).toEqual({
    changes: [name],
    replaces: [name],
    deleteFirst,
  });
});

test.each([
  ["a taken name", {}, /DBInstanceAlreadyExists: DB instance already exists/],
  [
    "too long a retention",
    { backupRetentionPeriod: 36 },
    /InvalidParameterValue: Invalid backup retention period: 36/,
  ],
  [
    "a password that RDS does not take",
    { password: "with/slash" },
    /MasterUserPassword is not a valid password/,
  ],
  [
    "a snapshot that is not there",
    { snapshotIdentifier: "none" },
    /DBSnapshotNotFound: DBSnapshot not found: none/,
  ],
  [
    "a key that is not there",
    { storageEncrypted: true, kmsKeyId: "arn:aws:kms:us-east-1:123456789012:key/none" },
    /KMSKeyNotAccessibleFault/,
  ],
  [
    "a parameter group that is not there",
    { parameterGroupName: "none" },
    /DBParameterGroupNotFound/,
  ],
  ["too little storage", { allocatedStorage: 5 }, /Invalid storage size/],
  ["no password", { password: undefined }, /"password": required field is not set/],
])("%s is refused when the instance is made", async (what, change, message) => {
  const identifier = what === "a taken name" ? "flagship" : "refused";
  const inputs = Object.fromEntries(
    Object.entries(databaseInputs(identifier, change)).filter(([, value]) => value !== undefined),
  );

  expect(await instances.check(inputs)).toEqual({});
  const refusal = await instances.refusal(inputs);
  expect(refusal).toMatch(message);
  expect(refusal).not.toContain("with/slash");
});

test.each([
  ["a missing class", { instanceClass: undefined }, "instanceClass", /Missing required argument/],
  ["another engine", { engine: "mysql" }, "engine", /the rehearsal only has postgres/],
  ["a bad name", { identifier: "Two--hyphens" }, "identifier", /must begin with a letter/],
  ["a wrong type", { allocatedStorage: "20" }, "allocatedStorage", /expected number/],
  [
    "what is not imitated",
    { replicateSourceDb: "x" },
    "replicateSourceDb",
    /the rehearsal does not imitate this property of aws:rds\/instance:Instance/,
  ],
])("%s is refused before anything is made", async (_, change, property, reason) => {
  const inputs = Object.fromEntries(
    Object.entries(databaseInputs("checked", change)).filter(([, value]) => value !== undefined),
  );

  expect(await instances.check(inputs)).toEqual({
    [property]: expect.stringMatching(reason) as unknown,
  });
});

test("a protected instance stays until its protection is taken away", async () => {
  const guarded = await instances.update(
    database,
    databaseInputs("flagship", { deletionProtection: true }),
  );
  await expect(instances.delete(guarded)).rejects.toThrow(
    "Cannot delete protected DB Instance, please disable deletion protection and try again.",
  );
  // What the cloud knows counts, not what the engine believes.
  await expect(instances.delete(database)).rejects.toThrow("Cannot delete protected DB Instance");

  expect(await instances.exists(database)).toBe(true);
  database = await instances.update(guarded, databaseInputs("flagship"));
});

test("an instance that must leave a final snapshot leaves one", async () => {
  const url = databaseUrl(database);
  await query(url, "CREATE TABLE farewell AS SELECT 'kept' AS word");
  const unnamed = { ...database, inputs: databaseInputs("flagship", { skipFinalSnapshot: false }) };
  await expect(instances.delete(unnamed)).rejects.toThrow(
    "final_snapshot_identifier is required when skip_final_snapshot is false",
  );
  const named = databaseInputs("flagship", {
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: "flagship-final",
  });
  await instances.delete({ ...database, inputs: named });
  database = await instances.create(
    databaseInputs("flagship", { snapshotIdentifier: "flagship-final" }),
  );

  expect(await query(databaseUrl(database), "SELECT word FROM farewell")).toEqual([
    { word: "kept" },
  ]);
});

test("a snapshot of nothing, and one under a taken name, are refused", async () => {
  expect(
    await snapshots.refusal({ dbInstanceIdentifier: "none", dbSnapshotIdentifier: "s" }),
  ).toMatch(/DBInstanceNotFound: DBInstance none not found/);
  expect(
    await snapshots.refusal({
      dbInstanceIdentifier: "flagship",
      dbSnapshotIdentifier: "flagship-final",
    }),
  ).toMatch(/DBSnapshotAlreadyExists/);
});

test("a server that cannot start says why, and nothing of it is left", async () => {
  const { network } = cloud.cloud;
  const next = `${network.block}.51`;
  const sockets: Socket[] = [];
  const other = createServer((socket) => sockets.push(socket)).listen(network.databasePort, next);
  await once(other, "listening");
  const refusal = await instances.refusal(databaseInputs("blocked"));
  for (const socket of sockets) socket.destroy();
  other.close();
  await once(other, "close");

  expect(refusal).toContain(`could not bind IPv4 address "${next}"`);
  await instances.delete(await instances.create(databaseInputs("blocked")));
});

test("a preview makes nothing and passes on what is not known yet", async () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const inputs = databaseInputs("previewed", { storageEncrypted: true, kmsKeyId: unknown });

  expect(await instances.check(inputs)).toEqual({});
  expect(await instances.check({ ...inputs, unheardOf: 1 })).toHaveProperty("unheardOf");
  expect(await instances.preview(inputs)).toMatchObject({ kmsKeyId: unknown });
  expect(await instances.exists({ id: "", inputs, outputs: {} })).toBe(false);
});

function isStopped({ stopped }: { readonly stopped: boolean }): boolean {
  return stopped;
}
