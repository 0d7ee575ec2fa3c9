import * as pulumi from "@pulumi/pulumi";
import type { StepOptions } from "../component.ts";
import type { BucketTable } from "../buckets/declare.ts";
import type { StorePlace } from "../provider/object-store.ts";
import type { BlueGreen } from "./blue-green.ts";
import type { DatabaseConfig } from "./config.ts";
import { ContainerDatabase } from "./container.ts";
import { RdsDatabase } from "./rds.ts";

/** How to reach a database, with its password or with the secret that keeps it. */
export interface Connection {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly database: string;
  readonly user: string;
  /** A secret; undefined where another one keeps it. */
  readonly password?: pulumi.Output<string>;
  /** ARN of the secret in AWS Secrets Manager that RDS keeps the password in. */
  readonly passwordSecretArn?: pulumi.Output<string>;
  readonly tlsCa?: string;
}

/** How to reach a database whose password is known. */
export interface PasswordConnection extends Connection {
  readonly password: pulumi.Output<string>;
}

/** A recovery point that was taken while writes were frozen. */
export interface RecoveryPoint {
  readonly resource: pulumi.Resource;
  /** The name by which the store of recovery points knows it. */
  readonly id: pulumi.Output<string>;
}

/** What a recovery point is taken for. */
export interface RecoveryPointArgs {
  readonly stack: string;
  readonly release: string;
  /** Identifies the freeze: a later one of the same release has another token, and a recovery point of its own. */
  readonly token: pulumi.Output<string>;
}

/** Where a restore test finds recovery points, and what it restores them into. */
export type RestoreSource =
  | { readonly kind: "rds"; readonly identifier: string; readonly region?: pulumi.Input<string> }
  | {
      readonly kind: "container";
      readonly system: string;
      /** Name of the container that the database runs in. */
      readonly container: string;
      /** Address of its container daemon; the default one where it is absent. */
      readonly host?: string | undefined;
      readonly image: string;
      readonly engineVersion: string;
      /** MiB. */
      readonly memory: number;
      readonly store: StorePlace;
    };

/** The database that a release moves on, wherever it runs. */
export interface ReleaseDatabase {
  /** What the steps behind the database wait for. */
  readonly resource: pulumi.Resource;
  readonly connection: Connection;
  /** ARNs of what AWS Backup keeps recovery points of; none where the database makes its own. */
  readonly backedUp: readonly pulumi.Input<string>[];
  readonly restoresFrom: RestoreSource;
  takeRecoveryPoint(name: string, args: RecoveryPointArgs, step: StepOptions): RecoveryPoint;
  /** Brings it to another version of its engine; undefined where the stack config names none. */
  upgrade?(name: string, args: RecoveryPointArgs, step: StepOptions): BlueGreen | undefined;
  /** Deletes what an upgrade kept beside it. */
  removeBlue?(name: string, upgrade: BlueGreen, step: StepOptions): pulumi.Resource;
}

/** What the stack's state says of a blue/green upgrade that was done. */
export interface UpgradeState {
  /** RDS's own id of the instance that serves since. */
  readonly resourceId: string;
  /** The version of PostgreSQL that it has. */
  readonly version: string;
}

/** What a database is made from. */
export interface DatabaseArgs<Settings extends DatabaseConfig = DatabaseConfig> {
  readonly settings: Settings;
  /** Where the stack config has it. */
  readonly password: pulumi.Output<string> | undefined;
  /** PEM of the server's CA; without it the connection is not encrypted. */
  readonly tlsCa: string | undefined;
  readonly kmsKeyArn: pulumi.Input<string>;
  /** The upgrade that the stack's state tells of; undefined before one. */
  readonly upgraded?: UpgradeState | undefined;
  /** Name of the system: what runs in a container is named for it, and joins its network. */
  readonly system: string;
  /** The table `hosts`. */
  readonly hosts: Readonly<Record<string, string>>;
  /** The table `buckets`: dumps go to one of them. */
  readonly buckets: BucketTable;
  /** How long a container may take to be healthy. */
  readonly healthSeconds: number;
}

/** Declares the database of the stack config. */
export function declareDatabase(
  name: string,
  args: DatabaseArgs,
  step: StepOptions,
): ReleaseDatabase {
  const { settings } = args;
  if (settings.kind === "rds") return new RdsDatabase(name, { ...args, settings }, step);
  return new ContainerDatabase(name, { ...args, settings }, step);
}

/**
 * What a service is told to reach its database: `DATABASE_URL`, a secret. Where AWS Secrets Manager keeps the password,
 * it is told where instead, because the password changes while it runs: `DATABASE_SECRET_ARN`, `DATABASE_HOST`,
 * `DATABASE_PORT`, `DATABASE_NAME`, `DATABASE_USER`, and `DATABASE_SSLMODE` where TLS is wanted.
 */
export function environmentOf(connection: Connection): Record<string, pulumi.Input<string>> {
  const { host, port, database, user, passwordSecretArn, tlsCa } = connection;
  if (passwordSecretArn === undefined) return { DATABASE_URL: connectionUrl(connection) };
  return {
    DATABASE_SECRET_ARN: passwordSecretArn,
    DATABASE_HOST: host,
    DATABASE_PORT: pulumi.interpolate`${port}`,
    DATABASE_NAME: database,
    DATABASE_USER: user,
    ...(tlsCa === undefined ? {} : { DATABASE_SSLMODE: "require" }),
  };
}

/**
 * How a service reaches its database, as one secret text.
 *
 * @throws when another secret keeps the password
 */
export function connectionUrl(connection: Connection): pulumi.Output<string> {
  const { host, port, user, database, password, tlsCa } = connection;
  if (password === undefined) throw new Error("A secret keeps this password: see environmentOf.");
  const secret = password.apply((text) => encodeURIComponent(text));
  const tls = tlsCa === undefined ? "" : "?sslmode=require";
  return pulumi.interpolate`postgres://${user}:${secret}@${host}:${port}/${database}${tls}`;
}
