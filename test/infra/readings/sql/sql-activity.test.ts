import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { sqlActivity } from "../../../../infra/readings/sql/sql-activity.ts";
import { eventually } from "../../../support/eventually.ts";
import {
  startPostgres,
  type TestConnection,
  type TestPostgres,
} from "../../../support/postgres.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

function read(database: TestConnection, target: object = {}) {
  return readFacts(sqlActivity, sqlActivity.target.parse(target), contextOf({ database }));
}

/** Opens a session that ends with the test. */
async function open(connection: TestConnection) {
  const session = await postgres.open(connection);
  onTestFinished(() => session.end());
  return session;
}

const quiet = {
  longTransactions: 0,
  oldestTransactionSeconds: 0,
  idleInTransaction: 0,
  waitingLocks: 0,
  activeDdl: 0,
  replicas: 0,
  replicationLagSeconds: null,
  readOnly: false,
};

test("a quiet database has nothing going on", async () => {
  const database = await postgres.createDatabase();
  const facts = await read(database);
  expect(facts).toMatchObject(quiet);
  expect(facts["maxConnections"]).toBeGreaterThan(10);
  expect(Object.keys(facts).sort()).toEqual(
    [...Object.keys(quiet), "connections", "maxConnections"].sort(),
  );
});

test("sessions of this project are left out, others are counted, in whatever database they are", async () => {
  const database = await postgres.createDatabase();
  const ours = new pg.Client({ ...database, application_name: "cutover migration" });
  await ours.connect();
  onTestFinished(() => ours.end());
  await ours.query("BEGIN");
  await ours.query("CREATE TABLE made (n int)");
  const elsewhere = await open(await postgres.createDatabase());
  await elsewhere.query("BEGIN");
  // Sessions of tests before this one may still be going.
  await eventually(async () => {
    const facts = await read(database);
    expect(facts).toMatchObject(quiet);
    expect(facts["connections"]).toBe(1);
  });
});

describe("transactions", () => {
  test("one that is open for longer than asked is long", async () => {
    const database = await postgres.createDatabase();
    const session = await open(database);
    await session.query("BEGIN");
    await session.query("SELECT 1");
    await eventually(async () => {
      expect(await read(database, { longSeconds: 0.2 })).toMatchObject({
        longTransactions: 1,
        idleInTransaction: 1,
      });
    });
    const facts = await read(database, { longSeconds: 3600 });
    expect(facts).toMatchObject({ longTransactions: 0, idleInTransaction: 1 });
    expect(facts["oldestTransactionSeconds"]).toBeGreaterThan(0.2);
    await session.query("COMMIT");
    expect(await read(database)).toMatchObject(quiet);
  });

  test("one that failed is idle in transaction", async () => {
    const database = await postgres.createDatabase();
    const session = await open(database);
    await session.query("BEGIN");
    await session.query("SELECT 1 / 0").catch(() => undefined);
    expect(await read(database)).toMatchObject({ idleInTransaction: 1 });
  });

  test("a prepared one counts, though no session has it, and holds its tables", async () => {
    const database = await postgres.createDatabase();
    await postgres.query(database, "CREATE TABLE orders (n int)");
    const session = await open(database);
    await session.query("BEGIN");
    await session.query("ALTER TABLE orders ADD m int");
    await session.query("PREPARE TRANSACTION 'left behind'");
    await session.end();
    await eventually(async () => {
      expect(await read(database, { longSeconds: 0.01 })).toMatchObject({
        longTransactions: 1,
        activeDdl: 1,
      });
    });
    await postgres.query(database, "ROLLBACK PREPARED 'left behind'");
    expect(await read(database)).toMatchObject(quiet);
  });
});

