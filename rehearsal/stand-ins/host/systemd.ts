import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../store.ts";
import type { HostTree } from "./tree.ts";
import { parseEnvironmentFile, parseUnit, UnitFileError, type ParsedUnit } from "./unit-file.ts";

/** A process that runs as a unit says. */
export interface UnitProcess {
  readonly pid: number;
  /** Resolves when it serves; never when it ends before. */
  readonly ready: Promise<void>;
  /** Its exit code, when it has ended. */
  readonly exited: Promise<number>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts what a unit's command stands for. The unit's environment is complete, with all that its files say.
 *
 * @throws Error when there is nothing of the kind
 */
export type RunUnit = (unit: ParsedUnit) => UnitProcess;

/** What a command of systemd ended with. */
export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** systemd on a host of the rehearsal. */
export interface Systemd {
  /** Runs `systemctl` with these arguments. */
  systemctl(args: readonly string[]): Promise<Told>;
  /** Starts what is enabled, as at boot. */
  boot(): Promise<void>;
  /** Ends everything, as when the machine goes down. */
  close(): Promise<void>;
}

/** What changes while a unit lives. */
interface Job {
  active: "active" | "activating" | "inactive" | "failed" | "deactivating";
  sub: string;
  result: string;
  restarts: number;
  process: UnitProcess | undefined;
  /** Aborts when the unit is told to stop. */
  ending: AbortController;
  /** When it was started, milliseconds. */
  starts: number[];
  life: Promise<void>;
}

const unitFolder = "/etc/systemd/system";
/** Units of every system, which the rehearsal has no need to start. */
const ofTheSystem: ReadonlySet<string> = new Set(["network-online.target"]);

/**
 * The part of systemd that the provider uses: services of type exec, notify, and timers, which count as started and
 * never elapse. Everything else is refused by name.
 */
export function openSystemd(tree: HostTree, store: Store, runUnit: RunUnit): Systemd {
  const enabled = store.collection<true>("systemd-enabled");
  const jobs = new Map<string, Job>();
  let loaded = new Map<string, ParsedUnit>();

  function jobOf(name: string): Job {
    const known = jobs.get(name);
    if (known !== undefined) return known;
    const made: Job = {
      active: "inactive",
      sub: "dead",
      result: "success",
      restarts: 0,
      process: undefined,
      ending: new AbortController(),
      starts: [],
      life: Promise.resolve(),
    };
    jobs.set(name, made);
    return made;
  }

  /** As systemd does: a unit stays as it was read until daemon-reload. */
  function unit(name: string): ParsedUnit | undefined {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const text = tree.read(`${unitFolder}/${name}`);
    if (text === undefined) return undefined;
    const parsed = parseUnit(name, text.toString("utf8"));
    loaded.set(name, parsed);
    return parsed;
  }

  function complete(parsed: ParsedUnit): ParsedUnit {
    const files = parsed.environmentFiles.map((path) => {
      const text = tree.read(path);
      if (text === undefined) throw new UnitFileError(`Failed to load environment file ${path}`);
      return parseEnvironmentFile(text.toString("utf8"));
    });
    const [program = ""] = parsed.execStart;
    for (const path of [program, parsed.workingDirectory ?? "/"]) {
      if (!tree.has(path)) throw new UnitFileError(`${path}: No such file or directory`);
    }
    return {
      ...parsed,
      environment: Object.assign({}, parsed.environment, ...files) as Record<string, string>,
    };
  }

  function settle(job: Job, active: Job["active"], sub: string, result = "success"): void {
    Object.assign(job, { active, sub, result });
  }

  async function start(name: string): Promise<string | undefined> {
    const job = jobOf(name);
    const parsed = unit(name);
    if (parsed === undefined) return `Unit ${name} not found.`;
    if (job.active === "active" || job.active === "activating") return undefined;
    for (const other of parsed.wants) if (!ofTheSystem.has(other)) await start(other);
    if (name.endsWith(".timer")) {
      settle(job, "active", "waiting");
      return undefined;
    }
    if (parsed.type === "oneshot") return `${name}: the stand-in starts no oneshot service`;
    job.ending = new AbortController();
    job.restarts = 0;
    return new Promise((resolve) => {
      job.life = live(parsed, job, resolve);
    });
  }

  /** Keeps a service running as its unit says. Tells once what became of the first start. */
  async function live(
    parsed: ParsedUnit,
    job: Job,
    tell: (problem: string | undefined) => void,
  ): Promise<void> {
    const failed = `Job for ${parsed.name} failed because the service did not start.`;
    for (;;) {
      const now = Date.now();
      job.starts = [...job.starts.filter((at) => now - at < parsed.startLimitInterval), now];
      if (job.starts.length > parsed.startLimitBurst) {
        settle(job, "failed", "failed", "start-limit-hit");
        tell(failed);
        return;
      }
      settle(job, "activating", "start", job.result);
      const code = await once(parsed, job, tell);
      job.process = undefined;
      if (isAborted(job.ending.signal)) {
        settle(job, "inactive", "dead");
        tell(failed);
        return;
      }
      tell(failed);
      const isGood = code === 0;
      const comesBack = parsed.restart === "always" || (parsed.restart === "on-failure" && !isGood);
      if (!comesBack) {
        settle(
          job,
          isGood ? "inactive" : "failed",
          isGood ? "dead" : "failed",
          isGood ? "success" : "exit-code",
        );
        return;
      }
      settle(job, "activating", "auto-restart", "exit-code");
      await sleep(parsed.restartPause, undefined, { signal: job.ending.signal }).catch(
        () => undefined,
      );
      if (isAborted(job.ending.signal)) {
        settle(job, "inactive", "dead");
        return;
      }
      job.restarts += 1;
    }
  }

  /** One process from its start to its end. */
  async function once(
    parsed: ParsedUnit,
    job: Job,
    tell: (problem: string | undefined) => void,
  ): Promise<number> {
    let child: UnitProcess;
    try {
      child = runUnit(complete(parsed));
    } catch (error) {
      tell(
        `Job for ${parsed.name} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      return 203;
    }
    job.process = child;
    const onEnd = (): void => {
      settle(job, "deactivating", "stop-sigterm");
      child.kill("SIGTERM");
    };
    job.ending.signal.addEventListener("abort", onEnd, { once: true });
    const late = setTimeout(() => {
      child.kill("SIGKILL");
    }, parsed.startTimeout);
    const onReady = (): void => {
      clearTimeout(late);
      if (isAborted(job.ending.signal)) return;
      settle(job, "active", "running");
      tell(undefined);
    };
    if (parsed.type === "notify") void child.ready.then(onReady);
    else onReady();
    const code = await child.exited;
    clearTimeout(late);
    job.ending.signal.removeEventListener("abort", onEnd);
    return code;
  }

  async function stop(name: string): Promise<void> {
    for (const other of jobs.keys()) {
      if (other !== name && loaded.get(other)?.partOf.includes(name) === true) await stop(other);
    }
    const job = jobOf(name);
    if (name.endsWith(".timer")) {
      settle(job, "inactive", "dead");
      return;
    }
    const late = setTimeout(
      () => job.process?.kill("SIGKILL"),
      loaded.get(name)?.stopTimeout ?? 5000,
    );
    job.ending.abort();
    await job.life;
    clearTimeout(late);
    if (job.active !== "failed") settle(job, "inactive", "dead");
  }

  function show(name: string, wanted: readonly string[]): string {
    const job = jobOf(name);
    const parsed = unit(name);
    const values: Readonly<Record<string, string>> = {
      Id: name,
      LoadState: parsed === undefined ? "not-found" : "loaded",
      ActiveState: job.active,
      SubState: job.sub,
      Result: job.result,
      MainPID: String(job.process?.pid ?? 0),
      NRestarts: String(job.restarts),
      UnitFileState: enabled.get(name) === undefined ? "disabled" : "enabled",
    };
    const unknown = wanted.find((each) => !Object.hasOwn(values, each));
    if (unknown !== undefined) throw new UnitFileError(`the stand-in cannot show ${unknown}`);
    const names = wanted.length === 0 ? Object.keys(values) : wanted;
    return names.map((each) => `${each}=${values[each] ?? ""}\n`).join("");
  }

  type Verb = (names: readonly string[], isNow: boolean) => Promise<Told>;

  const verbs: Readonly<Record<string, Verb>> = {
    "daemon-reload": () => {
      loaded = new Map();
      for (const name of tree.list(unitFolder)) if (/\.(service|timer)$/.test(name)) unit(name);
      return Promise.resolve(good());
    },
    start: (names) => each(names, start),
    stop: (names) => each(names, stop),
    restart: (names) =>
      each(names, async (name) => {
        if (unit(name) === undefined) return `Unit ${name} not found.`;
        await stop(name);
        return start(name);
      }),
    "reset-failed": (names) =>
      each(names, (name) => {
        const job = jobOf(name);
        job.starts = [];
        if (job.active === "failed") settle(job, "inactive", "dead");
        return Promise.resolve(undefined);
      }),
    enable: (names, isNow) =>
      each(names, async (name) => {
        if (unit(name) === undefined)
          return `Failed to enable unit: Unit file ${name} does not exist.`;
        enabled.set(name, true);
        return isNow ? start(name) : undefined;
      }),
    disable: (names, isNow) =>
      each(names, async (name) => {
        if (unit(name) === undefined)
          return `Failed to disable unit: Unit file ${name} does not exist.`;
        enabled.delete(name);
        if (isNow) await stop(name);
        return undefined;
      }),
    "is-active": (names) => {
      const states = names.map((name) => jobOf(name).active);
      const code = states.every((state) => state === "active") ? 0 : 3;
      return Promise.resolve({ code, stdout: `${states.join("\n")}\n`, stderr: "" });
    },
  };

  async function each(
    names: readonly string[],
    act: (name: string) => Promise<string | undefined | void>,
  ): Promise<Told> {
    for (const name of names) {
      const problem = await act(name);
      if (typeof problem === "string") return { code: 1, stdout: "", stderr: `${problem}\n` };
    }
    return good();
  }

  return {
    async systemctl(args) {
      try {
        const [verb = "", ...rest] = args;
        if (verb === "show") return good(show(...asked(rest)));
        const names = rest.filter((text) => text !== "--now");
        const odd = names.find((text) => text.startsWith("-"));
        const run = verbs[verb];
        if (run === undefined || odd !== undefined) {
          throw new UnitFileError(`the stand-in does not know systemctl ${odd ?? verb}`);
        }
        return await run(names, rest.includes("--now"));
      } catch (error) {
        if (!(error instanceof UnitFileError)) throw error;
        return { code: 1, stdout: "", stderr: `${error.message}\n` };
      }
    },
    async boot() {
      for (const [name] of enabled.entries()) await start(name);
    },
    async close() {
      await Promise.all([...jobs.keys()].map(stop));
    },
  };
}

/** The unit that `systemctl show` is asked for, and the properties: `-p Name` each. */
function asked(args: readonly string[]): [string, string[]] {
  const wanted = args.filter((_, index) => args[index - 1] === "-p");
  const [name = "", ...others] = args.filter(
    (text, index) => text !== "-p" && args[index - 1] !== "-p",
  );
  if (others.length > 0 || name.startsWith("-")) {
    throw new UnitFileError(`the stand-in does not know systemctl show ${args.join(" ")}`);
  }
  return [name, wanted];
}

function good(stdout = ""): Told {
  return { code: 0, stdout, stderr: "" };
}

/** Asked anew each time: a check on the signal itself counts as decided from then on. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
