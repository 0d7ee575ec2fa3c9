import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { readFileSync } from "node:fs";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { afterAll } from "vitest";
import { startAwsApi, type AwsApi } from "../../rehearsal/stand-ins/aws-api/aws-api.ts";
import type { Account } from "../../rehearsal/stand-ins/aws/account.ts";
import { makeSecret } from "../../rehearsal/stand-ins/aws/secrets.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import {
  askedOf,
  checklistOf,
  examples,
  judge,
  loopback,
  read,
  record,
  startService,
  startTestWorld,
  testFolder,
  type Rehearsed,
} from "./world-support.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

/** An AWS account of one test that its readings find. */
async function openAccount(): Promise<{ account: Account; api: AwsApi }> {
  const account: Account = {
    store: openStore(await testFolder()),
    network: undefined as never,
    clockScale: 1,
    region: "eu-central-1",
  };
  const api = await startAwsApi({
    account,
    aws: { types: {}, publish: () => Promise.resolve() },
    address: "127.0.0.1",
    region: "eu-central-1",
  });
  for (const [name, value] of Object.entries(api.env)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await api.close();
  });
  return { account, api };
}

/** Trusts the world's CA as `env` of the world makes a process do that starts with it. */
function trust(env: Readonly<Record<string, string>>): void {
  const before = getCACertificates("default");
  const file = env["NODE_EXTRA_CA_CERTS"] ?? "";
  setDefaultCACertificates([...before, readFileSync(file, "utf8")]);
  onTestFinished(() => {
    setDefaultCACertificates(before);
  });
}

/** Sees that the world has a reading for each that the checklist asks for, and reads all but these. */
async function readAsked(rehearsed: Rehearsed, without: readonly string[] = []) {
  const asked = askedOf(await checklistOf(rehearsed));
  const { world, version, given } = rehearsed;
  expect(Object.keys(world.readings(version, given)).sort()).toEqual(asked);
  return read(
    rehearsed,
    asked.filter((name) => !without.includes(name)),
  );
}

test("stageos: every reading finds what its gates ask, before the first release and after it", async () => {
  const blue = loopback();
  const port = await startService(blue, "1.0.0");
  const { world, records } = await startTestWorld(join(examples, "stageos"), { web: port });
  const { account, api } = await openAccount();
  for (const name of ["stageos/jwt", "stageos/encryption"]) {
    makeSecret(account, { name, kmsKeyId: undefined });
  }
  const rehearsed = { system: "stageos", world, version: "v1.0.0" };
  const unfilled = await judge(rehearsed, await readAsked(rehearsed));
  expect(Object.entries(unfilled).filter(([, reasons]) => reasons.length > 0)).toEqual([
    ["jwt-secret-rotated-90d", [expect.any(String)]],
    ["encryption-secret-rotated-90d", [expect.any(String)]],
  ]);

  expect(api.fillSecrets()).toEqual(["stageos/jwt", "stageos/encryption"]);
  const judged = await judge(rehearsed, await readAsked(rehearsed));
  expect(Object.values(judged).flat()).toEqual([]);
  expect(Object.keys(judged)).toHaveLength(9);

  records.push(record("stageos.example.com", blue));
  const served = await readAsked({ ...rehearsed, version: "v1.1.0" });
  expect(served["api-health-production"]?.value).toMatchObject({ version: "1.0.0" });
  expect(Object.values(await judge({ ...rehearsed, version: "v1.1.0" }, served)).flat()).toEqual(
    [],
  );
});

test("stageos: the tag says the day of the release", async () => {
  const { world } = await startTestWorld(join(examples, "stageos"));
  expect(world.readings("v1.1.0")["release-tag"]).toMatchObject({ tag: "v1.1.0-20261121" });
});

test("workspace-platform: every reading finds what its gates ask", async () => {
  const place = loopback();
  const port = await startService(place, "1.0.0");
  const { world, records } = await startTestWorld(join(examples, "workspace-platform"), {
    api: port,
  });
  trust(world.env);
  const { account, api } = await openAccount();
  for (const name of ["keycloak-urls", "s3-keys", "redis", "db"]) {
    makeSecret(account, { name: `workspace-platform/${name}`, kmsKeyId: undefined });
  }
  api.fillSecrets();
  const snapshotIdentifier = "workspace-platform-night";
  const automated = account.store.collection<string>("aws-rds-automated-snapshots");
  automated.set(snapshotIdentifier, `rds:${snapshotIdentifier}`);
  account.store.collection<object>("aws-rds-snapshots").set(snapshotIdentifier, {
    identifier: "workspace-platform",
    snapshotIdentifier,
    createdAt: new Date().toISOString(),
    status: "available",
    storageEncrypted: true,
  });
  records.push(record("api.example.com", place));
  const rehearsed = {
    system: "workspace-platform",
    world,
    version: "v1.0.0",
    databases: ["workspace-platform"],
  };
  const readings = await readAsked(rehearsed);
  const judged = await judge(rehearsed, readings);
  expect(Object.values(judged).flat()).toEqual([]);
  expect(Object.keys(judged)).toHaveLength(11);
  expect(readings["api-health"]).toMatchObject({ value: { status: 200, version: "1.0.0" } });
});

