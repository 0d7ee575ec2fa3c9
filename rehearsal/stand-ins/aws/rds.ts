import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Call, Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf, type Known } from "../kind.ts";
import {
  copyFolder,
  createServer,
  newAdminPassword,
  removeData,
  removeLeftovers,
  restoreServer,
  startServer,
  type DatabaseServer,
  type ServerSettings,
} from "../postgres.ts";
import type { Collection } from "../store.ts";
import { arn, arnOf, requireKey, tags, whole, type Account } from "./account.ts";

/** What RDS keeps of an instance. */
interface InstanceRecord extends ServerSettings {
  readonly identifier: string;
  readonly resourceId: string;
  readonly status: "creating" | "available";
  readonly username: string;
  readonly dbName: string | undefined;
  readonly engineVersion: string | undefined;
  readonly allocatedStorage: number;
  readonly storageEncrypted: boolean;
  readonly kmsKeyId: string | undefined;
  readonly deletionProtection: boolean;
  readonly parameterGroupName: string | undefined;
}

/** What RDS keeps of a snapshot: what it was taken of, and when. */
interface SnapshotRecord extends Omit<InstanceRecord, "address" | "deletionProtection"> {
  readonly snapshotIdentifier: string;
  readonly createdAt: string;
}

/** RDS: real PostgreSQL servers, real copies of their data and real restores. */
export interface Rds {
  readonly types: Record<string, ResourceType>;
  close(): Promise<void>;
}

/** Opens RDS: the instances of its memory run again. What was not finished when it went never was. */
export async function openRds(account: Account): Promise<Rds> {
  const { store } = account;
  await removeLeftovers();
  const rds: Service = {
    account,
    instances: store.collection("aws-rds-instances"),
    snapshots: store.collection("aws-rds-snapshots"),
    groups: store.collection("aws-rds-parameter-groups"),
    servers: new Map(),
  };
  const close = async (): Promise<void> => {
    await Promise.all([...rds.servers.values()].map((server) => server.stop()));
  };
  const opened = await Promise.allSettled([
    ...rds.instances.items().map((record) => resume(rds, record)),
    ...rds.snapshots.items().map(async (record) => {
      if (record.status === "creating") await forgetSnapshot(rds, record);
    }),
  ]);
  const failed = opened.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") {
    await close();
    throw failed.reason;
  }
  return {
    types: {
      "aws:rds/instance:Instance": instanceType(rds),
      "aws:rds/snapshot:Snapshot": snapshotType(rds),
      "aws:rds/parameterGroup:ParameterGroup": parameterGroupType(rds),
    },
    close,
  };
}

async function resume(rds: Service, record: InstanceRecord): Promise<void> {
  if (record.status === "creating") return forget(rds, record);
  rds.servers.set(record.identifier, await startServer(instanceFolder(rds, record), record));
}

interface Service {
  readonly account: Account;
  readonly instances: Collection<InstanceRecord>;
  readonly snapshots: Collection<SnapshotRecord>;
  readonly groups: Collection<ParameterGroupRecord>;
  readonly servers: Map<string, DatabaseServer>;
}

interface ParameterGroupRecord {
  readonly arn: string;
  readonly family: string;
}

const firstDatabase = 50;
const lastDatabase = 249;

const identifier = z.string().regex(/^[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)$/, {
  error:
    "must begin with a letter and hold only lowercase letters, digits and single hyphens, not at the end",
});

const snapshotName = z.string().regex(/^[A-Za-z](?!.*--)[0-9A-Za-z-]{0,254}(?<!-)$/, {
  error:
    "must begin with a letter and hold only letters, digits and single hyphens, not at the end",
});

