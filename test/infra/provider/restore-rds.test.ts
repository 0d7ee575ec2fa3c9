import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  RDSClient,
} from "@aws-sdk/client-rds";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { nameOfCopy } from "../../../infra/provider/restore-rds.ts";
import { restoreTest } from "../../../infra/provider/restore-test.ts";
import { restoreTestType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, secret, serveTypes, type Wire } from "../../support/engine.ts";
import { startMoto, type Moto } from "../../support/moto.ts";
import { startPostgres, type TestConnection, type TestPostgres } from "../../support/postgres.ts";
import { startRdsServer, type RdsServer } from "./rds-server.ts";

const target = { type: restoreTestType, name: "restore-test" };
let moto: Moto;
let postgres: TestPostgres;
let connection: TestConnection;
let rds: RdsServer;
let client: RDSClient;
let instances = 0;
let identifier = "";

beforeAll(async () => {
  [moto, postgres] = await Promise.all([startMoto(), startPostgres()]);
  connection = await postgres.createDatabase();
  await postgres.query(connection, "CREATE TABLE orders (id bigint)");
  await postgres.query(connection, "INSERT INTO orders VALUES (1), (2)");
  client = new RDSClient({
    endpoint: moto.endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "made-up-secret-key" },
  });
}, 120_000);

afterAll(async () => {
  client.destroy();
  await Promise.all([moto.close(), postgres.stop()]);
});

beforeEach(async () => {
  rds = await startRdsServer(moto.endpoint, connection.port);
  for (const [name, value] of Object.entries(moto.environment)) vi.stubEnv(name, value);
  vi.stubEnv("AWS_ENDPOINT_URL", rds.endpoint);
  instances += 1;
  identifier = `flagship-${String(instances)}`;
  return async () => {
    vi.unstubAllEnvs();
    await rds.close();
  };
});

/** RDS takes a snapshot of every new instance. */
async function createInstance(name: string, tags: readonly string[] = []): Promise<void> {
  await client.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: name,
      Engine: "postgres",
      DBInstanceClass: "db.m7g.large",
      AllocatedStorage: 20,
      MasterUsername: "cutover",
      MasterUserPassword: "right-password",
      DeletionProtection: false,
      Tags: tags.map((Key) => ({ Key, Value: "flagship/production" })),
    }),
  );
}

async function takeSnapshot(name: string): Promise<void> {
  const ids = { DBInstanceIdentifier: identifier, DBSnapshotIdentifier: name };
  await client.send(new CreateDBSnapshotCommand(ids));
}

async function names(): Promise<string[]> {
  const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({}));
  return DBInstances.map(({ DBInstanceIdentifier = "" }) => DBInstanceIdentifier);
}

function inputs(more: Wire = {}): Wire {
  return {
    stack: "flagship/production",
    due: "v1.1.0",
    // Where production is reached is not where the copy is.
    connection: {
      ...connection,
      host: "192.0.2.1",
      port: 1,
      password: secret(connection.password),
    },
    source: { kind: "rds", identifier },
    queries: { orders: "SELECT count(*) = 2 FROM orders" },
    ...more,
  };
}

function serve() {
  return serveTypes({ [restoreTestType]: restoreTest });
}

function askedFor(action: string): URLSearchParams[] {
  return rds.asked.flatMap((each) => (each.action === action ? [each.given] : []));
}

