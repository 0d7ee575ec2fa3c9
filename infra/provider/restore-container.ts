import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type Dockerode from "dockerode";
import { postgresContainer } from "../databases/postgres-image.ts";
import { createContainer, findContainer, startContainer } from "./container-calls.ts";
import { asked, runInside, type Inside } from "./container-exec.ts";
import { openContainerHost, statusOf } from "./container-host.ts";
import { openObjectStore, type ObjectStore, type StorePlace } from "./object-store.ts";
import { pause } from "./pause.ts";
import {
  clientEnvironment,
  fetchDump,
  findDump,
  inScratchFolder,
  storeDump,
  type ContainerDatabase,
  type DatabaseLogin,
  type Dump,
} from "./recovery-dump.ts";
import { RefusedError } from "./resource-type.ts";
import {
  restoreTestTag,
  thenRemove,
  type QueryAnswer,
  type RestoredCopy,
  type RestoreRun,
} from "./restored-copy.ts";

/** A database in a container, whose newest dump is restored. */
export interface ContainerSource {
  readonly system: string;
  /** Name of the container that the database runs in. */
  readonly container: string;
  readonly host?: string | null | undefined;
  /** Image by digest: the copy runs the same. */
  readonly image: string;
  readonly engineVersion: string;
  /** MiB that the copy may use. */
  readonly memory: number;
  readonly store: StorePlace;
}

const pollMilliseconds = 250;

/**
 * Restores the newest dump of a stack into a container of its own, on the same host and without a network, lets `work`
 * ask it and removes it with its data. Where the bucket has no dump yet, one is made first. What an earlier, killed run
 * left is removed first.
 */
export async function withContainerCopy<Result>(
  source: ContainerSource,
  login: DatabaseLogin,
  run: RestoreRun,
  work: (copy: RestoredCopy) => Promise<Result>,
): Promise<Result> {
  const { signal } = run;
  const docker = await openContainerHost(source.host);
  const store = await openObjectStore(source.store, signal);
  try {
    await removeLeftover(docker, source, run);
    const dump =
      (await newestDump(store, source, run)) ?? (await takeDump(docker, store, source, login, run));
    return await inScratchFolder(async (folder) => {
      const file = join(folder, "dump");
      await fetchDump(store, dump, file, signal);
      run.log("info", `restoring dump ${dump.key} beside ${source.container}`);
      const copy = await createCopy(docker, source, login, run);
      return thenRemove(
        run,
        `container ${nameOfCopy(source)}`,
        async () => {
          await asked(source, signal, startContainer(docker, copy.container.id, signal));
          await untilReady(copy, signal);
          await restore(copy, file, signal);
          const { key: recoveryPoint, takenAt } = dump;
          return work({ recoveryPoint, takenAt, ask: (sql) => ask(copy, sql, signal) });
        },
        // A run that is stopped has its own signal aborted, and a moment left for one request.
        () => remove(copy, AbortSignal.timeout(removalMilliseconds)),
      );
    });
  } finally {
    store.close();
  }
}

const removalMilliseconds = 60_000;

function nameOfCopy({ container }: ContainerSource): string {
  return `${container}-restore-test`;
}

/** A bucket may hold the dumps of several stacks: only those of this one count. */
async function newestDump(
  store: ObjectStore,
  { system }: ContainerSource,
  { stack }: RestoreRun,
): Promise<Dump | undefined> {
  let best: { readonly dump: Dump; readonly at: number } | undefined;
  for (const { key, at } of await store.newest(`${system}/`)) {
    // Within a second, the notes say which one is newer.
    if (best !== undefined && at < best.at) break;
    const found = key.endsWith(".dump") ? await findDump(store, key) : undefined;
    if (found?.identity.stack !== stack) continue;
    if (best === undefined || found.dump.takenAt > best.dump.takenAt)
      best = { dump: found.dump, at };
  }
  return best?.dump;
}

function takeDump(
  docker: Dockerode,
  store: ObjectStore,
  { system, host, container }: ContainerSource,
  login: DatabaseLogin,
  { stack, due, signal, log }: RestoreRun,
): Promise<Dump> {
  const from = { ...login, host, container: docker.getContainer(container) };
  log("info", `${store.name} has no dump of this stack yet: taking one`);
  const token = due.replaceAll(/[^\w.-]+/g, "-");
  // Two stacks of one system may share a bucket.
  const place = stack.replaceAll(/[^\w.-]+/g, "-");
  const key = `${system}/restore-test/${place}-${from.database}-${token}.dump`;
  return storeDump(from, store, key, { stack, release: "restore-test", token }, signal);
}

