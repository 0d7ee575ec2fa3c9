import { randomBytes } from "node:crypto";
import type * as Sdk from "@aws-sdk/client-rds";
import type {
  DBInstance,
  DBSnapshot,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommandInput,
} from "@aws-sdk/client-rds";
import { codeOf, messageOf } from "./error-text.ts";
import { regionOf } from "./object-store.ts";
import { pause } from "./pause.ts";
import { withSession, type Connection, type SessionOptions } from "./postgres-session.ts";
import { RefusedError } from "./resource-type.ts";
import {
  askSession,
  restoreTestTag,
  thenRemove,
  type RestoredCopy,
  type RestoreRun,
} from "./restored-copy.ts";

/** An RDS instance whose newest snapshot is restored. */
export interface RdsSource {
  readonly identifier: string;
  /** Where the SDK's configuration says, when it is absent. */
  readonly region?: string | null | undefined;
}

/** Longest identifier of an instance or snapshot: what is added must fit. */
const longestIdentifier = 63;
const suffix = "-restore-test";
// RDS takes minutes; a stand-in takes a moment.
const firstPollMilliseconds = 250;
const longestPollMilliseconds = 15_000;
const removalMilliseconds = 10 * 60_000;
/** States of an instance that no waiting ends. */
const hopeless = /^(failed|incompatible-|restore-error|storage-full|inaccessible-)/;

/**
 * Restores the newest snapshot of an instance into an instance of its own, lets `work` ask it and deletes it without a
 * final snapshot. When there is no snapshot yet one is taken, and kept: a recovery point is no worse for having been
 * tested. What an earlier, killed run left is deleted first.
 */
export async function withRdsCopy<Result>(
  source: RdsSource,
  connection: Connection,
  run: RestoreRun,
  work: (copy: RestoredCopy) => Promise<Result>,
): Promise<Result> {
  // Loaded here, because most runs restore nothing.
  const sdk = await import("@aws-sdk/client-rds");
  const client = new sdk.RDSClient(regionOf(source.region));
  const rds: Rds = { sdk, client, run };
  const name = nameOfCopy(source.identifier);
  try {
    await removeCopy(rds, name, run.signal);
    const original = await findInstance(rds, source.identifier, run.signal);
    if (original === undefined) {
      throw new RefusedError(
        `there is no RDS instance ${source.identifier} to restore a copy of.\n` +
          "To do: correct cutover:database.identifier, or the region of this run",
      );
    }
    const snapshot = await newestSnapshot(rds, source.identifier);
    const { DBSnapshotIdentifier: recoveryPoint = "" } = snapshot;
    run.log("info", `restoring snapshot ${recoveryPoint} as ${name}`);
    return await thenRemove(
      run,
      `RDS instance ${name}`,
      async () => {
        const input = restoreInput(original, name, recoveryPoint, run);
        await ask("RestoreDBInstanceFromDBSnapshot", run.signal, (sent) =>
          client.send(new sdk.RestoreDBInstanceFromDBSnapshotCommand(input), sent),
        );
        const { Endpoint } = await untilAvailable(rds, name);
        const { Address: host = "", Port: port = connection.port } = Endpoint ?? {};
        const login = await loginTo(rds, name, { ...connection, host, port });
        return withSession(login, sessionOptions(run), (session) =>
          work({
            recoveryPoint,
            takenAt: takenAt(snapshot).toISOString(),
            ask: (sql) => askSession(session, sql),
          }),
        );
      },
      () => deleteCopy(rds, name),
    );
  } finally {
    client.destroy();
  }
}

interface Rds {
  readonly sdk: typeof Sdk;
  readonly client: RDSClient;
  readonly run: RestoreRun;
}

/** The name of the copy: always the same, so that what a killed run left is found. */
export function nameOfCopy(identifier: string): string {
  return `${identifier.slice(0, longestIdentifier - suffix.length).replace(/-+$/, "")}${suffix}`;
}