describe("a restore test of a snapshot", () => {
  test("restores the newest, asks the copy and deletes it", async () => {
    await createInstance(identifier);
    await takeSnapshot(`${identifier}-old`);
    await takeSnapshot(`${identifier}-new`);
    const { id, outputs } = await (await serve()).create(target, inputs());
    expect(id).toBe("flagship/production:restore-test");
    expect(outputs).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      recoveryPoint: `${identifier}-new`,
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      seconds: expect.any(Number) as number,
      results: { orders: true },
    });
    expect(await names()).not.toContain(`${identifier}-restore-test`);
    expect(await names()).toContain(identifier);
    const [restored] = askedFor("RestoreDBInstanceFromDBSnapshot");
    expect(Object.fromEntries(restored ?? [])).toMatchObject({
      DBInstanceIdentifier: `${identifier}-restore-test`,
      DBSnapshotIdentifier: `${identifier}-new`,
      DBInstanceClass: "db.m7g.large",
      PubliclyAccessible: "false",
      DeletionProtection: "false",
      MultiAZ: "false",
      "Tags.Tag.1.Key": "cutover:restore-test",
      "Tags.Tag.1.Value": "flagship/production",
    });
    const [deleted] = askedFor("DeleteDBInstance");
    expect(Object.fromEntries(deleted ?? [])).toMatchObject({
      DBInstanceIdentifier: `${identifier}-restore-test`,
      SkipFinalSnapshot: "true",
    });
    expect(askedFor("ModifyDBInstance")).toEqual([]);
  });

  test("takes a first snapshot where there is none, and keeps it", async () => {
    await createInstance(identifier);
    rds.hidesAutomated = true;
    const { outputs } = await (await serve()).create(target, inputs());
    const name = `${identifier}-restore-test-v1-1-0`;
    expect(outputs["recoveryPoint"]).toBe(name);
    const { DBSnapshots = [] } = await client.send(
      new DescribeDBSnapshotsCommand({ DBInstanceIdentifier: identifier, SnapshotType: "manual" }),
    );
    expect(DBSnapshots.map((each) => each.DBSnapshotIdentifier)).toEqual([name]);
  });

  test("counts automated snapshots as well", async () => {
    await createInstance(identifier);
    const { outputs } = await (await serve()).create(target, inputs());
    expect(outputs["recoveryPoint"]).toMatch(new RegExp(`^rds:${identifier}-`));
  });

  test("deletes the copy after a query that was not answered as required", async () => {
    await createInstance(identifier);
    const queries = { orders: "SELECT count(*) > 2 FROM orders", text: "SELECT 't'::text" };
    const { message } = await failureOf((await serve()).create(target, inputs({ queries })));
    expect(message).toContain("queries.orders\n    found:    false");
    expect(message).toContain("queries.text\n    found:    t");
    expect(await names()).not.toContain(`${identifier}-restore-test`);
  });

  test("gives the copy a password of its own where production's was changed since", async () => {
    await createInstance(identifier);
    const changed = { ...connection, password: secret("changed-since"), host: "192.0.2.1" };
    const engine = await serve();
    const made = engine.create(target, inputs({ connection: changed }));
    await eventually(() => {
      expect(askedFor("ModifyDBInstance")).toHaveLength(1);
    });
    // What RDS does a moment later.
    const password = askedFor("ModifyDBInstance")[0]?.get("MasterUserPassword") ?? "";
    expect(password).toMatch(/^[\w-]{32}$/);
    const role = connection.user;
    await postgres.query(postgres.superuser, `ALTER ROLE ${role} PASSWORD '${password}'`);
    const { outputs } = await made;
    await postgres.query(
      postgres.superuser,
      `ALTER ROLE ${role} PASSWORD '${connection.password}'`,
    );
    expect(outputs["results"]).toEqual({ orders: true });
    expect(JSON.stringify(outputs)).not.toContain(password);
  });

  test("removes what a killed run left first", async () => {
    await createInstance(identifier);
    await createInstance(`${identifier}-restore-test`, ["cutover:restore-test"]);
    const { outputs } = await (await serve()).create(target, inputs());
    expect(outputs["results"]).toEqual({ orders: true });
    expect(askedFor("DeleteDBInstance")).toHaveLength(2);
  });

  test("never deletes an instance that no restore test made", async () => {
    await createInstance(identifier);
    await createInstance(`${identifier}-restore-test`);
    const { message } = await failureOf((await serve()).create(target, inputs()));
    expect(message).toContain("that no restore test made");
    expect(askedFor("DeleteDBInstance")).toEqual([]);
    expect(await names()).toContain(`${identifier}-restore-test`);
  });

  test("asks again for a deletion that RDS is too busy for", async () => {
    await createInstance(identifier);
    rds.refuse("DeleteDBInstance", "InvalidDBInstanceState", 2);
    await (await serve()).create(target, inputs());
    expect(askedFor("DeleteDBInstance")).toHaveLength(3);
    expect(await names()).not.toContain(`${identifier}-restore-test`);
  });

  test("gives up on a copy that will never be available, and deletes it", async () => {
    await createInstance(identifier);
    rds.status = "incompatible-restore";
    const { message } = await failureOf((await serve()).create(target, inputs()));
    expect(message).toContain("came to nothing: its state is incompatible-restore");
    expect(await names()).not.toContain(`${identifier}-restore-test`);
  });

  test("that is not done in time says so, and deletes the copy", async () => {
    await createInstance(identifier);
    rds.status = "creating";
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputs({ deadlineSeconds: 2 })));
    expect(message).toContain("the restore test was not done within 2 s");
    expect(await names()).not.toContain(`${identifier}-restore-test`);
  });

  test("deletes the copy when the run is stopped", async () => {
    await createInstance(identifier);
    const engine = await serve();
    const queries = { slow: "SELECT pg_sleep(60) IS NOT NULL" };
    const failed = failureOf(engine.create(target, inputs({ queries })));
    await eventually(async () => {
      expect(await names()).toContain(`${identifier}-restore-test`);
    });
    await engine.cancel();
    await failed;
    await eventually(async () => {
      expect(await names()).not.toContain(`${identifier}-restore-test`);
    });
  });

  test("of an instance that does not exist says so", async () => {
    const { message } = await failureOf((await serve()).create(target, inputs()));
    expect(message).toContain(`there is no RDS instance ${identifier}`);
  });

  test("without the right to restore says which right is missing", async () => {
    await createInstance(identifier);
    rds.refuse("RestoreDBInstanceFromDBSnapshot", "AccessDenied", 1);
    const { message } = await failureOf((await serve()).create(target, inputs()));
    expect(message).toContain("rds:RestoreDBInstanceFromDBSnapshot failed: AccessDenied");
    expect(message).not.toMatch(/\n\s+at /);
  });
});

test.each([
  ["flagship", "flagship-restore-test"],
  ["a".repeat(50), `${"a".repeat(50)}-restore-test`],
  ["a".repeat(63), `${"a".repeat(50)}-restore-test`],
  [`${"a".repeat(49)}-bc`, `${"a".repeat(49)}-restore-test`],
])("the copy of %s has a name that RDS takes", (of, name) => {
  expect(nameOfCopy(of)).toBe(name);
  expect(name.length).toBeLessThanOrEqual(63);
});
