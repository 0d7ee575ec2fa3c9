import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedImage, Registry } from "../registry/registry.ts";
import { refuseTakenPorts, waitForFreePorts } from "./container-ports.ts";
import { killedExitCode, launch, type Running } from "./container-process.ts";
import {
  DaemonError,
  type ContainerRecord,
  type ContainerSpec,
  type ContainerState,
} from "./container-record.ts";
import type { Collection, Store } from "./store.ts";

/** A volume that the daemon keeps. */
interface VolumeRecord {
  readonly createdAt: string;
}

/** A container daemon: containers are Node processes that behave like the image that they run as. */
export interface Daemon {
  readonly containers: Collection<ContainerRecord>;
  /** Names of the networks by id. */
  readonly networks: Collection<{ readonly name: string }>;
  /** Volumes by name. */
  readonly volumes: Collection<VolumeRecord>;
  /** The images that were pulled. */
  images(): readonly PublishedImage[];
  /** Finds a pulled image by reference or id. */
  findImage(nameOrId: string): PublishedImage | undefined;
  pull(reference: string): PublishedImage;
  /** Makes a container, and the volumes that it names; nothing runs yet. */
  create(spec: ContainerSpec): ContainerRecord;
  /** Starts a container and waits until its process listens, runs its command, or has ended. */
  start(id: string): Promise<void>;
  /** Finds a container by id or name, or by the beginning of its id. */
  find(idOrName: string): ContainerRecord | undefined;
  /** Health of a container that runs; undefined without a check. */
  health(id: string): Running["health"];
  /** Where the process of a container listens; undefined when it does not. */
  place(id: string): Running["place"];
  /** Waits until the container is healthy; false when it was not in time. */
  waitHealthy(id: string, milliseconds: number, signal: AbortSignal): Promise<boolean>;
  /** Waits until the container does not run, and returns its exit code. */
  waitEnd(id: string, signal: AbortSignal): Promise<number>;
  /** Changes how a container is restarted. */
  update(id: string, change: Pick<ContainerSpec, "restart" | "maxRetryCount">): void;
  rename(id: string, name: string): void;
  /** Sends a signal to the process. */
  kill(id: string, signal: NodeJS.Signals): void;
  /** Ends the process and keeps the container. Without a grace period it is killed at once. */
  stop(id: string, graceMilliseconds: number): Promise<void>;
  /** What it has written so far. */
  logs(id: string): string;
  /** Ends and removes a container. Without a grace period it is killed at once. */
  remove(id: string, graceMilliseconds: number): Promise<void>;
  removeVolume(name: string): void;
  /** Ends all containers, as when the machine goes down: those with a restart policy come back with the daemon. */
  close(): Promise<void>;
}

/**
 * Starts the daemon on what its memory holds. Containers that ran under the policies `always` and `unless-stopped`
 * run again, others count as exited.
 */