/** As the original, but private, without protection and in one zone: it lives for minutes. */
function restoreInput(
  original: DBInstance,
  name: string,
  snapshot: string,
  { stack }: RestoreRun,
): RestoreDBInstanceFromDBSnapshotCommandInput {
  const {
    DBInstanceClass,
    DBSubnetGroup,
    VpcSecurityGroups = [],
    DBParameterGroups = [],
  } = original;
  const subnetGroup = DBSubnetGroup?.DBSubnetGroupName;
  const securityGroups = VpcSecurityGroups.flatMap(({ VpcSecurityGroupId: id }) => id ?? []);
  const parameterGroup = DBParameterGroups[0]?.DBParameterGroupName;
  return {
    DBInstanceIdentifier: name,
    DBSnapshotIdentifier: snapshot,
    DBInstanceClass,
    PubliclyAccessible: false,
    DeletionProtection: false,
    MultiAZ: false,
    AutoMinorVersionUpgrade: false,
    ...(subnetGroup === undefined ? {} : { DBSubnetGroupName: subnetGroup }),
    ...(securityGroups.length === 0 ? {} : { VpcSecurityGroupIds: securityGroups }),
    ...(parameterGroup === undefined ? {} : { DBParameterGroupName: parameterGroup }),
    Tags: [{ Key: restoreTestTag, Value: stack }],
  };
}

async function newestSnapshot(rds: Rds, identifier: string): Promise<DBSnapshot> {
  const snapshots = await listSnapshots(rds, identifier);
  const available = snapshots.filter(({ Status }) => Status === "available");
  const [newest] = available.toSorted((a, b) => takenAt(b).getTime() - takenAt(a).getTime());
  return newest ?? takeSnapshot(rds, identifier);
}

async function takeSnapshot(rds: Rds, identifier: string): Promise<DBSnapshot> {
  const { sdk, client, run } = rds;
  const due = run.due.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const name = `${nameOfCopy(identifier)}-${due}`.replace(/-+$/, "");
  run.log("info", `${identifier} has no snapshot yet: taking ${name}`);
  const tags = [{ Key: restoreTestTag, Value: run.stack }];
  const ids = { DBInstanceIdentifier: identifier, DBSnapshotIdentifier: name };
  await ask("CreateDBSnapshot", run.signal, async (sent) => {
    try {
      await client.send(new sdk.CreateDBSnapshotCommand({ ...ids, Tags: tags }), sent);
    } catch (error) {
      // A run that was killed has begun it: it counts once it is available.
      if (!isNamed(error, ["DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault"])) throw error;
    }
  });
  return poll(run.signal, async () => {
    const all = await listSnapshots(rds, identifier);
    const found = all.find((each) => each.DBSnapshotIdentifier === name);
    if (found === undefined || hopeless.test(found.Status ?? "")) {
      throw new RefusedError(`snapshot ${name} came to nothing (${found?.Status ?? "it is gone"})`);
    }
    return found.Status === "available" ? found : undefined;
  });
}

function listSnapshots(rds: Rds, identifier: string): Promise<DBSnapshot[]> {
  const { sdk, client, run } = rds;
  return ask("DescribeDBSnapshots", run.signal, async (sent) => {
    const input = { DBInstanceIdentifier: identifier };
    const pages = sdk.paginateDescribeDBSnapshots({ client }, input, sent);
    const all: DBSnapshot[] = [];
    for await (const { DBSnapshots = [] } of pages) all.push(...DBSnapshots);
    return all;
  });
}

function takenAt(snapshot: DBSnapshot): Date {
  return snapshot.OriginalSnapshotCreateTime ?? snapshot.SnapshotCreateTime ?? new Date(0);
}

function findInstance(
  rds: Rds,
  identifier: string,
  signal: AbortSignal,
): Promise<DBInstance | undefined> {
  const { sdk, client } = rds;
  return ask("DescribeDBInstances", signal, async (sent) => {
    try {
      const input = { DBInstanceIdentifier: identifier };
      const { DBInstances = [] } = await client.send(
        new sdk.DescribeDBInstancesCommand(input),
        sent,
      );
      return DBInstances[0];
    } catch (error) {
      if (isNamed(error, ["DBInstanceNotFound", "DBInstanceNotFoundFault"])) return undefined;
      throw error;
    }
  });
}

function untilAvailable(rds: Rds, name: string): Promise<DBInstance> {
  return poll(rds.run.signal, async () => {
    const instance = await findInstance(rds, name, rds.run.signal);
    const status = instance?.DBInstanceStatus ?? "gone";
    if (status === "gone" || hopeless.test(status)) {
      throw new RefusedError(
        `the restored instance ${name} came to nothing: its state is ${status}`,
      );
    }
    return status === "available" && instance?.Endpoint !== undefined ? instance : undefined;
  });
}