const instanceInputs = z.strictObject({
  allocatedStorage: z.int().optional(),
  allowMajorVersionUpgrade: z.boolean().optional(),
  applyImmediately: z.boolean().optional(),
  autoMinorVersionUpgrade: z.boolean().default(true),
  availabilityZone: z.string().optional(),
  backupRetentionPeriod: z.int().default(0),
  backupWindow: z.string().optional(),
  caCertIdentifier: z.string().optional(),
  copyTagsToSnapshot: z.boolean().default(false),
  dbName: z.string().optional(),
  dbSubnetGroupName: z.string().optional(),
  deleteAutomatedBackups: z.boolean().default(true),
  deletionProtection: z.boolean().default(false),
  enabledCloudwatchLogsExports: z.array(z.enum(["postgresql", "upgrade"])).optional(),
  engine: z.literal("postgres", { error: "the rehearsal only has postgres" }).optional(),
  engineVersion: z.string().optional(),
  finalSnapshotIdentifier: snapshotName.optional(),
  identifier,
  instanceClass: z.string(),
  kmsKeyId: arn.optional(),
  maintenanceWindow: z.string().optional(),
  maxAllocatedStorage: z.int().optional(),
  monitoringInterval: z.literal([0, 1, 5, 10, 15, 30, 60]).optional(),
  multiAz: z.boolean().optional(),
  parameterGroupName: z.string().optional(),
  password: z.string().optional(),
  performanceInsightsEnabled: z.boolean().default(false),
  port: whole(1150, 65_535).optional(),
  publiclyAccessible: z.boolean().default(false),
  skipFinalSnapshot: z.boolean().default(false),
  snapshotIdentifier: z.string().optional(),
  storageEncrypted: z.boolean().default(false),
  storageType: z.enum(["standard", "gp2", "gp3", "io1", "io2"]).optional(),
  tags,
  username: z.string().optional(),
  vpcSecurityGroupIds: z.array(z.string()).optional(),
});

type InstanceInputs = z.output<typeof instanceInputs>;

const replacedOn = new Set([
  "availabilityZone",
  "dbName",
  "engine",
  "identifier",
  "kmsKeyId",
  "snapshotIdentifier",
  "storageEncrypted",
  "username",
]);

const computedOutputs = [
  "arn",
  "address",
  "endpoint",
  "hostedZoneId",
  "port",
  "resourceId",
  "status",
];

