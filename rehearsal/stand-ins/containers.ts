import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedImage, Registry } from "../registry/registry.ts";
import { isFree } from "./network.ts";
import type { Collection, Store } from "./store.ts";

/** A port of a container that is published on an address of the machine. */
interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
}

/** How health is checked: an HTTP GET inside of the container. Times in milliseconds. */
export interface HealthCheck {
  readonly port: number;
  readonly path: string;
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
}

/** What a container is made from. */
export interface ContainerSpec {
  readonly name: string;
  /** Image reference. */
  readonly image: string;
  /** Lines `NAME=value`. */
  readonly envs: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly networks: readonly string[];
  readonly healthCheck: HealthCheck | undefined;
  readonly restart: RestartPolicy;
  /** How often `on-failure` starts it again; 0 for always. */
  readonly maxRetryCount: number;
}

/** What happens when a container ends by itself. */
type RestartPolicy = "no" | "on-failure" | "always" | "unless-stopped";

/** What the daemon keeps of a container. */
export interface ContainerRecord extends ContainerSpec {
  readonly id: string;
  readonly digest: string;
  readonly status: "created" | "running" | "exited";
  readonly exitCode: number;
}

/** An error of the daemon, in its words. */
export class DaemonError extends Error {
  override readonly name = "DaemonError";
}

/** A container daemon: containers are Node processes that behave like the image that they run as. */
export interface Daemon {
  readonly containers: Collection<ContainerRecord>;
  /** Pulls the image and makes the container; nothing runs yet. */
  create(spec: ContainerSpec): ContainerRecord;
  /** Starts a container and waits until its process listens or has ended. */
  start(id: string): Promise<void>;
  find(id: string): ContainerRecord | undefined;
  /** Waits until the container is healthy; false when it was not in time. */
  waitHealthy(id: string, milliseconds: number, signal: AbortSignal): Promise<boolean>;
  /** Changes how a container is restarted. */
  update(id: string, change: Pick<ContainerSpec, "restart" | "maxRetryCount">): void;
  /** Ends and removes a container. Without a grace period it is killed at once. */
  remove(id: string, graceMilliseconds: number): Promise<void>;
  /** Ends all containers, as when the machine goes down: those with a restart policy come back with the daemon. */
  close(): Promise<void>;
}

/**
 * Starts the daemon on what its memory holds. Containers that ran under the policies `always` and `unless-stopped`
 * run again, others count as exited.
 */
export async function startDaemon(store: Store, registry: Registry): Promise<Daemon> {
  const containers = store.collection<ContainerRecord>("docker-containers");
  const logs = join(store.folder, "container-logs");
  mkdirSync(logs, { recursive: true });
  const running = new Map<string, Running>();

  function byId(id: string): ContainerRecord {
    const record = containers.items().find((each) => each.id === id);
    if (record === undefined) throw new DaemonError(`No such container: ${id}`);
    return record;
  }

  async function start(id: string): Promise<void> {
    const record = byId(id);
    const image = registry.resolve(record.image);
    if (image === undefined) throw new DaemonError(manifestUnknown(record.image));
    refuseAllocatedPorts(record, containers.items());
    await refuseForeignPorts(record);
    refuseAllocatedPorts(record, containers.items());
    const run = launch(record, image, logs, (state) => {
      settle(record.name, id, state);
    });
    running.set(id, run);
    await run.started;
  }

  /** Writes down a state, unless the container was removed meanwhile. */
  function settle(name: string, id: string, change: ProcessState): void {
    const current = containers.get(name);
    if (current?.id === id) containers.set(name, { ...current, ...change });
  }

  await Promise.all(
    containers.items().map(async (record) => {
      const { id, name, status, restart } = record;
      if (status !== "running") return;
      settle(name, id, { status: "exited", exitCode: killedExitCode });
      if (restart === "no" || restart === "on-failure") return;
      await waitForPredecessor(record);
      await start(id);
    }),
  );

  return {
    containers,
    create(spec) {
      const image = registry.resolve(spec.image);
      if (image === undefined) throw new DaemonError(manifestUnknown(spec.image));
      const other = containers.get(spec.name);
      if (other !== undefined) throw new DaemonError(nameTaken(spec.name, other.id));
      const id = randomBytes(32).toString("hex");
      const record = { ...spec, id, digest: image.digest, status: "created", exitCode: 0 } as const;
      containers.set(spec.name, record);
      return record;
    },
    start,
    find: (id) => containers.items().find((each) => each.id === id),
    async waitHealthy(id, milliseconds, signal) {
      const deadline = Date.now() + milliseconds;
      while (running.get(id)?.healthy !== true) {
        signal.throwIfAborted();
        if (Date.now() > deadline) return false;
        await sleep(pollMilliseconds);
      }
      return true;
    },
    update(id, change) {
      const record = byId(id);
      containers.set(record.name, { ...record, ...change });
      running.get(id)?.adopt(change);
    },
    async remove(id, graceMilliseconds) {
      const record = byId(id);
      await running.get(id)?.stop(graceMilliseconds);
      running.delete(id);
      containers.delete(record.name);
    },
    async close() {
      // The records keep saying "running": that is how they are found again.
      const kept = [...running.entries()];
      running.clear();
      for (const [, run] of kept) run.detach();
      await Promise.all(kept.map(([, run]) => run.stop(closeMilliseconds)));
    },
  };
}

