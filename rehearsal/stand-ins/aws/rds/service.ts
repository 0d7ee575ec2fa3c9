import { join } from "node:path";
import { z } from "zod";
import type { Properties } from "../../../../infra/provider/serve.ts";
import { ApiError } from "../../kind.ts";
import {
  removeData,
  type DatabaseServer,
  type ServerSettings,
  type ServerTls,
} from "../../postgres.ts";
import type { Collection } from "../../store.ts";
import type { Account } from "../account.ts";
import type { Authority } from "./authority.ts";

/** What RDS keeps of an instance. */
export interface InstanceRecord extends ServerSettings {
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
  /** ARN of the secret with the master password, where RDS manages it, and of that secret's key. */
  readonly masterSecret?: { readonly arn: string; readonly kmsKeyId: string };
  /** The inputs that RDS tells again when it is asked. */
  readonly described: Properties;
}

/** What belongs to an instance and to none of its snapshots. */
type OwnOfInstance = "address" | "deletionProtection" | "masterSecret" | "described";

/** What RDS keeps of a snapshot: what it was taken of, and when. */
export interface SnapshotRecord extends Omit<InstanceRecord, OwnOfInstance> {
  readonly snapshotIdentifier: string;
  readonly createdAt: string;
}

/** What RDS keeps of a parameter group. */
export interface ParameterGroupRecord {
  readonly arn: string;
  readonly family: string;
  readonly parameters: readonly Parameter[];
}

/** A parameter as a group sets it. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly applyMethod: "immediate" | "pending-reboot";
}

/** RDS of an account: its memory, its servers by identifier, and who vouches for them. */
export interface Service {
  readonly account: Account;
  readonly authority: Authority;
  readonly instances: Collection<InstanceRecord>;
  readonly snapshots: Collection<SnapshotRecord>;
  readonly groups: Collection<ParameterGroupRecord>;
  readonly servers: Map<string, DatabaseServer>;
}

/** A name of an instance or a parameter group. */
export const identifier = z.string().regex(/^[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)$/, {
  error:
    "must begin with a letter and hold only lowercase letters, digits and single hyphens, not at the end",
});

/** A name of a snapshot. */
export const snapshotName = z.string().regex(/^[A-Za-z](?!.*--)[0-9A-Za-z-]{0,254}(?<!-)$/, {
  error:
    "must begin with a letter and hold only letters, digits and single hyphens, not at the end",
});

/** The instance of this name. @throws ApiError when there is none */
export function requireInstance(rds: Service, name: string, operation: string): InstanceRecord {
  const record = rds.instances.get(name);
  if (record !== undefined) return record;
  throw new ApiError(operation, "DBInstanceNotFound", `DBInstance ${name} not found.`);
}

/** The finished snapshot of this name. @throws ApiError when there is none */
export function requireSnapshot(rds: Service, name: string, operation: string): SnapshotRecord {
  const record = rds.snapshots.get(name);
  if (record?.status === "available") return record;
  throw new ApiError(operation, "DBSnapshotNotFound", `DBSnapshot not found: ${name}`);
}

/** Whether the parameter group of this name forces TLS; undefined where it does not say. */
export function forcesTls({ groups }: Service, groupName: string | undefined): boolean | undefined {
  const group = groupName === undefined ? undefined : groups.get(groupName);
  return forcesTlsBy(group?.parameters ?? []);
}

/** Whether parameters force TLS; undefined where they do not say. */
export function forcesTlsBy(parameters: readonly Parameter[]): boolean | undefined {
  const parameter = parameters.find(({ name }) => name === forceTlsParameter);
  return parameter === undefined ? undefined : parameter.value === "1";
}

/** The parameter with which RDS lets nobody in who does not encrypt. */
export const forceTlsParameter = "rds.force_ssl";

/** What a server encrypts with: a new certificate for its address, and its group's word on who must. */
export async function tlsOf(
  rds: Service,
  { address, parameterGroupName }: Pick<InstanceRecord, "address" | "parameterGroupName">,
): Promise<ServerTls> {
  const certified = await rds.authority.certify(address);
  return { ...certified, forced: forcesTls(rds, parameterGroupName) === true };
}

/** Removes an instance and its data; its server must have ended. */
export async function forget(rds: Service, record: InstanceRecord): Promise<void> {
  rds.servers.delete(record.identifier);
  await removeData(instanceFolder(rds, record));
  rds.instances.delete(record.identifier);
}

/** Folder of an instance's server. */
export function instanceFolder({ account }: Service, { resourceId }: InstanceRecord): string {
  return join(account.store.folder, "rds-instances", resourceId);
}

/** Folder of a snapshot. */
export function snapshotFolder({ account }: Service, name: string): string {
  return join(account.store.folder, "rds-snapshots", name);
}
