import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { bucketConfig } from "../../../infra/buckets/config.ts";
import { databaseConfig } from "../../../infra/databases/config.ts";
import { keptRecordName } from "../../../infra/dns/kept-records.ts";
import { replacedBy, type StateResource } from "../../../infra/release/replaced.ts";
import { sampleConfig } from "../../support/config.ts";
import { image, service } from "./samples.ts";

const zone = "0123456789abcdef0123456789abcdef";
const otherZone = "f".repeat(32);
const ownKey = "arn:aws:kms:eu-central-1:123456789012:key/own";
const otherKey = "arn:aws:kms:eu-central-1:123456789012:key/other";

const base = sampleConfig();
const rds = base.database as Extract<Config["database"], { kind: "rds" }>;
const [caa] = base.dns.kept as [Config["dns"]["kept"][number]];
const config = sampleConfig({
  services: {
    ...base.services,
    cache: service({
      ...{ placement: "in-place", address: "203.0.113.40", port: 6379, image },
      volumes: { data: "/data" },
    }),
  },
  secrets: {
    jwt: { store: "secrets-manager", name: "flagship/jwt", rotateDays: 90 },
    elsewhere: { store: "key-vault", vault: "vault", name: "key" },
  },
});

const instance = "aws:rds/instance:Instance";
const bucket = "aws:s3/bucket:Bucket";
const record = "cloudflare:index/dnsRecord:DnsRecord";

/** The state after a run of this config. */
const state: readonly StateResource[] = [
  of("aws:kms/key:Key", "encryption-key", { arn: ownKey }),
  of(instance, "database-instance", {
    identifier: "flagship-production",
    dbName: "flagship",
    username: "flagship",
    storageEncrypted: true,
    kmsKeyId: ownKey,
    engineVersion: "18.1",
  }),
  of("docker:index/volume:Volume", "cache-data", { name: "flagship-cache-data" }),
  of("aws:backup/vault:Vault", "backups-vault", { name: "flagship-production" }),
  of(bucket, "documents-bucket", {
    bucket: "flagship-production-documents",
    objectLockEnabled: false,
  }),
  of(bucket, "access-log-bucket", {
    bucket: "flagship-production-access-log",
    objectLockEnabled: false,
  }),
  of("cloudflare:index/r2Bucket:R2Bucket", "archive-bucket", {
    name: "flagship-production-archive",
    accountId: zone,
  }),
  of("aws:secretsmanager/secret:Secret", "jwt-secret", { name: "flagship/jwt" }),
  of(record, "dns-app.example.com", { zoneId: zone, content: "203.0.113.10" }),
  of(record, keptRecordName("dns-kept", caa), { zoneId: zone }),
  of("docker:index/container:Container", "blue-api-container", { name: "flagship-blue-api" }),
];

function of(type: string, name: string, outputs: Record<string, unknown>): StateResource {
  return { type, name, outputs };
}

/** The state with other outputs of one resource. */
function stateWith(name: string, outputs: Record<string, unknown>): StateResource[] {
  return state.map((one) =>
    one.name === name ? { ...one, outputs: { ...one.outputs, ...outputs } } : one,
  );
}

test("a run that changes nothing replaces nothing", () => {
  expect(replacedBy(config, state)).toEqual([]);
});

test("a stack that never ran has nothing to replace", () => {
  expect(replacedBy(config, [])).toEqual([]);
});

test("what is new in the stack config replaces nothing", () => {
  for (const { name } of state) {
    expect(
      replacedBy(
        config,
        state.filter((one) => one.name !== name),
      ),
    ).toEqual([]);
  }
});

describe("every property that only a replacement can change", () => {
  test.each<[string, string, unknown, string, string]>([
    [
      "database-instance",
      "identifier",
      "orders",
      "database flagship-production",
      "database.identifier",
    ],
    ["database-instance", "dbName", "orders", "database flagship-production", "database.name"],
    ["database-instance", "username", "root", "database flagship-production", "database.username"],
    [
      "database-instance",
      "storageEncrypted",
      false,
      "database flagship-production",
      "database.storageEncrypted",
    ],
    [
      "database-instance",
      "kmsKeyId",
      otherKey,
      "database flagship-production",
      "database.kmsKeyArn",
    ],
    ["cache-data", "name", "orders-cache-data", "volume flagship-cache-data", "system"],
    ["backups-vault", "name", "orders", "backup vault flagship-production", "backups.vault"],
    ["documents-bucket", "bucket", "orders", "bucket documents", "buckets.documents.name"],
    ["access-log-bucket", "bucket", "orders", "bucket access-log", "buckets.access-log.name"],
    [
      "documents-bucket",
      "objectLockEnabled",
      true,
      "bucket documents",
      "buckets.documents.objectLockDays",
    ],
    ["archive-bucket", "name", "orders", "bucket archive", "buckets.archive.name"],
    ["archive-bucket", "accountId", otherZone, "bucket archive", "buckets.archive.accountId"],
    ["jwt-secret", "name", "orders/jwt", "secret jwt", "secrets.jwt.name"],
    ["dns-app.example.com", "zoneId", otherZone, "record app.example.com", "dns.zones"],
    [
      keptRecordName("dns-kept", caa),
      "zoneId",
      otherZone,
      "record CAA of example.com",
      "dns.zones",
    ],
  ])("%s: %s", (name, property, value, resource, key) => {
    expect(replacedBy(config, stateWith(name, { [property]: value }))).toEqual([
      { resource, property, key },
    ]);
    // What the state does not know is nothing that a run could change.
    expect(replacedBy(config, stateWith(name, { [property]: undefined }))).toEqual([]);
  });

  test("all of them are named at once", () => {
    const moved = sampleConfig({
      ...config,
      database: { ...rds, identifier: "orders", username: "root" },
      backups: { ...base.backups!, vault: "orders" },
    });
    expect(replacedBy(moved, state).map(({ key }) => key)).toEqual([
      "database.identifier",
      "database.username",
      "backups.vault",
    ]);
  });

  test("others may change", () => {
    const other = stateWith("database-instance", { engineVersion: "17.0", allocatedStorage: 20 });
    expect(replacedBy(config, other)).toEqual([]);
  });
});

