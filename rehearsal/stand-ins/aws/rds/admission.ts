import { randomBytes } from "node:crypto";
import { ApiError, type Known } from "../../kind.ts";
import { newAdminPassword } from "../../postgres.ts";
import { requireKey } from "../account.ts";
import { describedBy, type InstanceInputs } from "./instance-inputs.ts";
import { requireSnapshot, type InstanceRecord, type Service } from "./service.ts";

const firstDatabase = 50;
const lastDatabase = 249;

/** Names of the CAs that RDS has; the first is the one that it takes by itself. */
export const certificateAuthorities: readonly [string, ...string[]] = [
  "rds-ca-rsa2048-g1",
  "rds-ca-rsa4096-g1",
  "rds-ca-ecc384-g1",
];

/** Judges a request as RDS does, and says what the instance will be. */
export function admit(rds: Service, inputs: InstanceInputs): InstanceRecord {
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
    described: describedBy(inputs),
  };
}

function judgeNew(inputs: InstanceInputs, operation: string): void {
  for (const name of ["allocatedStorage", "engine", "username", "password"] as const) {
    const isManaged = name === "password" && inputs.manageMasterUserPassword === true;
    if (inputs[name] === undefined && !isManaged) {
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
  if (inputs.masterUserSecretKmsKeyId !== undefined && inputs.manageMasterUserPassword !== true) {
    refuse(
      "InvalidParameterCombination",
      "You can only specify MasterUserSecretKmsKeyId when ManageMasterUserPassword is enabled",
    );
  }
  requireKey(rds.account, inputs.masterUserSecretKmsKeyId, operation);
  const { caCertIdentifier = certificateAuthorities[0] } = inputs;
  if (!certificateAuthorities.includes(caCertIdentifier)) {
    refuse("CertificateNotFound", `Certificate not found: ${caCertIdentifier}`);
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

/** Judges a change of an instance as RDS does. @throws ApiError when it is refused */
export function judgeChange(
  rds: Service,
  record: InstanceRecord,
  olds: Known,
  inputs: InstanceInputs,
): void {
  const operation = "RDS: ModifyDBInstance";
  judgeSettings(rds, inputs, operation);
  judgePassword(record, olds, inputs, operation);
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

function judgePassword(
  { masterSecret }: InstanceRecord,
  olds: Known,
  inputs: InstanceInputs,
  operation: string,
): void {
  if (masterSecret === undefined) return;
  const isGivenUp =
    olds.inputs["manageMasterUserPassword"] === true && inputs.manageMasterUserPassword !== true;
  if (isGivenUp && inputs.password === undefined) {
    throw new ApiError(
      operation,
      "InvalidParameterCombination",
      "You must specify MasterUserPassword when you disable ManageMasterUserPassword",
    );
  }
  if (!isGivenUp && inputs.password !== undefined) {
    throw new ApiError(
      operation,
      "InvalidParameterCombination",
      "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled",
    );
  }
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

/** The major version of a PostgreSQL version. */
export function majorOf(version: string | undefined): string | undefined {
  return version?.split(".")[0];
}
