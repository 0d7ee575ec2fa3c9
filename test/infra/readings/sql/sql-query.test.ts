import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { sqlQuery } from "../../../../infra/readings/sql/sql-query.ts";
import {
  startPostgres,
  type TestConnection,
  type TestPostgres,
} from "../../../support/postgres.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";

let postgres: TestPostgres;
let connection: TestConnection;

beforeAll(async () => {
  postgres = await startPostgres();
  connection = await postgres.createDatabase();
  await postgres.query(connection, "CREATE TABLE orders AS SELECT n FROM generate_series(1, 3) n");
});
afterAll(() => postgres.stop());
afterEach(() => vi.unstubAllEnvs());

function read(target: object, database: TestConnection | undefined = connection) {
  return readFacts(sqlQuery, sqlQuery.target.parse(target), contextOf({ database }));
}

function ask(sql: string, database?: TestConnection) {
  return read({ queries: { asked: sql } }, database);
}

async function countOfOrders(): Promise<unknown> {
  const [row] = await postgres.query(connection, "SELECT count(*)::int AS n FROM orders");
  return row?.["n"];
}

describe("values", () => {
  test.each([
    ["an integer", "SELECT 42", 42],
    ["a count, which PostgreSQL keeps in 64 bits", "SELECT count(*) FROM orders", 3],
    ["a decimal", "SELECT 12.5::numeric", 12.5],
    ["a negative number", "SELECT -1::bigint", -1],
    ["the largest number that is exact", "SELECT 9007199254740991", 9007199254740991],
    ["a float", "SELECT 0.25::float8", 0.25],
    ["a text", "SELECT 'sealed'", "sealed"],
    ["a text of digits", "SELECT '007'", "007"],
    ["an empty text", "SELECT ''", ""],
    ["the longest text", "SELECT repeat('x', 1000)", "x".repeat(1000)],
    ["true", "SELECT true", true],
    ["false", "SELECT false", false],
    ["SQL's null", "SELECT NULL::int", null],
    ["no row", "SELECT n FROM orders WHERE n > 3", null],
    ["a statement with its end and a comment", "SELECT 1; -- one", 1],
    ["VALUES", "VALUES ('one')", "one"],
    ["WITH", "WITH o AS (SELECT max(n) AS m FROM orders) SELECT m FROM o", 3],
  ])("%s", async (_what, sql, value) => {
    expect(await ask(sql)).toEqual({
      queries: { asked: value },
      schemaVersion: null,
      rowCounts: {},
    });
  });

  test("several queries, the schema's version and row counts at once", async () => {
    await postgres.query(connection, 'CREATE TABLE "Mixed" AS SELECT 1 AS n');
    expect(
      await read({
        queries: { open: "SELECT count(*) FROM orders", first: "SELECT min(n) FROM orders" },
        schemaVersion: "SELECT '0007'",
        rowCounts: ["public.orders", "public.Mixed", "pg_catalog.pg_am"],
      }),
    ).toEqual({
      queries: { open: 3, first: 1 },
      schemaVersion: "0007",
      rowCounts: {
        public: { orders: 3, Mixed: 1 },
        pg_catalog: { pg_am: expect.any(Number) as number },
      },
    });
  });
});

describe("what is no single value", () => {
  test.each([
    ["two rows", "SELECT n FROM orders", "query asked: it returns more than one row"],
    ["two columns", "SELECT 1, 2", "query asked: it returns 2 columns"],
    ["two columns of one name", "SELECT 1 AS n, 2 AS n", "query asked: it returns 2 columns"],
    ["two columns and no row", "SELECT 1, 2 WHERE false", "query asked: it returns 2 columns"],
    ["no column", "SELECT FROM orders LIMIT 1", "query asked: it returns 0 columns"],
    ["NaN", "SELECT 'NaN'::numeric", "its number is NaN"],
    ["NaN as a float", "SELECT 'NaN'::float8", "its number is NaN"],
    ["infinity", "SELECT '-Infinity'::float8", "its number is NaN, infinite"],
    ["one more than is exact", "SELECT 9007199254740992", "beyond 2^53 - 1"],
    ["one less than is exact", "SELECT -9007199254740992", "beyond 2^53 - 1"],
    ["one character too many", "SELECT repeat('x', 1001)", "longer than 1000 characters"],
    ["a time", "SELECT now()", "no number, text or boolean"],
    ["JSON", "SELECT '{}'::json", "no number, text or boolean"],
    ["a list", "SELECT ARRAY[1]", "no number, text or boolean"],
    ["bytes", "SELECT 'x'::bytea", "no number, text or boolean"],
  ])("%s", async (_what, sql, message) => {
    const error = await failureOf(ask(sql));
    expect(error.message).toContain(message);
    expect(error.again).toBe(false);
  });
});