const appFile = join(import.meta.dirname, "..", "app.ts");
const pollMilliseconds = 20;
const closeMilliseconds = 2000;
// 128 + SIGKILL, as a daemon says of a container that it found dead.
const killedExitCode = 137;
// The daemon waits 100 ms, twice as long each time, at most a minute, and starts over after 10 s of running.
const firstBackoff = 100;
const longestBackoff = 60_000;
const steadyMilliseconds = 10_000;

type ProcessState = Pick<ContainerRecord, "status" | "exitCode">;

/** Where a process listens, and the port that it believes it listens on. */
interface Listening extends AddressInfo {
  readonly inside: number;
}

/** A container's process, with its restarts and its health. */
interface Running {
  /** Resolves when the first process listens or has ended. */
  readonly started: Promise<void>;
  readonly healthy: boolean;
  adopt(change: Pick<ContainerSpec, "restart" | "maxRetryCount">): void;
  /** Tells nobody any more when the process ends. */
  detach(): void;
  stop(graceMilliseconds: number): Promise<void>;
}

function launch(
  record: ContainerRecord,
  image: PublishedImage,
  logs: string,
  onState: (state: ProcessState) => void,
): Running {
  let policy: Pick<ContainerSpec, "restart" | "maxRetryCount"> = record;
  let tell = onState;
  let healthy = false;
  let child: ChildProcess | undefined;
  const ending = new AbortController();

  async function live(onStarted: () => void): Promise<void> {
    let backoff = firstBackoff;
    for (let restarts = 0; !isAborted(ending.signal); restarts += 1) {
      const began = Date.now();
      child = spawnApp(record, image, logs);
      tell({ status: "running", exitCode: 0 });
      const ended = new AbortController();
      const exited = exit(child);
      const listening = listeningAt(child, exited);
      void listening.then(onStarted);
      void watchHealth(record.healthCheck, listening, ended.signal, (now) => {
        healthy = now;
      });
      const exitCode = await exited;
      ended.abort();
      healthy = false;
      if (isAborted(ending.signal)) return;
      tell({ status: "exited", exitCode });
      if (!comesBack(policy, exitCode, restarts)) return;
      if (Date.now() - began > steadyMilliseconds) backoff = firstBackoff;
      await sleep(backoff, undefined, { signal: ending.signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, longestBackoff);
    }
  }

  let life = Promise.resolve();
  const started = new Promise<void>((resolve) => {
    life = live(resolve);
  });
  return {
    started,
    get healthy() {
      return healthy;
    },
    adopt(change) {
      policy = change;
    },
    detach() {
      tell = () => undefined;
    },
    async stop(graceMilliseconds) {
      ending.abort();
      const late = setTimeout(() => child?.kill("SIGKILL"), graceMilliseconds);
      child?.kill(graceMilliseconds > 0 ? "SIGTERM" : "SIGKILL");
      await life;
      clearTimeout(late);
    },
  };
}

/** A new process group, so that Ctrl-C in a terminal does not end it while the engine still needs it. */
function spawnApp(record: ContainerRecord, { image }: PublishedImage, logs: string): ChildProcess {
  const log = openSync(join(logs, `${record.name}.log`), "a", 0o600);
  const own = record.envs.map((line): [string, string] => {
    const at = line.indexOf("=");
    return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
  });
  const baked = {
    CONTAINER_IMAGE: JSON.stringify(image),
    CONTAINER_PORTS: JSON.stringify(record.ports),
  };
  try {
    return spawn(process.execPath, [appFile], {
      env: { ...Object.fromEntries(own), ...baked },
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function exit(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? killedExitCode;
}

/** Where the process listens; undefined when it ended before. */
async function listeningAt(
  child: ChildProcess,
  exited: Promise<number>,
): Promise<Listening | undefined> {
  const told = new Promise<Listening>((resolve) => {
    child.once("message", (message: { listening: Listening }) => {
      resolve(message.listening);
    });
  });
  return Promise.race([told, exited.then(() => undefined)]);
}

function comesBack(
  { restart, maxRetryCount }: Pick<ContainerSpec, "restart" | "maxRetryCount">,
  exitCode: number,
  restarts: number,
): boolean {
  if (restart === "no") return false;
  if (restart !== "on-failure") return true;
  return exitCode !== 0 && (maxRetryCount === 0 || restarts < maxRetryCount);
}

/**
 * Checks health as the daemon does, but for one thing: until the container is healthy for the first time it is asked
 * every 0.1 s instead of every interval, so that nobody waits for a clock.
 */
async function watchHealth(
  check: HealthCheck | undefined,
  listening: Promise<Listening | undefined>,
  signal: AbortSignal,
  tell: (healthy: boolean) => void,
): Promise<void> {
  const place = await listening;
  if (check === undefined || place === undefined) return;
  let failures = 0;
  let healthy = false;
  while (!isAborted(signal)) {
    if (await asksWell(place, check)) {
      failures = 0;
      healthy = true;
    } else {
      failures += 1;
      if (failures >= check.retries) healthy = false;
    }
    if (isAborted(signal)) return;
    tell(healthy);
    const pause = healthy ? check.interval : Math.min(check.interval, startingMilliseconds);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

const startingMilliseconds = 100;

/** The check runs inside of the container, where the process listens on the port that it was told. */
function asksWell({ address, port, inside }: Listening, check: HealthCheck): Promise<boolean> {
  if (inside !== check.port) return Promise.resolve(false);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(check.timeout);
    const asking = request(
      { host: address, port, path: check.path, signal, agent: false },
      (answer) => {
        answer.resume();
        resolve((answer.statusCode ?? 500) < 400);
      },
    );
    asking.on("error", () => {
      resolve(false);
    });
    asking.end();
  });
}

function refuseAllocatedPorts(record: ContainerRecord, all: readonly ContainerRecord[]): void {
  const allocated = all
    .filter(({ id, status }) => id !== record.id && status === "running")
    .flatMap(({ ports }) => ports);
  for (const { ip, external } of record.ports) {
    if (!allocated.some((port) => port.external === external && port.ip === ip)) continue;
    const where = `${ip}:${String(external)}`;
    throw new DaemonError(
      `${connectivityFailed(record)}: Bind for ${where} failed: port is already allocated`,
    );
  }
}

async function refuseForeignPorts(record: ContainerRecord): Promise<void> {
  for (const { ip, external } of record.ports) {
    if (await isFree(ip, external)) continue;
    throw new DaemonError(
      `${connectivityFailed(record)}: failed to bind host port for ${ip}:${String(external)}/tcp: ` +
        "address already in use",
    );
  }
}

/** Asked anew each time: a check on the signal itself counts as decided from then on. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The process of a daemon that was killed may be there for another moment. */
async function waitForPredecessor({ ports }: ContainerRecord): Promise<void> {
  const deadline = Date.now() + closeMilliseconds;
  for (const { ip, external } of ports) {
    while (Date.now() < deadline && !(await isFree(ip, external))) await sleep(pollMilliseconds);
  }
}

function connectivityFailed({ name }: ContainerRecord): string {
  return `driver failed programming external connectivity on endpoint ${name}`;
}

function manifestUnknown(reference: string): string {
  return `manifest for ${reference} not found: manifest unknown: manifest unknown`;
}

function nameTaken(name: string, id: string): string {
  return (
    `Conflict. The container name "/${name}" is already in use by container "${id}". ` +
    "You have to remove (or rename) that container to be able to reuse that name."
  );
}
