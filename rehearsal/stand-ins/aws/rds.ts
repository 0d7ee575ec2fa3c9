import type { ResourceType } from "../../../infra/provider/serve.ts";
import { removeLeftovers, startServer } from "../postgres.ts";
import type { Account } from "./account.ts";
import { openAuthority } from "./rds/authority.ts";
import { instanceType } from "./rds/instance.ts";
import { rotateMasterSecret } from "./rds/master-secret.ts";
import { parameterGroupType } from "./rds/parameter-group.ts";
import { forget, instanceFolder, tlsOf, type InstanceRecord, type Service } from "./rds/service.ts";
import { forgetSnapshot, snapshotType } from "./rds/snapshot.ts";
import type { SecretRecord } from "./secrets.ts";

/** RDS: real PostgreSQL servers, real copies of their data and real restores. */
export interface Rds {
  readonly types: Record<string, ResourceType>;
  /** Absolute path of the certificate in PEM of who vouches for the servers. */
  readonly caFile: string;
  /** Gives the instance whose secret this is a new master password. */
  rotate(secret: SecretRecord): Promise<void>;
  close(): Promise<void>;
}

/** Opens RDS: the instances of its memory run again. What was not finished when it went never was. */
export async function openRds(account: Account): Promise<Rds> {
  const { store } = account;
  await removeLeftovers();
  const rds: Service = {
    account,
    authority: await openAuthority(store),
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
    caFile: rds.authority.file,
    rotate: (secret) => rotateMasterSecret(rds, secret),
    close,
  };
}

async function resume(rds: Service, record: InstanceRecord): Promise<void> {
  if (record.status === "creating") return forget(rds, record);
  const tls = await tlsOf(rds, record);
  rds.servers.set(record.identifier, await startServer(instanceFolder(rds, record), record, tls));
}
