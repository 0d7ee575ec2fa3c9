import type * as pulumi from "@pulumi/pulumi";
import { Key } from "@pulumi/aws/kms/key.js";
import { Instance } from "@pulumi/aws/rds/instance.js";
import { Component, type StepOptions } from "../component.ts";
import type { Config } from "../config.ts";

/** What a database is made from: the config's `database` group and the master password. */
export interface DatabaseArgs {
  readonly settings: Config["database"];
  readonly password: pulumi.Output<string>;
  /** PEM of the server's CA; without it the connection is not encrypted. */
  readonly tlsCa: string | undefined;
}

/** How to reach a database. The password is a secret. */
export interface Connection {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly database: string;
  readonly user: string;
  readonly password: pulumi.Output<string>;
  readonly tlsCa?: string;
}

/** An RDS PostgreSQL: encrypted with its own key, backed up, protected from deletion. */
export class Database extends Component {
  readonly key: Key;
  readonly instance: Instance;
  readonly connection: Connection;

  constructor(name: string, args: DatabaseArgs, step: StepOptions) {
    super("databases:Database", name, step);
    this.key = this.#createKey(name);
    this.instance = this.#createInstance(name, args);
    this.connection = this.#connect(args);
    this.registerOutputs({ endpoint: this.instance.endpoint });
  }

  #createKey(name: string): Key {
    return new Key(
      `${name}-key`,
      {
        description: `Storage of database ${name}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
      },
      { ...this.child, protect: true },
    );
  }

  #createInstance(name: string, { settings, password }: DatabaseArgs): Instance {
    return new Instance(
      `${name}-instance`,
      {
        identifier: settings.identifier,
        engine: "postgres",
        engineVersion: settings.engineVersion,
        instanceClass: settings.instanceClass,
        allocatedStorage: settings.storageGib,
        dbName: settings.name,
        username: settings.username,
        password,
        storageEncrypted: settings.storageEncrypted,
        ...(settings.storageEncrypted ? { kmsKeyId: this.key.arn } : {}),
        backupRetentionPeriod: settings.backupRetentionDays,
        deletionProtection: settings.deletionProtection,
        skipFinalSnapshot: settings.skipFinalSnapshot,
        finalSnapshotIdentifier: `${settings.identifier}-final`,
        copyTagsToSnapshot: true,
        autoMinorVersionUpgrade: false,
        publiclyAccessible: false,
      },
      { ...this.child, protect: true },
    );
  }

  #connect({ settings, password, tlsCa }: DatabaseArgs): Connection {
    return {
      host: this.instance.address,
      port: this.instance.port,
      database: settings.name,
      user: settings.username,
      password,
      ...(tlsCa === undefined ? {} : { tlsCa }),
    };
  }
}
