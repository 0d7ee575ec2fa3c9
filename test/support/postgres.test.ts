import { afterAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { startPostgres } from "./postgres.ts";

const postgres = await startPostgres();
afterAll(() => postgres.stop());

test("a database of its own belongs to a role that is no superuser", async () => {
  const connection = await postgres.createDatabase();
  const sql = "SELECT current_database() AS database, rolsuper FROM pg_roles WHERE rolname = user";
  expect(await postgres.query(connection, sql)).toEqual([
    { database: connection.database, rolsuper: false },
  ]);
});

test("a session knows when the server ended it", async () => {
  const connection = await postgres.createDatabase();
  const session = await postgres.open(connection);
  expect(session.isTerminated()).toBe(false);
  const [backend] = await session.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await postgres.query(connection, "SELECT pg_terminate_backend($1)", [backend?.pid]);
  await eventually(() => {
    expect(session.isTerminated()).toBe(true);
  });
});

test("a paused cluster refuses connections and comes back with its data", async () => {
  const connection = await postgres.createDatabase();
  await postgres.query(connection, "CREATE TABLE t AS SELECT 1 AS n");
  await postgres.pause();
  await expect(postgres.query(connection, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  await postgres.start();
  expect(await postgres.query(connection, "SELECT n FROM t")).toEqual([{ n: 1 }]);
});
