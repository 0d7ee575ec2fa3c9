import { z } from "zod";
import { address, imageByDigest, key, port, tableName } from "../config-key.ts";

const common = {
  name: key(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), "a PostgreSQL database name", "flagship"),
  username: key(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), "a PostgreSQL role", "cutover"),
  engineVersion: key(z.string().regex(/^\d+(\.\d+)?$/), "a PostgreSQL version", "18.1"),
};

/** An RDS instance: a new one, or one that is adopted as it is. */
const rds = z.strictObject({
  kind: z.literal("rds"),
  ...common,
  identifier: key(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), "an RDS identifier", "flagship"),
  adopt: key(
    z.boolean().default(false),
    "true takes an instance over that exists already, false makes one",
    "true",
  ),
  instanceClass: key(z.string().startsWith("db."), "an RDS instance class", "db.t4g.small"),
  storageGib: key(z.number().int().min(20), "whole GiB, at least 20", "20"),
  storageEncrypted: key(z.boolean().default(true), "true or false", "true"),
  kmsKeyArn: key(
    z.string().startsWith("arn:").optional(),
    "the ARN of a KMS key; without it the stack makes one",
    "arn:aws:kms:eu-central-1:123456789012:key/…",
  ),
  backupRetentionDays: key(z.number().int().min(0).max(35), "whole days, 0 to 35", "7"),
  deletionProtection: key(z.boolean().default(true), "true or false", "true"),
  skipFinalSnapshot: key(z.boolean().default(false), "true or false", "false"),
  tlsForced: key(
    z.boolean().default(true),
    "true refuses connections without TLS, false lets them in",
    "true",
  ),
  caFile: key(
    z.string().min(1).optional(),
    "a PEM file with the server's CA, from the project's top",
    "rds-ca.pem",
  ),
  parameterGroup: key(
    z
      .string()
      .regex(/^[a-z][a-z0-9.-]{0,254}$/)
      .optional(),
    "the name of a parameter group that exists already; without it the stack makes one",
    "flagship-tuned",
  ),
  password: key(
    z.enum(["config", "generated", "secrets-manager"]).default("config"),
    "where the master password comes from: config (cutover:databasePassword), generated (a secret of the stack) or secrets-manager (RDS keeps and rotates it)",
    "generated",
  ),
  /** Set while the engine is upgraded by a blue/green deployment. */
  upgradeTo: key(
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .optional(),
    "the PostgreSQL version that a blue/green deployment brings",
    "18.2",
  ),
});

/** A PostgreSQL server in a container of our own, with its volume and its dumps. */
const container = z.strictObject({
  kind: z.literal("container"),
  ...common,
  address,
  port,
  image: imageByDigest,
  memoryMib: key(z.number().int().min(16), "whole MiB it may use", "1024"),
  dumps: z.strictObject({
    bucket: key(tableName, "the name of a bucket in cutover:buckets", "backups"),
    keepDays: key(z.number().int().min(0), "whole days a dump is kept", "30"),
  }),
});

/** The group `database`: the one database that a release of the system moves on. */
export const databaseConfig = z.discriminatedUnion("kind", [rds, container]);

/** A database of the stack config. */
export type DatabaseConfig = z.infer<typeof databaseConfig>;

/** An RDS instance of the stack config. */
export type RdsConfig = z.infer<typeof rds>;

/** A PostgreSQL container of the stack config. */
export type ContainerDatabaseConfig = z.infer<typeof container>;