test("ignition: every reading but those of containers finds what its gates ask", async () => {
  const [blue, green, legacy] = [loopback(), loopback(), loopback()];
  const [api = 0, frontend = 0, admin = 0] = await Promise.all(
    [1, 2, 3].map(() => startService(blue, "1.0.0")),
  );
  const given = { blue, green, legacy, slot: "blue", docker: "unix:///nowhere.sock" };
  const { world, records } = await startTestWorld(
    join(examples, "ignition"),
    { api, frontend, admin },
    given,
  );
  trust(world.env);
  const { account } = await openAccount();
  const alarms = account.store.collection<object>("aws-cloudwatch-alarms");
  for (const name of ["health", "error-rate", "auth-failures"]) {
    alarms.set(`ignition-${name}`, { arn: name, alarmActions: ["arn:aws:sns:x:1:alarms"] });
  }
  const connection = await postgres.createDatabase();
  const migrate = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const sql = readFileSync(join(examples, "ignition", "migrations", name), "utf8");
      await postgres.query(connection, sql);
      await postgres.query(
        connection,
        "INSERT INTO cutover_ledger.migration VALUES ($1, '', 'v1.0.0', now())",
        [name],
      );
    }
  };
  await postgres.query(
    connection,
    `CREATE SCHEMA cutover_ledger;
     CREATE TABLE cutover_ledger.migration
       (name text PRIMARY KEY, sha256 text, release text, applied_at timestamptz)`,
  );
  const rehearsed = { system: "ignition", world, version: "v1.0.0", connection };
  const containers = ["container-platform", "api-container"];
  const ahead = (committedMigrations: readonly string[]) =>
    committedMigrations.filter((name) => name < "0008");
  const files = [
    "0001_users.sql",
    "0002_sessions.sql",
    "0003_admin_roles.sql",
    "0004_focus_sessions.sql",
    "0005_stored_files.sql",
    "0006_goals_and_tasks.sql",
    "0007_settings_and_audit.sql",
    "0008_daily_focus.sql",
  ];
  await migrate(ahead(files));
  const names = ["api.ecent.online", "ignition.ecent.online", "admin.ignition.ecent.online"];
  for (const name of names) records.push(record(name, legacy));

  const before = await judge(rehearsed, await readAsked(rehearsed, containers));
  const openBefore = Object.entries(before)
    .filter(([, reasons]) => reasons.length === 0)
    .map(([gate]) => gate);
  expect(openBefore).toEqual([
    "postgres-accessible",
    "dns-not-pointed-before-cutover",
    "tls-certificates-provisioned",
    "release-image-built",
    "production-database-empty-or-seeded",
    "schema-version-0007",
    "all-migrations-applied",
    "dns-ttl-propagation-verified",
    "monitoring-alerts-configured",
    "health-check-returns-200",
    "version-matches-v1-0-0",
    "database-connections-healthy",
  ]);

  await migrate(["0008_daily_focus.sql"]);
  records.splice(0, records.length, ...names.map((name) => record(name, blue)));
  const after = await judge(rehearsed, await readAsked(rehearsed, containers));
  const closedAfter = Object.entries(after)
    .filter(([, reasons]) => reasons.length > 0)
    .map(([gate]) => gate);
  expect(closedAfter).toEqual([
    "dns-not-pointed-before-cutover",
    "schema-version-0007",
    "all-migrations-applied",
  ]);

  await postgres.query(
    connection,
    `INSERT INTO users (id, email) VALUES ('00000000-0000-4000-8000-000000000001', 'a@example.com');
     INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES
       (decode(repeat('00', 32), 'hex'), '00000000-0000-4000-8000-000000000001',
        now() - interval '1 day', now() + interval '1 day')`,
  );
  const carried = await judge(rehearsed, await read(rehearsed, ["sessions", "production-data"]));
  expect(Object.values(carried).map((reasons) => reasons.length)).toEqual([1, 1]);
});

test("dashboard: the candidate of each release is of its own commit", async () => {
  const { world } = await startTestWorld(join(examples, "dashboard"));
  for (const version of ["v1.0.0", "v1.1.0"]) {
    const rehearsed = { system: "dashboard", world, version };
    const judged = await judge(rehearsed, await readAsked(rehearsed));
    expect(judged).toEqual({ "operational-health-gate-passes": [] });
  }
  const other = { system: "dashboard", world, version: "v1.1.0" };
  const stale = await read({ ...other, version: "v1.0.0" }, ["candidate-health"]);
  expect((await judge(other, stale))["operational-health-gate-passes"]).toHaveLength(1);
});

test("judging-platform asks for no reading, and gets none", async () => {
  const { world } = await startTestWorld(join(examples, "judging-platform"));
  const rehearsed = { system: "judging-platform", world, version: "v1.0.0" };
  expect(askedOf(await checklistOf(rehearsed))).toEqual([]);
  expect(world.readings("v1.0.0")).toEqual({});
});