describe("locks and DDL", () => {
  test("a session that waits is counted, and the one that holds a table is DDL", async () => {
    const database = await postgres.createDatabase();
    await postgres.query(database, "CREATE TABLE orders (n int)");
    const holder = await open(database);
    await holder.query("BEGIN");
    await holder.query("LOCK TABLE orders");
    const waiter = await open(database);
    const waiting = waiter.query("SELECT count(*) FROM orders");
    await eventually(async () => {
      expect(await read(database)).toMatchObject({ waitingLocks: 1, activeDdl: 1 });
    });
    await holder.query("COMMIT");
    await waiting;
    expect(await read(database)).toMatchObject(quiet);
  });

  test("a session that waits for a row is counted, and nobody runs DDL", async () => {
    const database = await postgres.createDatabase();
    await postgres.query(database, "CREATE TABLE orders AS SELECT 1 AS n");
    const holder = await open(database);
    await holder.query("BEGIN");
    await holder.query("UPDATE orders SET n = 2");
    const waiter = await open(database);
    // Which holds the row itself meanwhile, in the mode that DDL holds a table in.
    const waiting = waiter.query("DELETE FROM orders");
    await eventually(async () => {
      expect(await read(database)).toMatchObject({ waitingLocks: 1, activeDdl: 0 });
    });
    await holder.query("COMMIT");
    await waiting;
  });

  test.each([
    ["an index, which locks no reader out", "CREATE INDEX ON orders (n)"],
    ["in small letters, behind comments", "/* a */ -- b\n  create index on orders (n) /* c */"],
    ["behind a comment that names nothing", "/* SELECT */ COMMENT ON TABLE orders IS 'x'"],
  ])("DDL is known by its words: %s", async (_what, sql) => {
    const database = await postgres.createDatabase();
    await postgres.query(database, "CREATE TABLE orders (n int)");
    const session = await open(database);
    await session.query("BEGIN");
    await session.query(sql);
    expect(await read(database)).toMatchObject({ activeDdl: 1 });
    await session.query("COMMIT");
    expect(await read(database)).toMatchObject({ activeDdl: 0 });
  });

  test.each([
    ["a comment", "/* DROP TABLE orders */ SELECT 1"],
    ["a text", "SELECT 'create'"],
    ["a longer word", "SELECT 1 AS created"],
  ])("DDL is not what only names it: %s", async (_what, sql) => {
    const database = await postgres.createDatabase();
    const session = await open(database);
    await session.query("BEGIN");
    await session.query(sql);
    expect(await read(database)).toMatchObject({ idleInTransaction: 1, activeDdl: 0 });
  });
});

test("the text of a query is not told", async () => {
  const database = await postgres.createDatabase();
  const session = await open(database);
  await session.query("BEGIN");
  await session.query("SELECT 'canary'");
  expect(JSON.stringify(await read(database))).not.toContain("canary");
});

describe("what the role must see", () => {
  test("sessions of other roles need pg_monitor", async () => {
    const database = await postgres.createDatabase();
    const other = await open({ ...postgres.superuser, database: database.database });
    await other.query("BEGIN");
    const error = await failureOf(read(database));
    expect(error.message).toBe(
      "the role does not see what 1 of the sessions and replicas do. " +
        "To do: GRANT pg_monitor to it, and leave track_activities on",
    );
    expect(error.again).toBe(false);
    await postgres.query(postgres.superuser, `GRANT pg_monitor TO ${database.user}`);
    expect(await read(database)).toMatchObject({ idleInTransaction: 1 });
  });

  test("a session that tells nothing of itself closes it", async () => {
    const database = await postgres.createDatabase();
    const session = await open({ ...postgres.superuser, database: database.database });
    await postgres.query(postgres.superuser, `GRANT pg_monitor TO ${database.user}`);
    await session.query("SET track_activities = off");
    const error = await failureOf(read(database));
    expect(error.message).toContain("leave track_activities on");
  });
});

