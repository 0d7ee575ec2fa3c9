import * as pulumi from "@pulumi/pulumi";
import { Instance, type InstanceArgs } from "@pulumi/aws/rds/instance.js";
import { Snapshot } from "@pulumi/aws/rds/snapshot.js";
import { Component, type StepOptions } from "../component.ts";
import { BlueGreen, BlueRemoval } from "./blue-green.ts";
import type { RdsConfig } from "./config.ts";
import type {
  Connection,
  DatabaseArgs,
  RecoveryPoint,
  RecoveryPointArgs,
  ReleaseDatabase,
  RestoreSource,
} from "./database.ts";
import { GeneratedPassword } from "./generated-password.ts";
import { addressOf, importOf, secretArnOf } from "./instance-state.ts";
import { groupName, parameterGroups } from "./parameter-group.ts";

/** RDS makes the new instance of an upgrade from a snapshot, which takes the longer the more there is. */
const upgradeSeconds = 4 * 60 * 60;

/** RDS deletes an instance within minutes. */
const removalSeconds = 60 * 60;

/** An RDS PostgreSQL: encrypted, backed up, protected from deletion. */
export class RdsDatabase extends Component implements ReleaseDatabase {
  readonly resource: pulumi.Resource = this;
  readonly connection: Connection;
  readonly backedUp: readonly pulumi.Input<string>[];
  readonly restoresFrom: RestoreSource;
  readonly #settings: RdsConfig;
  readonly #region: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs<RdsConfig>, step: StepOptions) {
    super("databases:RdsDatabase", name, step);
    const { settings } = args;
    const groups = parameterGroups(name, settings, this.child);
    const password = this.#createPassword(name, args);
    const instance = this.#createInstance(name, args, password, groups);
    this.connection = connectionTo(instance, args, password);
    this.backedUp = [instance.arn];
    this.#settings = settings;
    this.#region = instance.arn.apply((arn) => arn.split(":")[3] ?? "");
    this.restoresFrom = { kind: "rds", identifier: settings.identifier, region: this.#region };
    this.registerOutputs({ endpoint: instance.endpoint });
  }

  takeRecoveryPoint(
    name: string,
    { release, token }: RecoveryPointArgs,
    step: StepOptions,
  ): RecoveryPoint {
    const { identifier } = this.#settings;
    const version = release.replaceAll(".", "-");
    const resource = new Snapshot(
      name,
      {
        dbInstanceIdentifier: identifier,
        dbSnapshotIdentifier: pulumi.interpolate`${identifier}-${version}-${token.apply((text) => text.slice(0, 8))}`,
        tags: { "cutover:release": release },
      },
      { ...step, retainOnDelete: true },
    );
    return { resource, id: resource.dbSnapshotIdentifier };
  }

  /** Brings the instance to `upgradeTo`; undefined where the stack config names no version. */
  upgrade(name: string, args: RecoveryPointArgs, step: StepOptions): BlueGreen | undefined {
    const { identifier, upgradeTo, parameterGroup } = this.#settings;
    if (upgradeTo === undefined) return undefined;
    return new BlueGreen(
      name,
      {
        ...args,
        identifier,
        targetVersion: upgradeTo,
        parameterGroup: parameterGroup ?? groupName(this.#settings, upgradeTo),
        region: this.#region,
        connection: this.connection,
        deadlineSeconds: upgradeSeconds,
      },
      step,
    );
  }

  /** Deletes what an upgrade kept beside the instance that serves. */
  removeBlue(name: string, upgrade: BlueGreen, step: StepOptions): BlueRemoval {
    const { blue, blueResourceId, finalSnapshot } = upgrade;
    return new BlueRemoval(
      name,
      {
        identifier: this.#settings.identifier,
        blue,
        blueResourceId,
        finalSnapshot,
        region: this.#region,
        deadlineSeconds: removalSeconds,
      },
      step,
    );
  }

  #createPassword(
    name: string,
    { settings, password }: DatabaseArgs<RdsConfig>,
  ): pulumi.Output<string> | undefined {
    if (settings.password !== "generated") return password;
    const opts = { ...this.child, protect: true };
    return new GeneratedPassword(`${name}-password`, { of: settings.identifier }, opts).password;
  }

  #createInstance(
    name: string,
    args: DatabaseArgs<RdsConfig>,
    password: pulumi.Output<string> | undefined,
    groups: readonly pulumi.Resource[],
  ): Instance {
    return new Instance(
      `${name}-instance`,
      { ...instanceArgs(args), ...passwordArgs(args, password) },
      {
        ...this.after(...groups),
        protect: true,
        // What the engine let go of would be deleted by its name, which another instance may have by then.
        retainOnDelete: true,
        ...importOf(args.settings, args.upgraded),
      },
    );
  }
}

/** Physical names are plain texts, so that the gates can tell what belongs together before anything exists. */
function instanceArgs({ settings, kmsKeyArn, upgraded }: DatabaseArgs<RdsConfig>): InstanceArgs {
  const { identifier, parameterGroup, storageEncrypted } = settings;
  const isUpgraded = upgraded !== undefined && upgraded.version === settings.upgradeTo;
  const engineVersion = isUpgraded ? upgraded.version : settings.engineVersion;
  return {
    identifier,
    engine: "postgres",
    engineVersion,
    instanceClass: settings.instanceClass,
    allocatedStorage: settings.storageGib,
    dbName: settings.name,
    username: settings.username,
    parameterGroupName: parameterGroup ?? groupName(settings, engineVersion),
    storageEncrypted,
    ...(storageEncrypted ? { kmsKeyId: settings.kmsKeyArn ?? kmsKeyArn } : {}),
    backupRetentionPeriod: settings.backupRetentionDays,
    deletionProtection: settings.deletionProtection,
    skipFinalSnapshot: settings.skipFinalSnapshot,
    finalSnapshotIdentifier: `${identifier}-final`,
    copyTagsToSnapshot: true,
    autoMinorVersionUpgrade: false,
    publiclyAccessible: false,
  };
}

function passwordArgs(
  { settings, kmsKeyArn }: DatabaseArgs<RdsConfig>,
  password: pulumi.Output<string> | undefined,
): Pick<InstanceArgs, "password" | "manageMasterUserPassword" | "masterUserSecretKmsKeyId"> {
  if (settings.password === "secrets-manager") {
    const masterUserSecretKmsKeyId = settings.kmsKeyArn ?? kmsKeyArn;
    return { manageMasterUserPassword: true, masterUserSecretKmsKeyId };
  }
  return password === undefined ? {} : { password };
}

function connectionTo(
  instance: Instance,
  { settings, tlsCa }: DatabaseArgs<RdsConfig>,
  password: pulumi.Output<string> | undefined,
): Connection {
  return {
    host: pulumi
      .all([instance.identifier, instance.address])
      .apply(([found, address]) => addressOf(settings, found, address)),
    port: instance.port,
    database: settings.name,
    user: settings.username,
    ...(settings.password === "secrets-manager"
      ? {
          passwordSecretArn: instance.masterUserSecrets.apply((kept) =>
            secretArnOf(settings, kept),
          ),
        }
      : { password: password ?? pulumi.secret("") }),
    ...(tlsCa === undefined ? {} : { tlsCa }),
  };
}