describe("a database", () => {
  const onKey = { ...config, database: { ...rds, kmsKeyArn: otherKey } };

  test("moves to no key of its own, and not back", () => {
    const replaced = [
      {
        resource: "database flagship-production",
        property: "kmsKeyId",
        key: "database.kmsKeyArn",
      },
    ];
    expect(replacedBy(onKey, state)).toEqual(replaced);
    const there = stateWith("database-instance", { kmsKeyId: otherKey });
    expect(replacedBy(onKey, there)).toEqual([]);
    expect(replacedBy(config, there)).toEqual(replaced);
  });

  test("that was taken over keeps its name, and its key where none is named", () => {
    const adopted = { ...config, database: { ...rds, adopt: true } };
    const there = stateWith("database-instance", { dbName: "old", kmsKeyId: otherKey });
    expect(replacedBy(adopted, there)).toEqual([]);
    const named = { ...onKey, database: { ...onKey.database, adopt: true } };
    expect(replacedBy(named, stateWith("database-instance", { kmsKeyId: ownKey }))).toHaveLength(1);
  });

  test("in a container is its volume", () => {
    const database = databaseConfig.parse({
      ...{ kind: "container", name: "flagship", username: "flagship", engineVersion: "18.1" },
      ...{ address: "203.0.113.50", port: 5432, image, memoryMib: 1024 },
      dumps: { bucket: "documents", keepDays: 30 },
    });
    const rest = state.filter(({ type }) => type !== instance);
    const volume = of("docker:index/volume:Volume", "database-data", {
      name: "flagship-database-data",
    });
    expect(replacedBy({ ...config, database }, [...rest, volume])).toEqual([]);
    expect(replacedBy({ ...config, system: "other", database }, [...rest, volume])).toEqual([
      { resource: "volume other-database-data", property: "name", key: "system" },
      { resource: "volume other-cache-data", property: "name", key: "system" },
    ]);
    expect(replacedBy({ ...config, database }, state)).toEqual([
      { resource: "database database-instance", property: null, key: null },
    ]);
  });
});

describe("what is no longer declared", () => {
  const { backups: _vault, ...withoutVault } = config;
  const { documents: _documents, ...otherBuckets } = config.buckets;
  const { archive: _archive, ...withoutArchive } = config.buckets;

  test.each<[string, Config, string]>([
    ["a vault", withoutVault, "vault backups-vault"],
    ["an S3 bucket", { ...config, buckets: otherBuckets }, "bucket documents-bucket"],
    ["an R2 bucket", { ...config, buckets: withoutArchive }, "archive archive-bucket"],
    ["a secret", { ...config, secrets: {} }, "secret jwt-secret"],
    [
      "a name that moved",
      { ...config, dns: { ...config.dns, names: {} } },
      "record dns-app.example.com",
    ],
    [
      "a kept record",
      { ...config, dns: { ...config.dns, kept: [] } },
      `record ${keptRecordName("dns-kept", caa)}`,
    ],
    ["a volume", { ...config, services: base.services }, "volume cache-data"],
  ])("is named: %s", (_, changed, resource) => {
    expect(replacedBy(changed, state)).toEqual([{ resource, property: null, key: null }]);
  });

  test("a bucket that moved to another store is one that was dropped", () => {
    const moved = { store: "r2", accountId: zone, name: "flagship-documents", lockDays: 30 };
    const documents = bucketConfig.parse(moved);
    const buckets = { ...config.buckets, documents };
    expect(replacedBy({ ...config, buckets }, state)).toEqual([
      { resource: "bucket documents-bucket", property: null, key: null },
    ]);
  });

  test("containers come and go", () => {
    const gone = of("docker:index/container:Container", "green-api-container", { name: "x" });
    expect(replacedBy(config, [...state, gone])).toEqual([]);
  });
});