test("a database whose new sessions cannot write is read-only", async () => {
  const database = await postgres.createDatabase();
  const { database: name } = database;
  await postgres.query(database, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  expect(await read(database)).toMatchObject({ readOnly: true });
});

describe("replication", () => {
  test("a replica that never answered is silent, and one that did has a lag", async () => {
    const { superuser } = postgres;
    const replica = await openReplica(superuser);
    const silent = await failureOf(read(superuser));
    expect(silent.message).toContain("1 of the replicas did not say yet how far they are");
    expect(silent.again).toBe(true);

    await replica.confirm(await currentWal());
    await eventually(async () => {
      const facts = await read(superuser);
      expect(facts).toMatchObject({ replicas: 1 });
      expect(facts["replicationLagSeconds"]).toBeGreaterThanOrEqual(0);
    });

    await postgres.query(superuser, "CREATE TABLE replicated AS SELECT 1 AS n");
    await replica.received(await currentWal());
    const [later] = await postgres.query<{ at: Date }>(superuser, "SELECT clock_timestamp() AS at");
    await eventually(async () => {
      const [now] = await postgres.query<{ at: Date }>(superuser, "SELECT clock_timestamp() AS at");
      expect(Number(now?.at) - Number(later?.at)).toBeGreaterThan(300);
    });
    await replica.confirm(await currentWal());
    await eventually(async () => {
      expect((await read(superuser))["replicationLagSeconds"]).toBeGreaterThan(0.25);
    });
  });

  test("replicas that the role may not see close it", async () => {
    const database = await postgres.createDatabase();
    await openReplica(postgres.superuser);
    const error = await failureOf(read(database));
    expect(error.message).toContain("the role does not see what 1 of the sessions and replicas do");
  });
});

describe("the target", () => {
  test.each([
    ["zero seconds", { longSeconds: 0 }],
    ["negative seconds", { longSeconds: -1 }],
    ["seconds as a text", { longSeconds: "60" }],
    ["NaN", { longSeconds: Number.NaN }],
    ["an unknown key", { seconds: 60 }],
  ])("refuses %s", (_what, target) => {
    expect(sqlActivity.target.safeParse(target).success).toBe(false);
  });

  test("is long after 60 s where it says nothing", () => {
    expect(sqlActivity.target.parse({})).toEqual({ longSeconds: 60 });
  });
});

async function currentWal(): Promise<bigint> {
  const [row] = await postgres.query<{ at: string }>(
    postgres.superuser,
    "SELECT pg_current_wal_lsn() - '0/0' AS at",
  );
  return BigInt(row?.at ?? "0");
}

/** The half of pg's client that has no types: what flows while a replica follows. */
interface Wire extends NodeJS.EventEmitter {
  sendCopyFromChunk(chunk: Buffer): void;
}

/** Follows the server as a replica would, and says how far it is when it is told to. */
async function openReplica(connection: TestConnection) {
  const client = new pg.Client({
    ...connection,
    replication: "true",
    application_name: "replica",
  } as pg.ClientConfig);
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  const wire = (client as unknown as { connection: Wire }).connection;
  let upTo = 0n;
  wire.on("copyData", ({ chunk }: { chunk: Buffer }) => {
    // XLogData: where its bytes begin, and the bytes behind a head of 25.
    if (chunk[0] === 0x77) upTo = chunk.readBigUInt64BE(1) + BigInt(chunk.length - 25);
  });
  const at = await currentWal();
  const text = `${(at >> 32n).toString(16)}/${(at & 0xffff_ffffn).toString(16)}`;
  client.query(`START_REPLICATION PHYSICAL ${text}`).catch(() => undefined);
  await eventually(async () => {
    const rows = await postgres.query(connection, "SELECT FROM pg_stat_replication");
    expect(rows).toHaveLength(1);
  });
  return {
    received: (lsn: bigint) =>
      eventually(() => {
        expect(upTo).toBeGreaterThanOrEqual(lsn);
      }),
    async confirm(lsn: bigint) {
      // Standby status update: written, flushed and replayed up to here, the time, and no wish for a reply.
      const update = Buffer.alloc(34);
      update.write("r", 0, "latin1");
      for (const offset of [1, 9, 17]) update.writeBigUInt64BE(lsn, offset);
      update.writeBigUInt64BE(0n, 25);
      wire.sendCopyFromChunk(update);
      await eventually(async () => {
        const rows = await postgres.query(
          connection,
          "SELECT FROM pg_stat_replication WHERE replay_lsn - '0/0' = $1",
          [String(lsn)],
        );
        expect(rows).toHaveLength(1);
      });
    },
  };
}
