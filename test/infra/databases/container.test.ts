import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import type { ContainerDatabaseConfig } from "../../../infra/databases/config.ts";
import { ContainerDatabase } from "../../../infra/databases/container.ts";
import type { DatabaseArgs } from "../../../infra/databases/database.ts";
import { declareRestoreTest } from "../../../infra/backups/restore-test.ts";
import { bucketConfig, type BucketConfig } from "../../../infra/buckets/config.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";

const containerType = "docker:index/container:Container";
const volumeType = "docker:index/volume:Volume";
const dumpType = "cutover:index:DatabaseDump";
const testType = "cutover:index:RestoreTest";
const image = `registry.example.com/postgres@sha256:${"4f".repeat(32)}`;
const password = "correct-horse-battery";

const settings: ContainerDatabaseConfig = {
  kind: "container",
  name: "orders",
  username: "owner",
  engineVersion: "18.1",
  address: "203.0.113.50",
  port: 5433,
  image,
  memoryMib: 1024,
  dumps: { bucket: "backups", keepDays: 35 },
};

const s3 = bucketConfig.parse({ store: "s3", name: "flagship-backups", retentionDays: 30 });

function database(
  change: Partial<ContainerDatabaseConfig> = {},
  bucket: BucketConfig = s3,
  more: Partial<Omit<DatabaseArgs, "settings">> = {},
): ContainerDatabase {
  return new ContainerDatabase(
    "database",
    {
      settings: { ...settings, ...change },
      password: pulumi.secret(password),
      tlsCa: undefined,
      kmsKeyArn: "arn:key",
      system: "flagship",
      hosts: {},
      buckets: { backups: bucket },
      healthSeconds: 60,
      ...more,
    },
    firstStep,
  );
}

function server(...args: Parameters<typeof database>): Promise<Declared[]> {
  return declared(() => database(...args));
}

describe("a database in a container", () => {
  test("listens where the stack config says, and is healthy once it takes connections", async () => {
    const { inputs } = only(await server(), containerType);
    expect(inputs).toMatchObject({
      name: "flagship-database",
      image,
      ports: [{ internal: 5432, external: 5433, ip: "203.0.113.50" }],
      networksAdvanced: [{ name: "flagship" }],
      wait: true,
      waitTimeout: 60,
      restart: "unless-stopped",
      destroyGraceSeconds: 60,
      memory: 1024,
      memorySwap: 2048,
      shmSize: 256,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
    });
    const { tests } = inputs["healthcheck"] as { tests: string[] };
    expect(tests.slice(0, 2)).toEqual(["CMD", "pg_isready"]);
    // The server that the image only initialises with takes no connection over TCP.
    expect(tests).toContain("--host=127.0.0.1");
  });

  test("has as few rights as it can", async () => {
    expect(only(await server(), containerType).inputs).toMatchObject({
      user: "postgres",
      readOnly: true,
      privileged: false,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
    });
  });

  test("is told its password as a secret, and makes checksums of its data", async () => {
    const { inputs } = only(await server(), containerType);
    const { value } = inputs["envs"] as { value: string[] };
    expect(value).toContain(`POSTGRES_PASSWORD=${password}`);
    expect(value).toContain("POSTGRES_DB=orders");
    expect(value).toContain("POSTGRES_USER=owner");
    expect(value.find((line) => line.startsWith("POSTGRES_INITDB_ARGS="))).toContain(
      "--data-checksums",
    );
  });

  test.each([
    ["18.1", "/var/lib/postgresql"],
    ["19", "/var/lib/postgresql"],
    ["17.9", "/var/lib/postgresql/data"],
  ])("keeps the data of PostgreSQL %s in a volume at %s", async (engineVersion, containerPath) => {
    const resources = await server({ engineVersion });
    expect(only(resources, volumeType).inputs).toEqual({ name: "flagship-database-data" });
    expect(only(resources, containerType).inputs["volumes"]).toEqual([
      { volumeName: "flagship-database-data", containerPath },
    ]);
  });

  test("has no less shared memory than Docker gives by itself", async () => {
    const { inputs } = only(await server({ memoryMib: 128 }), containerType);
    expect(inputs["shmSize"]).toBe(64);
  });

  test("gives AWS Backup nothing to keep", async () => {
    let made: ContainerDatabase | undefined;
    await declared(() => (made = database()));
    expect(made?.backedUp).toEqual([]);
  });

  test.each([
    ["without its password", () => database({}, s3, { password: undefined }), /databasePassword/],
    ["without its bucket", () => database({}, s3, { buckets: {} }), /no backups/],
  ])("%s is not declared", async (_, make, message) => {
    await expect(declared(make)).rejects.toThrow(message);
  });
});

describe("a recovery point of it", () => {
  const taken = async (bucket: BucketConfig, change: Partial<ContainerDatabaseConfig> = {}) => {
    const resources = await declared(() =>
      database(change, bucket, {
        hosts: { "203.0.113.50": "ssh://deploy@203.0.113.50:22" },
      }).takeRecoveryPoint(
        "recovery-point",
        { stack: "flagship/production", release: "v1.1.0", token: pulumi.output("0b7e91c2") },
        firstStep,
      ),
    );
    return only(resources, dumpType).inputs;
  };

  test("is a dump of this freeze, taken inside of the container", async () => {
    expect(await taken(s3)).toMatchObject({
      stack: "flagship/production",
      system: "flagship",
      release: "v1.1.0",
      name: "orders",
      token: "0b7e91c2",
      user: "owner",
      container: "flagship-database",
      host: "ssh://deploy@203.0.113.50:22",
      store: { store: "s3", bucket: "flagship-backups" },
    });
  });

  test("is locked for as long as it is kept where the bucket can", async () => {
    const locked = bucketConfig.parse({ ...s3, objectLockDays: 10 });
    expect((await taken(locked))["store"]).toEqual({
      store: "s3",
      bucket: "flagship-backups",
      lockDays: 35,
    });
    const days = { dumps: { bucket: "backups", keepDays: 0 } };
    expect((await taken(locked, days))["store"]).not.toHaveProperty("lockDays");
  });

  test("may lie in R2", async () => {
    const accountId = "0123456789abcdef0123456789abcdef";
    const r2 = bucketConfig.parse({ store: "r2", accountId, name: "backups", lockDays: 30 });
    expect((await taken(r2))["store"]).toEqual({ store: "r2", bucket: "backups", accountId });
  });
});

test("a restore test restores its dumps into the same image", async () => {
  const resources = await declared(() => {
    const args = { stack: "flagship/production", due: "v1.1.0", queries: { one: "SELECT true" } };
    return declareRestoreTest("restore-test", database(), args, firstStep);
  });
  const { connection, ...inputs } = only(resources, testType).inputs;
  expect(inputs).toMatchObject({
    stack: "flagship/production",
    due: "v1.1.0",
    queries: { one: "SELECT true" },
    source: {
      kind: "container",
      system: "flagship",
      container: "flagship-database",
      image,
      engineVersion: "18.1",
      memory: 1024,
      store: { store: "s3", bucket: "flagship-backups" },
    },
  });
  expect(JSON.stringify(connection)).toContain("203.0.113.50");
});
