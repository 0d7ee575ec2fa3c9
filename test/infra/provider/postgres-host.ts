import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import pg from "pg";
import { postgresContainer } from "../../../infra/databases/postgres-image.ts";
import { openRegistry } from "../../../rehearsal/registry/registry.ts";
import { startDaemon, type Daemon } from "../../../rehearsal/stand-ins/containers.ts";
import { startDockerApi } from "../../../rehearsal/stand-ins/docker-api.ts";
import { openStore } from "../../../rehearsal/stand-ins/store.ts";
import { startMoto, type AwsEnvironment } from "../../support/moto.ts";
import { freePort } from "../../support/postgres.ts";

/** A container host with one PostgreSQL container, and an S3 that has buckets `dumps` and, with a lock, `locked`. */
export interface PostgresHost {
  readonly daemon: Daemon;
  /** What `cutover:hosts` says of the container host. */
  readonly host: string;
  /** Image by digest. */
  readonly image: string;
  readonly environment: AwsEnvironment;
  readonly s3: S3Client;
  /** Runs statements in the container's database. */
  query(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** The name of the container. */
export const containerName = "flagship-database";

/** How to get into its database. */
export const login = { database: "flagship", user: "cutover", password: "right-password" };

export async function startPostgresHost(): Promise<PostgresHost> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-host-"));
  const images = join(folder, "images");
  await mkdir(images);
  await writeFile(
    join(images, "postgres.json"),
    JSON.stringify({
      repository: "registry.example.com/postgres",
      service: "postgres",
      version: "18.4",
      columns: [],
      faults: {},
    }),
  );
  const registry = openRegistry(images);
  const image = registry.images[0]?.reference ?? "";
  const daemon = await startDaemon(openStore(join(folder, "cloud")), registry);
  const api = await startDockerApi(daemon, folder);
  const moto = await startMoto();
  const s3 = new S3Client({
    endpoint: moto.endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "made-up-secret-key" },
  });
  await makeBuckets(s3);
  daemon.pull(image);
  const port = await freePort();
  const { envs } = postgresContainer({
    name: login.database,
    username: login.user,
    engineVersion: "18.4",
    memoryMib: 256,
  });
  const { id } = daemon.create({
    name: containerName,
    image,
    envs: [...envs, `POSTGRES_PASSWORD=${login.password}`],
    command: [],
    labels: {},
    ports: [{ internal: 5432, external: port, ip: "127.0.0.1" }],
    networks: [],
    volumes: [{ name: "data", path: "/var/lib/postgresql", readOnly: false }],
    healthCheck: undefined,
    restart: "no",
    maxRetryCount: 0,
    autoRemove: false,
    settings: {},
  });
  await daemon.start(id);
  return {
    daemon,
    host: api.host,
    image,
    environment: moto.environment,
    s3,
    async query(sql) {
      const client = new pg.Client({ host: "127.0.0.1", port, ...login });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    },
    async close() {
      s3.destroy();
      await api.close();
      await daemon.close();
      await moto.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeBuckets(s3: S3Client): Promise<void> {
  const where = { CreateBucketConfiguration: { LocationConstraint: "eu-central-1" } } as const;
  await s3.send(new CreateBucketCommand({ Bucket: "dumps", ...where }));
  const locked = { Bucket: "locked" };
  await s3.send(new CreateBucketCommand({ ...locked, ...where, ObjectLockEnabledForBucket: true }));
  await s3.send(
    new PutBucketVersioningCommand({ ...locked, VersioningConfiguration: { Status: "Enabled" } }),
  );
  await s3.send(
    new PutObjectLockConfigurationCommand({
      ...locked,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } },
      },
    }),
  );
}
