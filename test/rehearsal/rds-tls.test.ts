import { existsSync, readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openAuthority } from "../../rehearsal/stand-ins/aws/rds/authority.ts";
import { copyFolder } from "../../rehearsal/stand-ins/postgres.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import type { Wire } from "../support/engine.ts";
import {
  databaseInputs,
  startTestCloud,
  temporaryFolder,
  type Made,
  type Subject,
  type TestCloud,
} from "./support.ts";

let folder: string;
let cloud: TestCloud;
let instances: Subject;
let groups: Subject;
let group: Made;
let database: Made;

beforeAll(async () => {
  folder = await temporaryFolder();
  await open();
  group = await groups.create(groupInputs("1"));
  database = await instances.create(databaseInputs("forced", { parameterGroupName: "forced" }));
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<void> {
  cloud = await startTestCloud({ folder });
  instances = cloud.subject("aws:rds/instance:Instance");
  groups = cloud.subject("aws:rds/parameterGroup:ParameterGroup");
}

function groupInputs(value: string, applyMethod = "immediate"): Wire {
  const parameters = [{ name: "rds.force_ssl", value, applyMethod }];
  return { name: "forced", family: "postgres18", parameters };
}

/** Whether a session is encrypted; the code of the refusal when there is none. */
async function session(
  { outputs }: Made,
  ssl: false | { ca: string },
): Promise<boolean | string | undefined> {
  const client = new Client({
    host: String(outputs["address"]),
    port: Number(outputs["port"]),
    user: "cutover",
    password: "right-password",
    database: "flagship",
    ssl,
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    return rows[0]?.ssl;
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function ca(): { ca: string } {
  return { ca: readFileSync(join(folder, "rds-ca.pem"), "utf8") };
}

test("where TLS is forced nobody comes in without it, and the CA vouches for the server", async () => {
  expect(await session(database, ca())).toBe(true);
  // What RDS says to those who do not encrypt: no pg_hba.conf entry.
  expect(await session(database, false)).toBe("28000");
  expect(statSync(join(folder, "rds-ca.key")).mode & 0o777).toBe(0o600);
  expect(database.outputs["caCertIdentifier"]).toBe("rds-ca-rsa2048-g1");
});

test("a server of another CA is refused", async () => {
  const elsewhere = await temporaryFolder();
  onTestFinished(() => rm(elsewhere, { recursive: true }));
  const { file } = await openAuthority(openStore(elsewhere));

  expect(await session(database, { ca: readFileSync(file, "utf8") })).toMatch(/CERT|UNABLE/);
});

test("TLS is possible where it is not forced", async () => {
  const open = await instances.create(databaseInputs("unforced"));

  expect(await session(open, ca())).toBe(true);
  expect(await session(open, false)).toBe(false);
  await instances.delete(open);
});

test("a change of the group is in force at once, or at the next start if it is to wait", async () => {
  await groups.update(group, groupInputs("0"));
  expect(await session(database, false)).toBe(false);
  await groups.update(group, groupInputs("1", "pending-reboot"));
  expect(await session(database, false)).toBe(false);
  await cloud.close();
  await open();
  expect(await session(database, false)).toBe("28000");
  expect(await session(database, ca())).toBe(true);
  await groups.update(group, groupInputs("0"));
  const kept = await groups.update(group, { name: "forced", family: "postgres18" });
  expect(await session(database, false)).toBe(false);
  await groups.update(kept, groupInputs("1"));

  expect(await session(database, false)).toBe("28000");
});

test("a restored server has a certificate of its own, and its snapshot has none", async () => {
  await cloud
    .subject("aws:rds/snapshot:Snapshot")
    .create({ dbInstanceIdentifier: "forced", dbSnapshotIdentifier: "before" });
  const copy = copyFolder(join(folder, "rds-snapshots", "before"));
  expect(existsSync(join(copy, "PG_VERSION"))).toBe(true);
  expect(existsSync(join(copy, "server.key"))).toBe(false);
  const restored = await instances.create(
    databaseInputs("restored", { snapshotIdentifier: "before", parameterGroupName: "forced" }),
  );

  expect(restored.outputs["address"]).not.toBe(database.outputs["address"]);
  expect(await session(restored, ca())).toBe(true);
  expect(await session(restored, false)).toBe("28000");
  await instances.delete(restored);
});

test("a CA that RDS does not have is refused", async () => {
  expect(
    await instances.refusal(databaseInputs("refused", { caCertIdentifier: "rds-ca-2019" })),
  ).toMatch(/CertificateNotFound: Certificate not found: rds-ca-2019/);
});

test("a value that rds.force_ssl does not take is refused", async () => {
  const inputs = { ...groupInputs("yes"), name: "other" };
  expect(await groups.refusal(inputs)).toMatch(
    /Invalid parameter value: yes for: rds.force_ssl allowed values are: 0,1/,
  );
  await expect(groups.update(group, groupInputs("2"))).rejects.toThrow("allowed values are: 0,1");
});

test("a deployment by the provider's blue and green is refused before anything is made", async () => {
  const inputs = databaseInputs("blue", { blueGreenUpdate: { enabled: true } });
  expect(await instances.check(inputs)).toEqual({
    blueGreenUpdate: expect.stringMatching(
      /deletes the old instance.*To do: leave it out/,
    ) as unknown,
  });
});
