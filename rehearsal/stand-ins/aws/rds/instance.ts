import { mkdirSync } from "node:fs";
import type { Call, Properties, ResourceType } from "../../../../infra/provider/serve.ts";
import { ApiError, standIn, textOf, type Known } from "../../kind.ts";
import { copyFolder, createServer, restoreServer, type DatabaseServer } from "../../postgres.ts";
import { arnOf } from "../account.ts";
import { admit, certificateAuthorities, judgeChange, majorOf } from "./admission.ts";
import { describedBy, instanceInputs, replacedOn, type InstanceInputs } from "./instance-inputs.ts";
import { eraseMasterSecret, makeMasterSecret, newMasterPassword } from "./master-secret.ts";
import {
  forceTlsParameter,
  forcesTls,
  forget,
  instanceFolder,
  requireInstance,
  snapshotFolder,
  tlsOf,
  type InstanceRecord,
  type Service,
} from "./service.ts";
import { takeSnapshot } from "./snapshot.ts";

/** Instances: real PostgreSQL servers. */
export function instanceType(rds: Service): ResourceType {
  return standIn({
    inputs: instanceInputs,
    replaceOn: (name) => replacedOn.has(name),
    physicalName: "identifier",
    async create(inputs, call) {
      const record = admit(rds, inputs);
      rds.instances.set(record.identifier, record);
      try {
        mkdirSync(instanceFolder(rds, record), { recursive: true });
        const password = isManaged(inputs) ? newMasterPassword() : inputs.password;
        const server = await provision(rds, record, inputs.snapshotIdentifier, password);
        rds.servers.set(record.identifier, server);
        warnOfVersion(call, inputs, server);
        warnOfTls(call, rds, inputs);
        const made: InstanceRecord = {
          ...record,
          status: "available",
          ...(isManaged(inputs) && password !== undefined
            ? {
                masterSecret: makeMasterSecret(
                  rds,
                  record,
                  password,
                  inputs.masterUserSecretKmsKeyId,
                ),
              }
            : {}),
        };
        rds.instances.set(record.identifier, made);
        return { id: record.resourceId, outputs: outputsOf(rds, made, server) };
      } catch (error) {
        await rds.servers.get(record.identifier)?.stop();
        await forget(rds, record);
        throw error;
      }
    },
    async update(olds, inputs, call) {
      const before = requireInstance(rds, inputs.identifier, "RDS: ModifyDBInstance");
      judgeChange(rds, before, olds, inputs);
      const record = await settlePassword(rds, before, olds, inputs);
      if (record.parameterGroupName !== inputs.parameterGroupName) {
        call.log("warning", "The other parameter group is in force once the instance starts anew");
      }
      const changed: InstanceRecord = {
        ...record,
        allocatedStorage: inputs.allocatedStorage ?? record.allocatedStorage,
        deletionProtection: inputs.deletionProtection,
        parameterGroupName: inputs.parameterGroupName,
        engineVersion: inputs.engineVersion ?? record.engineVersion,
        described: describedBy(inputs),
      };
      rds.instances.set(record.identifier, changed);
      return outputsOf(rds, changed, rds.servers.get(record.identifier));
    },
    exists: (olds) => rds.instances.get(textOf(olds, "identifier")) !== undefined,
    find(id) {
      const record = rds.instances
        .items()
        .find(({ identifier, resourceId }) => [identifier, resourceId].includes(id));
      if (record?.status !== "available") return undefined;
      // The API knows neither; the provider takes the careless ones, so that nothing else is asked for.
      const inputs = { ...record.described, deleteAutomatedBackups: true, skipFinalSnapshot: true };
      const server = rds.servers.get(record.identifier);
      return {
        id: record.resourceId,
        inputs,
        outputs: { ...inputs, ...outputsOf(rds, record, server) },
      };
    },
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
      eraseMasterSecret(rds, record);
      await forget(rds, record);
    },
  });
}

function isManaged({ manageMasterUserPassword }: InstanceInputs): boolean {
  return manageMasterUserPassword === true;
}

async function provision(
  rds: Service,
  record: InstanceRecord,
  snapshotIdentifier: string | undefined,
  password: string | undefined,
): Promise<DatabaseServer> {
  const folder = instanceFolder(rds, record);
  const { username } = record;
  const tls = await tlsOf(rds, record);
  if (snapshotIdentifier === undefined) {
    const master = { username, password: password ?? "" };
    return createServer(folder, record, master, record.dbName, tls);
  }
  const copy = copyFolder(snapshotFolder(rds, snapshotIdentifier));
  const server = await restoreServer(copy, folder, record, tls);
  if (password !== undefined) await server.setPassword({ username, password });
  return server;
}

/** Makes the master password what a change asks for, and says where it is kept then. */
async function settlePassword(
  rds: Service,
  record: InstanceRecord,
  olds: Known,
  inputs: InstanceInputs,
): Promise<InstanceRecord> {
  const { identifier, username, masterSecret, ...rest } = record;
  const server = rds.servers.get(identifier);
  if (isManaged(inputs) && masterSecret === undefined) {
    const password = newMasterPassword();
    await server?.setPassword({ username, password });
    const made = makeMasterSecret(rds, record, password, inputs.masterUserSecretKmsKeyId);
    return { ...record, masterSecret: made };
  }
  const { password } = inputs;
  if (password === undefined || password === olds.inputs["password"]) return record;
  await server?.setPassword({ username, password });
  eraseMasterSecret(rds, record);
  return { ...rest, identifier, username };
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

function warnOfTls(call: Call, rds: Service, inputs: InstanceInputs): void {
  if (Number(majorOf(inputs.engineVersion)) < tlsForcedSince) return;
  if (forcesTls(rds, inputs.parameterGroupName) !== undefined) return;
  call.log(
    "warning",
    `From PostgreSQL ${String(tlsForcedSince)} on RDS lets nobody in without TLS by default; this one lets everybody in. ` +
      `To do: give the instance a parameter group that sets ${forceTlsParameter}`,
  );
}

// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
const tlsForcedSince = 15;

function outputsOf(
  rds: Service,
  record: InstanceRecord,
  server: DatabaseServer | undefined,
): Properties {
  const { address, port, username, dbName, kmsKeyId, storageEncrypted, allocatedStorage } = record;
  const { masterSecret } = record;
  return {
    arn: arnOf(rds.account, "rds", `db:${record.identifier}`),
    address,
    endpoint: `${address}:${String(port)}`,
    hostedZoneId: "Z2R2ITUGPM61AM",
    port,
    resourceId: record.resourceId,
    status: "available",
    engineVersionActual: record.engineVersion ?? server?.version,
    caCertIdentifier: record.described["caCertIdentifier"] ?? certificateAuthorities[0],
    masterUserSecrets:
      masterSecret === undefined
        ? []
        : [
            {
              secretArn: masterSecret.arn,
              secretStatus: "active",
              kmsKeyId: masterSecret.kmsKeyId,
            },
          ],
    allocatedStorage,
    storageEncrypted,
    username,
    dbName,
    kmsKeyId,
  };
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