export async function startDaemon(store: Store, registry: Registry): Promise<Daemon> {
  const containers = store.collection<ContainerRecord>("docker-containers");
  const networks = store.collection<{ readonly name: string }>("docker-networks");
  const volumes = store.collection<VolumeRecord>("docker-volumes");
  const pulled = store.collection<string>("docker-images");
  const folders = {
    logs: join(store.folder, "container-logs"),
    volumes: join(store.folder, "volumes"),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const running = new Map<string, Running>();

  function find(idOrName: string): ContainerRecord | undefined {
    const all = containers.items();
    return (
      all.find(({ id }) => id === idOrName) ??
      containers.get(idOrName) ??
      (/^[0-9a-f]{4,}$/.test(idOrName) ? all.find(({ id }) => id.startsWith(idOrName)) : undefined)
    );
  }

  function known(idOrName: string): ContainerRecord {
    const record = find(idOrName);
    if (record === undefined) throw new DaemonError(404, `No such container: ${idOrName}`);
    return record;
  }

  function findImage(nameOrId: string): PublishedImage | undefined {
    return pulled
      .items()
      .map((reference) => registry.resolve(reference))
      .filter((published) => published !== undefined)
      .find(({ image, digest, reference }) =>
        [digest, reference, `${image.repository}:${image.version}`].includes(
          nameOrId.replace(/:[^/@]+@/, "@"),
        ),
      );
  }

  /** Writes down a state, unless the container was removed meanwhile. */
  function settle(id: string, change: Partial<ContainerState>): void {
    const current = containers.items().find((each) => each.id === id);
    if (current !== undefined) containers.set(current.name, { ...current, ...change });
  }

  async function start(idOrName: string): Promise<void> {
    const record = known(idOrName);
    const { id } = record;
    const image = registry.resolve(record.image) ?? findImage(record.image);
    if (image === undefined) throw new DaemonError(404, noSuchImage(record.image));
    await refuseTakenPorts(record, () => containers.items());
    const run = launch(record, image, folders, (state) => {
      settle(id, state);
      if (state.status === "exited" && record.autoRemove) void remove(id, 0);
    });
    running.set(id, run);
    await run.started;
  }

  async function remove(id: string, graceMilliseconds: number): Promise<void> {
    const record = known(id);
    await running.get(record.id)?.stop(graceMilliseconds);
    running.delete(record.id);
    containers.delete(known(record.id).name);
  }

  await Promise.all(
    containers.items().map(async (record) => {
      const { id, status, restart } = record;
      if (status === "running") settle(id, { status: "exited", exitCode: killedExitCode });
      // One that was stopped by hand comes back with the daemon under `always` only.
      const comesBack =
        restart === "always"
          ? status !== "created"
          : restart === "unless-stopped" && status === "running";
      if (!comesBack) return;
      // The process of a daemon that was killed may be there for another moment.
      await waitForFreePorts(record, closeMilliseconds);
      await start(id);
    }),
  );

  return {
    containers,
    networks,
    volumes,
    images: () => [
      ...new Set(pulled.items().flatMap((reference) => registry.resolve(reference) ?? [])),
    ],
    findImage,
    pull(reference) {
      const image = registry.resolve(reference);
      if (image === undefined) throw new DaemonError(404, manifestUnknown(reference));
      pulled.set(image.digest, image.reference);
      return image;
    },
    create(spec) {
      const image = findImage(spec.image);
      if (image === undefined) throw new DaemonError(404, noSuchImage(spec.image));
      const other = containers.get(spec.name);
      if (other !== undefined) throw new DaemonError(409, nameTaken(spec.name, other.id));
      const createdAt = new Date().toISOString();
      for (const { name } of spec.volumes) {
        if (volumes.get(name) === undefined) volumes.set(name, { createdAt });
      }
      const id = randomBytes(32).toString("hex");
      const record = {
        ...spec,
        id,
        log: `${spec.name}-${id.slice(0, 12)}.log`,
        digest: image.digest,
        createdAt,
        status: "created",
        exitCode: 0,
        startedAt: undefined,
        finishedAt: undefined,
        restartCount: 0,
      } as const;
      containers.set(spec.name, record);
      return record;
    },
    start,
    find,
    health: (id) => running.get(id)?.health,
    place: (id) => running.get(id)?.place,
    async waitHealthy(id, milliseconds, signal) {
      const deadline = Date.now() + milliseconds;
      while (running.get(id)?.health !== "healthy") {
        signal.throwIfAborted();
        if (Date.now() > deadline) return false;
        await sleep(pollMilliseconds);
      }
      return true;
    },
    async waitEnd(id, signal) {
      for (;;) {
        const { status, exitCode } = known(id);
        if (status !== "running") return exitCode;
        signal.throwIfAborted();
        await sleep(pollMilliseconds);
      }
    },
    update(id, change) {
      const record = known(id);
      containers.set(record.name, { ...record, ...change });
      running.get(record.id)?.adopt(change);
    },
    rename(id, name) {
      const record = known(id);
      const other = containers.get(name);
      if (other !== undefined) {
        throw new DaemonError(409, `Error when allocating new name: ${nameTaken(name, other.id)}`);
      }
      containers.delete(record.name);
      containers.set(name, { ...record, name });
    },
    kill(id, signal) {
      const record = known(id);
      if (record.status !== "running") {
        const what = `cannot kill container: ${id}: container ${record.id} is not running`;
        throw new DaemonError(409, what);
      }
      running.get(record.id)?.signal(signal);
    },
    stop: async (id, graceMilliseconds) => running.get(known(id).id)?.stop(graceMilliseconds),
    logs: (id) => readIfThere(join(folders.logs, known(id).log)),
    remove,
    removeVolume(name) {
      const users = containers
        .items()
        .filter((each) => each.volumes.some((volume) => volume.name === name));
      if (users.length > 0) {
        const ids = users.map(({ id }) => id).join(", ");
        throw new DaemonError(409, `remove ${name}: volume is in use - [${ids}]`);
      }
      volumes.delete(name);
      rmSync(join(folders.volumes, name), { recursive: true, force: true });
    },
    async close() {
      // The records keep saying "running": that is how they are found again.
      const kept = [...running.values()];
      running.clear();
      for (const run of kept) run.detach();
      await Promise.all(kept.map((run) => run.stop(closeMilliseconds)));
    },
  };
}

const pollMilliseconds = 20;
const closeMilliseconds = 2000;

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function manifestUnknown(reference: string): string {
  return `manifest for ${reference} not found: manifest unknown: manifest unknown`;
}

function noSuchImage(reference: string): string {
  return `No such image: ${reference}`;
}

function nameTaken(name: string, id: string): string {
  return (
    `Conflict. The container name "/${name}" is already in use by container "${id}". ` +
    "You have to remove (or rename) that container to be able to reuse that name."
  );
}
