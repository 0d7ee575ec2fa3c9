import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedImage } from "../registry/registry.ts";
import { answersWell, type HealthCheck, type Listening } from "./container-health.ts";
import type { ContainerRecord, ContainerSpec, ContainerState } from "./container-record.ts";

/** The folders of a daemon. */
export interface Folders {
  readonly logs: string;
  readonly volumes: string;
}

/** A container's process, with its restarts and its health. */
export interface Running {
  /** Resolves when the first process listens, runs its command, or has ended. */
  readonly started: Promise<void>;
  /** Undefined without a health check. */
  readonly health: "starting" | "healthy" | "unhealthy" | undefined;
  /** Where it listens; undefined until it does, and when it has ended. */
  readonly place: Listening | undefined;
  adopt(change: Pick<ContainerSpec, "restart" | "maxRetryCount">): void;
  /** Tells nobody any more when the process ends. */
  detach(): void;
  /** Sends a signal. What ends a process by it is not started again. */
  signal(name: NodeJS.Signals): void;
  stop(graceMilliseconds: number): Promise<void>;
}

/** Starts the process of a container, and keeps it running as its policy says. */
export function launch(
  record: ContainerRecord,
  image: PublishedImage,
  folders: Folders,
  onState: (state: Partial<ContainerState>) => void,
): Running {
  let policy: Pick<ContainerSpec, "restart" | "maxRetryCount"> = record;
  let tell = onState;
  let health: Running["health"] = record.healthCheck === undefined ? undefined : "starting";
  let child: ChildProcess | undefined;
  let place: Listening | undefined;
  const ending = new AbortController();

  async function live(onStarted: () => void): Promise<void> {
    let backoff = firstBackoff;
    for (let restarts = 0; !isAborted(ending.signal); restarts += 1) {
      const began = Date.now();
      child = spawnApp(record, image, folders);
      tell({ status: "running", exitCode: 0, startedAt: now(), restartCount: restarts });
      const ended = new AbortController();
      const exited = exit(child);
      const listening = listeningAt(child, exited);
      void listening.then((told) => {
        place = told;
        onStarted();
      });
      void watchHealth(record.healthCheck, listening, ended.signal, (told) => {
        health = told;
      });
      const exitCode = await exited;
      place = undefined;
      ended.abort();
      if (health !== undefined) health = "unhealthy";
      tell({ status: "exited", exitCode, finishedAt: now() });
      if (isAborted(ending.signal) || !comesBack(policy, exitCode, restarts)) return;
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
    get health() {
      return health;
    },
    get place() {
      return place;
    },
    adopt(change) {
      policy = change;
    },
    detach() {
      tell = () => undefined;
    },
    signal(name) {
      if (endingSignals.has(name)) ending.abort();
      child?.kill(name);
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

/** What the daemon says of a process that it found dead: 128 + SIGKILL. */
export const killedExitCode = 137;

const appFile = join(import.meta.dirname, "..", "app.ts");
const endingSignals: ReadonlySet<string> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT"]);
// The daemon waits 100 ms, twice as long each time, at most a minute, and starts over after 10 s of running.
const firstBackoff = 100;
const longestBackoff = 60_000;
const steadyMilliseconds = 10_000;
const startingMilliseconds = 100;

/** A new process group, so that Ctrl-C in a terminal does not end it while the engine still needs it. */
function spawnApp(
  record: ContainerRecord,
  { image }: PublishedImage,
  { logs, volumes }: Folders,
): ChildProcess {
  const log = openSync(join(logs, record.log), "a", 0o600);
  const own = record.envs.map((line): [string, string] => {
    const at = line.indexOf("=");
    return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
  });
  const mounted = record.volumes.map(({ name }): [string, string] => {
    const folder = join(volumes, name);
    mkdirSync(folder, { recursive: true });
    return [`VOLUME_${name.replaceAll(/\W/g, "_").toUpperCase()}`, folder];
  });
  const baked = {
    CONTAINER_IMAGE: JSON.stringify(image),
    CONTAINER_PORTS: JSON.stringify(record.ports),
    CONTAINER_COMMAND: JSON.stringify(record.command),
  };
  try {
    return spawn(process.execPath, [appFile], {
      env: { ...Object.fromEntries(own), ...Object.fromEntries(mounted), ...baked },
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function exit(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal ?? "SIGKILL"];
}

/** Where the process listens; undefined when it runs a command, and when it ended before. */
async function listeningAt(
  child: ChildProcess,
  exited: Promise<number>,
): Promise<Listening | undefined> {
  const told = new Promise<Listening | undefined>((resolve) => {
    child.once("message", (message: { listening?: Listening }) => {
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
  tell: (health: Running["health"]) => void,
): Promise<void> {
  const place = await listening;
  if (check === undefined || place === undefined) return;
  let failures = 0;
  let health: Running["health"] = "starting";
  while (!isAborted(signal)) {
    if (await answersWell(place, check)) {
      failures = 0;
      health = "healthy";
    } else {
      failures += 1;
      if (failures >= check.retries) health = "unhealthy";
    }
    if (isAborted(signal)) return;
    tell(health);
    const pause =
      health === "healthy" ? check.interval : Math.min(check.interval, startingMilliseconds);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

function now(): string {
  return new Date().toISOString();
}

/** Asked anew each time: a check on the signal itself counts as decided from then on. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
