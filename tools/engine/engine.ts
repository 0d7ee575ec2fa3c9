import { homedir } from "node:os";
import { fromGo } from "./build.ts";
import { fromCache, versionsFolder } from "./cache.ts";
import { fromDownload } from "./download.ts";
import { EngineError, noRoute, RouteFailure } from "./errors.ts";
import { withLock } from "./lock.ts";
import { fromPath } from "./path.ts";
import type { Engine, Say, Surroundings } from "./types.ts";
import { ACCEPTED } from "./version.ts";

export { EngineError } from "./errors.ts";
export type { Engine, Say } from "./types.ts";

/** How to be told what is going on. Finding an engine that is there says nothing. */
export type EngineOptions = {
  /** Gets every line; without it they go to standard error. */
  onProgress?: Say;
  /** Says nothing at all. */
  quiet?: boolean;
};

/** The two routes that make an engine. */
export type Makers = {
  download: (surroundings: Surroundings, say: Say) => Promise<Engine>;
  build: (surroundings: Surroundings, say: Say) => Promise<Engine>;
};

/**
 * Gets a Pulumi CLI with a Node.js language host: the one on PATH, else the one of an earlier run,
 * else the official download, else a build with Go. Put `folder` first on PATH to use it.
 * @throws EngineError with every route that was tried and what to do about it
 */
export async function ensureEngine(options: EngineOptions = {}): Promise<Engine> {
  const surroundings = { env: process.env, home: homedir(), sources: import.meta.dirname };
  const say =
    options.quiet === true ? () => {} : (options.onProgress ?? ((line) => console.error(line)));
  return obtainEngine(surroundings, { download: fromDownload, build: fromGo }, say);
}

/**
 * The same on any machine, with any makers.
 * @throws EngineError with every route that was tried and what to do about it
 */
export async function obtainEngine(
  surroundings: Surroundings,
  makers: Makers,
  say: Say,
): Promise<Engine> {
  const ready = await firstOf([() => fromPath(surroundings), () => fromCache(surroundings)]);
  if ("engine" in ready) return ready.engine;

  const made = await underLock(surroundings, say, () =>
    firstOf([
      // Another run may have made it while this one waited for the lock.
      () => fromCache(surroundings),
      () => makers.download(surroundings, say).catch((error: unknown) => sayWhyNot(error, say)),
      () => makers.build(surroundings, say),
    ]),
  );
  if ("engine" in made) return made.engine;
  const fromPathOnly = ready.failures.filter(({ route }) => route === "path");
  throw noRoute(ACCEPTED, [...fromPathOnly, ...made.failures]);
}

function sayWhyNot(error: unknown, say: Say): never {
  if (error instanceof RouteFailure) say(`  ${error.message}`);
  throw error;
}

type Outcome = { engine: Engine } | { failures: RouteFailure[] };

async function firstOf(routes: (() => Promise<Engine>)[]): Promise<Outcome> {
  const failures: RouteFailure[] = [];
  for (const route of routes) {
    try {
      return { engine: await route() };
    } catch (error) {
      if (!(error instanceof RouteFailure)) throw error;
      failures.push(error);
    }
  }
  return { failures };
}

async function underLock<T>(surroundings: Surroundings, say: Say, work: () => Promise<T>) {
  try {
    return await withLock(surroundings, say, work);
  } catch (error) {
    const isFiles = error instanceof Error && "code" in error && "syscall" in error;
    if (!isFiles) throw error;
    throw new EngineError(
      `cannot keep an engine in ${versionsFolder(surroundings)}: ${error.message}`,
    );
  }
}