function instanceType(rds: Service): ResourceType {
  return standIn({
    inputs: instanceInputs,
    replaceOn: (name) => replacedOn.has(name),
    physicalName: "identifier",
    async create(inputs, call) {
      const record = admit(rds, inputs);
      rds.instances.set(record.identifier, record);
      try {
        mkdirSync(instanceFolder(rds, record), { recursive: true });
        const server = await provision(rds, record, inputs);
        rds.servers.set(record.identifier, server);
        warnOfVersion(call, inputs, server);
        rds.instances.set(record.identifier, { ...record, status: "available" });
        return { id: record.resourceId, outputs: outputsOf(rds, record, server) };
      } catch (error) {
        await forget(rds, record);
        throw error;
      }
    },
    async update(olds, inputs) {
      const record = requireInstance(rds, inputs.identifier, "RDS: ModifyDBInstance");
      judgeChange(rds, record, inputs);
      const { password } = inputs;
      if (password !== undefined && password !== olds.inputs["password"]) {
        const { username } = record;
        await rds.servers.get(record.identifier)?.setPassword({ username, password });
      }
      rds.instances.set(record.identifier, {
        ...record,
        allocatedStorage: inputs.allocatedStorage ?? record.allocatedStorage,
        deletionProtection: inputs.deletionProtection,
        parameterGroupName: inputs.parameterGroupName,
        engineVersion: inputs.engineVersion ?? record.engineVersion,
      });
      return computedOf(olds, [...computedOutputs, "engineVersionActual", "username"]);
    },
    exists: (olds) => rds.instances.get(textOf(olds, "identifier")) !== undefined,
    async delete(olds) {
      const record = rds.instances.get(textOf(olds, "identifier"));
      if (record === undefined) return;
      if (record.deletionProtection) {
        throw new ApiError(
          "RDS: DeleteDBInstance",
          "InvalidParameterCombination",
          "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        );
      }
      await keepFinalSnapshot(rds, record, olds);
      await rds.servers.get(record.identifier)?.stop();
      await forget(rds, record);
    },
  });
}

/** Judges a request as RDS does, and says what the instance will be. */
function admit(rds: Service, inputs: InstanceInputs): InstanceRecord {
  const restored = inputs.snapshotIdentifier;
  const operation =
    restored === undefined ? "RDS: CreateDBInstance" : "RDS: RestoreDBInstanceFromDBSnapshot";
  const snapshot = restored === undefined ? undefined : requireSnapshot(rds, restored, operation);
  if (rds.instances.get(inputs.identifier) !== undefined) {
    throw new ApiError(operation, "DBInstanceAlreadyExists", "DB instance already exists");
  }
  if (snapshot === undefined) judgeNew(inputs, operation);
  judgeSettings(rds, inputs, operation);
  requireKey(rds.account, inputs.kmsKeyId, operation);
  return {
    identifier: inputs.identifier,
    resourceId: `db-${randomBytes(13).toString("hex").toUpperCase()}`,
    status: "creating",
    address: freeAddress(rds),
    port: inputs.port ?? rds.account.network.databasePort,
    adminPassword: snapshot?.adminPassword ?? newAdminPassword(),
    username: snapshot?.username ?? inputs.username ?? "",
    dbName: snapshot?.dbName ?? inputs.dbName,
    engineVersion: inputs.engineVersion ?? snapshot?.engineVersion,
    allocatedStorage: inputs.allocatedStorage ?? snapshot?.allocatedStorage ?? 0,
    storageEncrypted: snapshot?.storageEncrypted ?? inputs.storageEncrypted,
    kmsKeyId: snapshot?.kmsKeyId ?? inputs.kmsKeyId,
    deletionProtection: inputs.deletionProtection,
    parameterGroupName: inputs.parameterGroupName,
  };
}

function judgeNew(inputs: InstanceInputs, operation: string): void {
  for (const name of ["allocatedStorage", "engine", "username", "password"] as const) {
    if (inputs[name] === undefined) {
      throw new ApiError(operation, "MissingParameter", `"${name}": required field is not set`);
    }
  }
  if (["admin", "rdsadmin", "rds_superuser"].includes(inputs.username ?? "")) {
    throw new ApiError(
      operation,
      "InvalidParameterValue",
      `MasterUsername ${String(inputs.username)} cannot be used as it is a reserved word used by the engine`,
    );
  }
  if ((inputs.allocatedStorage ?? 0) < 20) {
    throw new ApiError(
      operation,
      "InvalidParameterValue",
      "Invalid storage size for engine name postgres and storage type gp2: it must be at least 20 GiB",
    );
  }
}

function judgeSettings(rds: Service, inputs: InstanceInputs, operation: string): void {
  const { backupRetentionPeriod, parameterGroupName, password, kmsKeyId } = inputs;
  const refuse = (code: string, message: string): never => {
    throw new ApiError(operation, code, message);
  };
  if (backupRetentionPeriod < 0 || backupRetentionPeriod > 35) {
    refuse(
      "InvalidParameterValue",
      `Invalid backup retention period: ${String(backupRetentionPeriod)}. It must be between 0 and 35`,
    );
  }
  if (password !== undefined && !/^[!#-.0-?A-~]{8,128}$/.test(password)) {
    refuse(
      "InvalidParameterValue",
      "The parameter MasterUserPassword is not a valid password. It must be 8 to 128 printable ASCII " +
        "characters besides '/', '@', '\"', ' '.",
    );
  }
  if (kmsKeyId !== undefined && !inputs.storageEncrypted) {
    refuse(
      "InvalidParameterCombination",
      "You must enable storage encryption if you specify a KMS key",
    );
  }
  const group = parameterGroupName === undefined ? undefined : rds.groups.get(parameterGroupName);
  if (parameterGroupName !== undefined && group === undefined) {
    refuse("DBParameterGroupNotFound", `DBParameterGroup not found: ${parameterGroupName}`);
  }
  const family = `postgres${majorOf(inputs.engineVersion) ?? ""}`;
  if (group !== undefined && inputs.engineVersion !== undefined && group.family !== family) {
    refuse(
      "InvalidParameterCombination",
      `The parameter group ${String(parameterGroupName)} with DBParameterGroupFamily ${group.family} ` +
        `can't be used for this instance. Please use a Parameter Group with DBParameterGroupFamily ${family}`,
    );
  }
}

function judgeChange(rds: Service, record: InstanceRecord, inputs: InstanceInputs): void {
  const operation = "RDS: ModifyDBInstance";
  judgeSettings(rds, inputs, operation);
  if ((inputs.allocatedStorage ?? record.allocatedStorage) < record.allocatedStorage) {
    throw new ApiError(
      operation,
      "InvalidParameterCombination",
      "Invalid storage size: you can't reduce the amount of storage allocated",
    );
  }
  const wanted = majorOf(inputs.engineVersion) ?? majorOf(record.engineVersion);
  if (wanted !== majorOf(record.engineVersion)) {
    throw new ApiError(
      operation,
      "InvalidParameterCombination",
      "the rehearsal does not upgrade PostgreSQL to another major version",
    );
  }
}

function provision(
  rds: Service,
  record: InstanceRecord,
  inputs: InstanceInputs,
): Promise<DatabaseServer> {
  const folder = instanceFolder(rds, record);
  const { snapshotIdentifier, password } = inputs;
  const { username } = record;
  if (snapshotIdentifier === undefined) {
    const master = { username, password: password ?? "" };
    return createServer(folder, record, master, record.dbName);
  }
  const copy = copyFolder(snapshotFolder(rds, snapshotIdentifier));
  return restoreServer(copy, folder, record).then(async (server) => {
    if (password !== undefined) await server.setPassword({ username, password });
    return server;
  });
}

function warnOfVersion(
  call: Call,
  { engineVersion }: InstanceInputs,
  server: DatabaseServer,
): void {
  const wanted = majorOf(engineVersion);
  if (wanted === undefined || wanted === majorOf(server.version)) return;
  call.log(
    "warning",
    `The rehearsal runs PostgreSQL ${server.version}, not ${String(engineVersion)}: what differs between ` +
      "them is not rehearsed",
  );
}

function majorOf(version: string | undefined): string | undefined {
  return version?.split(".")[0];
}

function outputsOf(rds: Service, record: InstanceRecord, server: DatabaseServer): Properties {
  const { address, port, username, dbName, kmsKeyId, storageEncrypted, allocatedStorage } = record;
  return {
    arn: arnOf(rds.account, "rds", `db:${record.identifier}`),
    address,
    endpoint: `${address}:${String(port)}`,
    hostedZoneId: "Z2R2ITUGPM61AM",
    port,
    resourceId: record.resourceId,
    status: "available",
    engineVersionActual: record.engineVersion ?? server.version,
    allocatedStorage,
    storageEncrypted,
    username,
    dbName,
    kmsKeyId,
  };
}

function requireInstance(rds: Service, name: string, operation: string): InstanceRecord {
  const record = rds.instances.get(name);
  if (record !== undefined) return record;
  throw new ApiError(operation, "DBInstanceNotFound", `DBInstance ${name} not found.`);
}

function requireSnapshot(rds: Service, name: string, operation: string): SnapshotRecord {
  const record = rds.snapshots.get(name);
  if (record?.status === "available") return record;
  throw new ApiError(operation, "DBSnapshotNotFound", `DBSnapshot not found: ${name}`);
}

/** Every instance has an address of its own, as it has a host name of its own on RDS. */
function freeAddress({ account, instances }: Service): string {
  const taken = new Set(instances.items().map(({ address }) => address));
  for (let host = firstDatabase; host <= lastDatabase; host += 1) {
    const address = `${account.network.block}.${String(host)}`;
    if (!taken.has(address)) return address;
  }
  throw new ApiError(
    "RDS: CreateDBInstance",
    "InstanceQuotaExceeded",
    "Cannot create a DB instance because the instance quota has been met",
  );
}

async function forget(rds: Service, record: InstanceRecord): Promise<void> {
  rds.servers.delete(record.identifier);
  await removeData(instanceFolder(rds, record));
  rds.instances.delete(record.identifier);
}

function instanceFolder({ account }: Service, { resourceId }: InstanceRecord): string {
  return join(account.store.folder, "rds-instances", resourceId);
}

function snapshotFolder({ account }: Service, name: string): string {
  return join(account.store.folder, "rds-snapshots", name);
}

async function keepFinalSnapshot(rds: Service, record: InstanceRecord, olds: Known): Promise<void> {
  if (olds.inputs["skipFinalSnapshot"] === true) return;
  const name = textOf(olds, "finalSnapshotIdentifier");
  if (name === "") {
    throw new ApiError(
      "RDS: DeleteDBInstance",
      "InvalidParameterCombination",
      "final_snapshot_identifier is required when skip_final_snapshot is false",
    );
  }
  await takeSnapshot(rds, record, name, "RDS: DeleteDBInstance");
}

async function takeSnapshot(
  rds: Service,
  record: InstanceRecord,
  name: string,
  operation: string,
): Promise<SnapshotRecord> {
  if (rds.snapshots.get(name) !== undefined) {
    throw new ApiError(
      operation,
      "DBSnapshotAlreadyExists",
      `Cannot create the snapshot because a snapshot with the identifier ${name} already exists.`,
    );
  }
  const server = rds.servers.get(record.identifier);
  if (server === undefined || record.status !== "available") {
    throw new ApiError(
      operation,
      "InvalidDBInstanceState",
      `Instance ${record.identifier} is not in available state.`,
    );
  }
  const { address: _address, deletionProtection: _protected, ...kept } = record;
  const snapshot: SnapshotRecord = {
    ...kept,
    snapshotIdentifier: name,
    createdAt: new Date().toISOString(),
    status: "creating",
  };
  rds.snapshots.set(name, snapshot);
  try {
    mkdirSync(snapshotFolder(rds, name), { recursive: true });
    await server.copyTo(copyFolder(snapshotFolder(rds, name)));
  } catch (error) {
    await forgetSnapshot(rds, snapshot);
    throw error;
  }
  const done: SnapshotRecord = { ...snapshot, status: "available" };
  rds.snapshots.set(name, done);
  return done;
}

async function forgetSnapshot(rds: Service, { snapshotIdentifier }: SnapshotRecord): Promise<void> {
  await removeData(snapshotFolder(rds, snapshotIdentifier));
  rds.snapshots.delete(snapshotIdentifier);
}

const snapshotInputs = z.strictObject({
  dbInstanceIdentifier: z.string(),
  dbSnapshotIdentifier: snapshotName,
  tags,
});

function snapshotType(rds: Service): ResourceType {
  return standIn({
    inputs: snapshotInputs,
    replaceOn: (name) => name !== "tags",
    async create({ dbInstanceIdentifier, dbSnapshotIdentifier }) {
      const operation = "RDS: CreateDBSnapshot";
      const instance = requireInstance(rds, dbInstanceIdentifier, operation);
      const snapshot = await takeSnapshot(rds, instance, dbSnapshotIdentifier, operation);
      return { id: dbSnapshotIdentifier, outputs: snapshotOutputs(rds, snapshot) };
    },
    update: (olds) => {
      const snapshot = requireSnapshot(rds, olds.id, "RDS: ModifyDBSnapshotAttribute");
      return Promise.resolve(snapshotOutputs(rds, snapshot));
    },
    exists: ({ id }) => rds.snapshots.get(id) !== undefined,
    async delete({ id }) {
      const snapshot = rds.snapshots.get(id);
      if (snapshot !== undefined) await forgetSnapshot(rds, snapshot);
    },
  });
}

function snapshotOutputs(rds: Service, snapshot: SnapshotRecord): Properties {
  return {
    dbSnapshotArn: arnOf(rds.account, "rds", `snapshot:${snapshot.snapshotIdentifier}`),
    allocatedStorage: snapshot.allocatedStorage,
    availabilityZone: `${rds.account.region}a`,
    encrypted: snapshot.storageEncrypted,
    kmsKeyId: snapshot.kmsKeyId ?? "",
    engine: "postgres",
    engineVersion: snapshot.engineVersion,
    licenseModel: "postgresql-license",
    port: snapshot.port,
    snapshotType: "manual",
    status: "available",
    storageType: "gp2",
  };
}

const parameterGroupInputs = z.strictObject({
  name: identifier,
  family: z.string().regex(/^postgres\d+$/, { error: "the rehearsal only has postgres" }),
  description: z.string().optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string(),
        applyMethod: z.enum(["immediate", "pending-reboot"]).default("immediate"),
      }),
    )
    .optional(),
  tags,
});

