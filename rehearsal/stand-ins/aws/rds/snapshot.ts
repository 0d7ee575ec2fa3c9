import { mkdirSync } from "node:fs";
import { z } from "zod";
import type { Properties, ResourceType } from "../../../../infra/provider/serve.ts";
import { ApiError, standIn } from "../../kind.ts";
import { copyFolder, removeData } from "../../postgres.ts";
import { arnOf, tags } from "../account.ts";
import {
  requireInstance,
  requireSnapshot,
  snapshotFolder,
  snapshotName,
  type InstanceRecord,
  type Service,
  type SnapshotRecord,
} from "./service.ts";

const snapshotInputs = z.strictObject({
  dbInstanceIdentifier: z.string(),
  dbSnapshotIdentifier: snapshotName,
  tags,
});

/** Snapshots: real copies of an instance's data. */
export function snapshotType(rds: Service): ResourceType {
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

/** Takes a snapshot of a running instance. @throws ApiError when the name is taken or the instance is not ready */
export async function takeSnapshot(
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
  const {
    address: _address,
    deletionProtection: _protected,
    masterSecret: _secret,
    described: _described,
    ...kept
  } = record;
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

/** Removes a snapshot and its data. */
export async function forgetSnapshot(
  rds: Service,
  { snapshotIdentifier }: SnapshotRecord,
): Promise<void> {
  await removeData(snapshotFolder(rds, snapshotIdentifier));
  rds.snapshots.delete(snapshotIdentifier);
}
