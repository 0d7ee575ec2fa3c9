import { describe, expect, test } from "vitest";
import { positionText, transactionCommands } from "../../../infra/provider/sql-text.ts";

describe("transactionCommands", () => {
  test.for([
    ["BEGIN; SELECT 1; COMMIT;", ["BEGIN", "COMMIT"]],
    ["start\n  transaction; select 1; commit work", ["START TRANSACTION", "COMMIT"]],
    ["SELECT 1;\nROLLBACK;", ["ROLLBACK"]],
    ["rollback work", ["ROLLBACK"]],
    ["ABORT", ["ABORT"]],
    ["PREPARE TRANSACTION 'x'", ["PREPARE TRANSACTION"]],
    ["/* why */ -- because\n COMMIT", ["COMMIT"]],
    ["COMMIT; COMMIT; ", ["COMMIT"]],
  ] as const)("are found in %j", ([sql, found]) => {
    expect(transactionCommands(sql)).toEqual(found);
  });

  test.for([
    "CREATE TABLE commits (begin int); INSERT INTO commits VALUES (1)",
    "SAVEPOINT s; ROLLBACK TO s; ROLLBACK WORK TO SAVEPOINT s; RELEASE s",
    "-- done;\nSELECT 1; --COMMIT;\n",
    "/* a /* nested ; COMMIT; */ ; COMMIT; */ SELECT 1",
    "SELECT 'it''s; COMMIT; '; SELECT E'\\'; COMMIT; '",
    'SELECT 1 AS "; COMMIT; "',
    "DO $$ BEGIN PERFORM 1; COMMIT; END $$",
    "CREATE FUNCTION f() RETURNS void AS $body$ BEGIN; COMMIT; $$ x; COMMIT; $$ END $body$ LANGUAGE plpgsql",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
    "PREPARE s AS SELECT 1; EXECUTE s",
    "SELECT a$1$; -- a$1$ is a name",
    "SELECT '/*'; SELECT '*/'",
    "SELECT '--'; SELECT 1",
    "",
  ])("are not found in %j", (sql) => {
    expect(transactionCommands(sql)).toEqual([]);
  });

  test("are found behind an unfinished quote or comment only if PostgreSQL would see them", () => {
    expect(transactionCommands("/* open ; COMMIT")).toEqual([]);
    expect(transactionCommands("SELECT 1; COMMIT; SELECT 'open")).toEqual(["COMMIT"]);
  });
});

describe("positionText", () => {
  const at = (position: unknown): Error => Object.assign(new Error("bad"), { position });

  test("counts characters as PostgreSQL does", () => {
    expect(positionText("SELECT x", at("8"))).toBe(" at line 1, column 8");
    expect(positionText("-- 😀ü\nSELECT\n  x", at("16"))).toBe(" at line 3, column 3");
    expect(positionText("a\nb", at("3"))).toBe(" at line 2, column 1");
  });

  test("is empty when the error has no place", () => {
    expect(positionText("SELECT x", new Error("bad"))).toBe("");
    expect(positionText("SELECT x", at(undefined))).toBe("");
  });
});