/** Parameter groups are kept and named; their parameters do not reach the server. */
function parameterGroupType(rds: Service): ResourceType {
  return standIn({
    inputs: parameterGroupInputs,
    replaceOn: (name) => ["name", "family", "description"].includes(name),
    physicalName: "name",
    create({ name, family }) {
      if (rds.groups.get(name) !== undefined) {
        throw new ApiError(
          "RDS: CreateDBParameterGroup",
          "DBParameterGroupAlreadyExists",
          `Parameter group ${name} already exists`,
        );
      }
      const record = { arn: arnOf(rds.account, "rds", `pg:${name}`), family };
      rds.groups.set(name, record);
      return Promise.resolve({ id: name, outputs: { arn: record.arn } });
    },
    update: (olds) => Promise.resolve(computedOf(olds, ["arn"])),
    exists: ({ id }) => rds.groups.get(id) !== undefined,
    delete(olds) {
      const name = textOf(olds, "name");
      if (rds.instances.items().some(({ parameterGroupName }) => parameterGroupName === name)) {
        throw new ApiError(
          "RDS: DeleteDBParameterGroup",
          "InvalidDBParameterGroupState",
          `One or more database instances are still members of this parameter group ${name}, so the group cannot be deleted`,
        );
      }
      rds.groups.delete(name);
      return Promise.resolve();
    },
  });
}
