import { describe, expect, test } from "vitest";
import { databaseConfig } from "../../../infra/databases/config.ts";
import { databaseRelations } from "../../../infra/databases/relations.ts";

function problems(change: object): string[] {
  const database = databaseConfig.parse({
    kind: "rds",
    name: "orders",
    username: "owner",
    engineVersion: "18.1",
    identifier: "orders",
    instanceClass: "db.t4g.small",
    storageGib: 20,
    backupRetentionDays: 7,
    ...change,
  });
  return databaseRelations({ database }).map(({ where, found }) => `${where}: ${found}`);
}

describe("an adopted instance", () => {
  test.each(["config", "secrets-manager"])("has its password from %s", (password) => {
    expect(problems({ adopt: true, password })).toEqual([]);
  });

  test("has a password already", () => {
    expect(problems({ password: "generated" })).toEqual([]);
    expect(problems({ adopt: true, password: "generated" })).toEqual([
      "cutover:database.password: generated, but the instance exists already and has a password",
    ]);
  });
});

describe("an upgrade", () => {
  test.each(["18.2", "18.10", "19", "19.0"])("goes up to %s", (upgradeTo) => {
    expect(problems({ upgradeTo })).toEqual([]);
  });

  test.each(["18.1", "18.0", "17.9", "18", "9.6"])("does not go to %s", (upgradeTo) => {
    expect(problems({ upgradeTo })).toEqual([
      `cutover:database.upgradeTo: ${upgradeTo}, and database.engineVersion is 18.1`,
    ]);
  });

  test("does not take an instance whose password RDS keeps", () => {
    expect(problems({ upgradeTo: "18.2", password: "secrets-manager" })).toEqual([
      "cutover:database.upgradeTo: 18.2, and database.password is secrets-manager",
    ]);
  });
});

test("a database in a container has none of it", () => {
  const database = databaseConfig.parse({
    kind: "container",
    name: "orders",
    username: "owner",
    engineVersion: "18.1",
    address: "203.0.113.10",
    port: 5432,
    image: `registry.example.com/postgres@sha256:${"0".repeat(64)}`,
    memoryMib: 1024,
    dumps: { bucket: "backups", keepDays: 30 },
  });
  expect(databaseRelations({ database })).toEqual([]);
});