describe("a query that writes", () => {
  test("is refused by the read-only transaction when a function does it", async () => {
    await postgres.query(
      connection,
      "CREATE OR REPLACE FUNCTION take() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING n'",
    );
    const error = await failureOf(ask("SELECT take()"));
    expect(error.message).toBe(
      "query asked: it tried to write, which a reading must not. To do: ask with a SELECT that only reads (25006)",
    );
    expect(await countOfOrders()).toBe(3);
  });

  test.each([
    ["locks rows", "SELECT n FROM orders FOR UPDATE", "(25006)"],
    ["takes a number of a sequence", "SELECT nextval('numbers')", "(25006)"],
    [
      "deletes within WITH",
      "WITH d AS (DELETE FROM orders RETURNING n) SELECT n FROM d",
      "(0A000)",
    ],
    ["deletes", "DELETE FROM orders RETURNING n", "(42601)"],
    ["is a second statement", "SELECT 1; DELETE FROM orders", "(42601)"],
    ["ends the transaction first", "SELECT 1; COMMIT; DELETE FROM orders", "(42601)"],
    ["makes it writable", "SET TRANSACTION READ WRITE", "(42601)"],
    [
      "makes it writable by a function",
      "SELECT set_config('transaction_read_only', 'off', false)",
      "(25001)",
    ],
    ["copies", "COPY orders TO STDOUT", "(42601)"],
    ["runs a block", "DO $$ BEGIN DELETE FROM orders; END $$", "(42601)"],
  ])("is refused: it %s", async (_what, sql, code) => {
    await postgres.query(connection, "CREATE SEQUENCE IF NOT EXISTS numbers");
    const error = await failureOf(ask(sql));
    expect(error.message).toContain(code);
    expect(error.again).toBe(false);
    expect(await countOfOrders()).toBe(3);
  });

  test("leaves no setting behind for the next query", async () => {
    const queries = {
      first: "SELECT set_config('statement_timeout', '0', false)",
      second: "SELECT current_setting('statement_timeout')",
    };
    expect(await read({ queries })).toMatchObject({ queries: { first: "0", second: "5s" } });
  });
});

describe("a query that fails", () => {
  test("is named, and what the server quotes is not told", async () => {
    const error = await failureOf(ask("SELECT 'canary'::text::int"));
    expect(error.message).toBe("query asked: PostgreSQL refused it (22P02)");
  });

  test.each([
    ["a missing table", "SELECT 1 FROM nowhere", "it names a table that does not exist"],
    ["a missing column", "SELECT nowhere FROM orders", "it names a column that does not exist"],
    ["no SQL", "SELEKT 1", "it is no single SELECT"],
    ["no right", "SELECT count(*) FROM pg_authid", "the role may not read it"],
  ])("says so: %s", async (_what, sql, message) => {
    const error = await failureOf(ask(sql));
    expect(error.message).toContain(`query asked: ${message}`);
    expect(error.again).toBe(false);
  });

  test("rows that row security hides are not left out without a word", async () => {
    const owner = await postgres.createDatabase();
    await postgres.query(owner, "CREATE TABLE secret AS SELECT 1 AS n");
    await postgres.query(owner, "ALTER TABLE secret ENABLE ROW LEVEL SECURITY");
    await postgres.query(owner, "ALTER TABLE secret FORCE ROW LEVEL SECURITY");
    const error = await failureOf(read({ rowCounts: ["public.secret"] }, owner));
    expect(error.message).toContain(
      "row count of public.secret: the role may not read it, or not all",
    );
  });

  test("a query that takes longer than 5 s is cancelled", async () => {
    const error = await failureOf(ask("SELECT pg_sleep(60)::text"));
    expect(error.message).toContain("query asked: it was cancelled");
    expect(error.again).toBe(true);
  });

  test("a query waits 2 s for a lock", async () => {
    const session = await postgres.open(connection);
    await session.query("BEGIN");
    await session.query("LOCK TABLE orders");
    const error = await failureOf(read({ rowCounts: ["public.orders"] }));
    await session.end();
    expect(error.message).toContain("row count of public.orders: it waited 2 s for a lock");
    expect(error.again).toBe(true);
  });

  test("a session that the server ends may be asked again", async () => {
    const { database } = connection;
    const error = await failureOf(
      ask(
        `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE pid = pg_backend_pid() AND datname = '${database}'`,
      ),
    );
    expect(error.message).toContain("query asked: ");
    expect(error.again).toBe(true);
  });
});