async function createCopy(
  docker: Dockerode,
  source: ContainerSource,
  { database, user: username }: DatabaseLogin,
  { stack, signal }: RestoreRun,
): Promise<ContainerDatabase> {
  const { image, engineVersion, memory: memoryMib, host } = source;
  const settings = { name: database, username, engineVersion, memoryMib };
  const { envs, user, tmpfs, shmMib } = postgresContainer(settings);
  const password = randomBytes(24).toString("base64url");
  const body = {
    Image: image,
    Env: [...envs, `POSTGRES_PASSWORD=${password}`],
    User: user,
    Labels: { [restoreTestTag]: stack },
    HostConfig: {
      // It needs nobody, and nobody is to take it for the real one.
      NetworkMode: "none",
      Memory: memoryMib * mebibyte,
      MemorySwap: memoryMib * 2 * mebibyte,
      ShmSize: shmMib * mebibyte,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      Tmpfs: tmpfs,
      RestartPolicy: { Name: "no" },
    },
  };
  const id = await asked(source, signal, createContainer(docker, nameOfCopy(source), body, signal));
  return { container: docker.getContainer(id), host, database, user: username, password };
}

const mebibyte = 1024 * 1024;

async function untilReady(copy: ContainerDatabase, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await runInside(copy, {
        command: ["pg_isready", "--quiet"],
        env: clientEnvironment(copy, "restore test"),
        onOutput: () => undefined,
        signal,
      });
      return;
    } catch (error) {
      signal.throwIfAborted();
      const { State } = await asked(copy, signal, copy.container.inspect({ abortSignal: signal }));
      if (!State.Running) {
        throw new RefusedError(
          `the container that a dump is restored into ended with ${String(State.ExitCode)} before it was ready`,
          { cause: error },
        );
      }
    }
    await pause(pollMilliseconds, signal);
  }
}

/** Roles other than the owner are not in a dump of one database, so owners and grants stay out of the copy. */
async function restore(copy: ContainerDatabase, file: string, signal: AbortSignal): Promise<void> {
  await runInside(copy, {
    command: [
      "pg_restore",
      `--dbname=${copy.database}`,
      "--no-password",
      "--no-owner",
      "--no-privileges",
      "--exit-on-error",
      "--single-transaction",
    ],
    env: clientEnvironment(copy, "restore test"),
    input: createReadStream(file),
    onOutput: () => undefined,
    signal,
  });
}

async function ask(
  copy: ContainerDatabase,
  sql: string,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const pieces: Buffer[] = [];
  await runInside(copy, {
    command: ["psql", "--no-psqlrc", "--no-password", "--csv", "--tuples-only", "--command", sql],
    env: clientEnvironment(copy, "restore test"),
    onOutput: (piece) => void pieces.push(piece),
    signal,
  });
  const rows: string[][] = parse(Buffer.concat(pieces), { relaxColumnCount: true });
  // PostgreSQL writes a boolean so; nothing else that a query can answer is true.
  const words: Readonly<Record<string, unknown>> = { t: true, f: false };
  const first = rows[0]?.[0];
  return { rows: rows.length, first: first === undefined ? undefined : (words[first] ?? first) };
}

/** Removes the copy of an earlier run: what carries the name without the label is somebody else's. */
async function removeLeftover(
  docker: Dockerode,
  source: ContainerSource,
  { signal, log }: RestoreRun,
): Promise<void> {
  const name = nameOfCopy(source);
  const found = await asked(source, signal, findContainer(docker, name, signal));
  if (found === undefined) return;
  if (found.labels[restoreTestTag] === undefined) {
    throw new RefusedError(
      `there is a container ${name} that no restore test made: it has no label ${restoreTestTag}.\n` +
        "To do: rename it, or remove it when nobody needs it",
    );
  }
  log("info", `removing ${name}, which an earlier run left`);
  await remove({ container: docker.getContainer(found.id), host: source.host }, signal);
}

/** With its data, which lies in a volume without a name. */
async function remove({ container, host }: Inside, signal: AbortSignal): Promise<void> {
  const removed = container
    .remove({ force: true, v: true, abortSignal: signal })
    .catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  await asked({ host }, signal, removed);
}