/**
 * How to get into the copy: it has the password that production had when the snapshot was taken. Where that was changed
 * since, the copy is given one of its own.
 */
async function loginTo(rds: Rds, name: string, connection: Connection): Promise<Connection> {
  const { sdk, client, run } = rds;
  if (await letsIn(connection, run)) return connection;
  const { passwordSecretArn: _rotated, ...rest } = connection;
  const login = { ...rest, password: randomBytes(24).toString("base64url") };
  await ask("ModifyDBInstance", run.signal, (sent) =>
    client.send(
      new sdk.ModifyDBInstanceCommand({
        DBInstanceIdentifier: name,
        MasterUserPassword: login.password,
        ApplyImmediately: true,
      }),
      sent,
    ),
  );
  return poll(run.signal, async () => ((await letsIn(login, run)) ? login : undefined));
}

async function letsIn(connection: Connection, run: RestoreRun): Promise<boolean> {
  try {
    return await withSession(connection, sessionOptions(run), () => Promise.resolve(true));
  } catch (error) {
    if (error instanceof Error && codeOf(error.cause) === wrongPasswordCode) return false;
    throw error;
  }
}

const wrongPasswordCode = "28P01";

function sessionOptions({ signal }: RestoreRun): SessionOptions {
  return { purpose: "restore test", signal };
}

/** Deletes a copy of an earlier run, and waits until its name is free. */
async function removeCopy(rds: Rds, name: string, signal: AbortSignal): Promise<void> {
  const found = await findInstance(rds, name, signal);
  if (found === undefined) return;
  const tag = (found.TagList ?? []).find(({ Key }) => Key === restoreTestTag);
  if (tag === undefined) {
    throw new RefusedError(
      `there is an RDS instance ${name} that no restore test made: it has no tag ${restoreTestTag}.\n` +
        "To do: rename it, or delete it when nobody needs it",
    );
  }
  rds.run.log("info", `removing ${name}, which an earlier run left`);
  if (found.DBInstanceStatus !== "deleting") await requestDeletion(rds, name, signal);
  await poll(signal, async () =>
    (await findInstance(rds, name, signal)) === undefined ? true : undefined,
  );
}

/** RDS refuses for a while when it has just begun something else with the instance, such as its first backup. */
async function deleteCopy(rds: Rds, name: string): Promise<void> {
  // A run that is stopped has its own signal aborted, and a moment left for one request.
  await requestDeletion(rds, name, AbortSignal.timeout(removalMilliseconds));
}

async function requestDeletion(rds: Rds, name: string, signal: AbortSignal): Promise<void> {
  const { sdk, client, run } = rds;
  const input = {
    DBInstanceIdentifier: name,
    SkipFinalSnapshot: true,
    DeleteAutomatedBackups: true,
  };
  await poll(signal, () =>
    ask("DeleteDBInstance", signal, async (sent) => {
      try {
        await client.send(new sdk.DeleteDBInstanceCommand(input), sent);
        return true;
      } catch (error) {
        if (isNamed(error, ["DBInstanceNotFound", "DBInstanceNotFoundFault"])) return true;
        const isBusy = isNamed(error, ["InvalidDBInstanceState", "InvalidDBInstanceStateFault"]);
        if (isBusy && !run.signal.aborted) return undefined;
        throw error;
      }
    }),
  );
}

/** Asks again until there is an answer, less and less often. */
async function poll<Result>(
  signal: AbortSignal,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let wait = firstPollMilliseconds; ; wait = Math.min(wait * 2, longestPollMilliseconds)) {
    const result = await attempt();
    if (result !== undefined) return result;
    await pause(wait, signal);
  }
}

async function ask<Answer>(
  action: string,
  signal: AbortSignal,
  call: (sent: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await call({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    const kind = error instanceof Error ? error.name : "error";
    throw new RefusedError(
      `rds:${action} failed: ${kind}: ${messageOf(error)}\n` +
        `To do: see that the credentials of this run may do rds:${action}, then run pulumi up again`,
      { cause: error },
    );
  }
}

function isNamed(error: unknown, names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