describe("the connection", () => {
  test("a stack without a database says so", async () => {
    const error = await failureOf(
      readFacts(sqlQuery, sqlQuery.target.parse({ queries: { one: "SELECT 1" } }), contextOf()),
    );
    expect(error.message).toContain("the stack has no database yet");
    expect(error.again).toBe(false);
  });

  test("another database is asked with the password of the environment", async () => {
    vi.stubEnv("READER_PASSWORD", connection.password);
    const { password: _password, ...rest } = connection;
    const target = {
      queries: { where: "SELECT current_database()::text", who: "SELECT user::text" },
      database: { ...rest, passwordEnv: "READER_PASSWORD" },
    };
    const parsed = sqlQuery.target.parse(target);
    expect(sqlQuery.subject(parsed)).toBe(
      `${connection.database} on 127.0.0.1:${String(connection.port)}`,
    );
    expect(await readFacts(sqlQuery, parsed, contextOf())).toMatchObject({
      queries: { where: connection.database, who: connection.user },
    });
  });

  test.each([
    ["unset", undefined],
    ["empty", ""],
  ])("a password variable that is %s is named", async (_what, value) => {
    vi.stubEnv("READER_PASSWORD", value);
    const error = await failureOf(readElsewhere({}));
    expect(error.message).toContain("the environment variable READER_PASSWORD is empty");
  });

  test("a refused password is said without it", async () => {
    const canary = `canary-${randomUUID()}`;
    vi.stubEnv("READER_PASSWORD", canary);
    const error = await failureOf(readElsewhere({}));
    expect(error.message).toContain(
      "refused the password. To do: set the current one in READER_PASSWORD",
    );
    expect(error.again).toBe(false);
    expect(everythingOf(error)).not.toContain(canary);
  });

  test("the stack's own refused password names its config key", async () => {
    const error = await failureOf(ask("SELECT 1", { ...connection, password: "wrong" }));
    expect(error.message).toContain("To do: set the current one in cutover:databasePassword");
  });

  test("a database that does not exist is said", async () => {
    const error = await failureOf(ask("SELECT 1", { ...connection, database: "nowhere" }));
    expect(error.message).toContain("it does not exist");
    expect(error.again).toBe(false);
  });

  test("a server that is down may be asked again", async () => {
    vi.stubEnv("READER_PASSWORD", "canary");
    const error = await failureOf(readElsewhere({ port: await closedPort() }));
    expect(error.message).toContain("cannot reach database");
    expect(error.message).not.toContain("canary");
    expect(error.again).toBe(true);
  });

  test("a server that says nothing is left when the time is over", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const controller = new AbortController();
    server.once("connection", () => {
      controller.abort(new Error("the time is over"));
    });
    const database = { ...connection, port: (server.address() as AddressInfo).port };
    const reading = readFacts(
      sqlQuery,
      sqlQuery.target.parse({ queries: { one: "SELECT 1" } }),
      contextOf({ database, signal: controller.signal }),
    );
    await expect(reading).rejects.toThrow("the time is over");
  });

  test("a CA file that is none is named", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-ca-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const caFile = join(folder, "ca.pem");
    await writeFile(caFile, "no certificate");
    vi.stubEnv("READER_PASSWORD", "canary");
    for (const path of [caFile, join(folder, "absent.pem")]) {
      const error = await failureOf(readElsewhere({ caFile: path }));
      expect(error.message).toContain("is no readable PEM file");
    }
  });

  test("a CA turns TLS on, and a server without TLS is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-ca-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const caFile = join(folder, "ca.pem");
    await writeFile(caFile, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    vi.stubEnv("READER_PASSWORD", connection.password);
    const error = await failureOf(readElsewhere({ caFile }));
    expect(error.message).toContain("cannot reach database");
  });
});

describe("the target", () => {
  test.each([
    ["nothing to ask", {}],
    ["an empty query", { queries: { one: " " } }],
    ["a query that is no text", { queries: { one: 1 } }],
    ["a name that is none", { queries: { "a.b": "SELECT 1" } }],
    ["a table without a schema", { rowCounts: ["orders"] }],
    ["a table with a quote", { rowCounts: ['public."orders"'] }],
    ["a table with more behind it", { rowCounts: ["public.orders; DROP TABLE orders"] }],
    ["a line break", { rowCounts: ["public.orders\n"] }],
    ["an unknown key", { queries: { one: "SELECT 1" }, timeout: 1 }],
    ["a password in clear", { queries: { one: "SELECT 1" }, database: { password: "x" } }],
  ])("refuses %s", (_what, target) => {
    expect(sqlQuery.target.safeParse(target).success).toBe(false);
  });

  test("parsed twice it stays the same", () => {
    const once = sqlQuery.target.parse({ schemaVersion: "SELECT 1" });
    expect(sqlQuery.target.parse(once)).toEqual(once);
    expect(sqlQuery.subject(once)).toBe("the stack's database");
  });
});

function readElsewhere(more: object): Promise<unknown> {
  const { password: _password, ...rest } = connection;
  const database = { ...rest, passwordEnv: "READER_PASSWORD", ...more };
  return read({ queries: { one: "SELECT 1" }, database }, undefined);
}

function everythingOf(error: Error): string {
  return `${error.message} ${error.stack ?? ""} ${String(error.cause)}`;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
