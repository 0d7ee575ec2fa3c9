import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { versionsFolder } from "./cache.ts";
import { EngineError } from "./errors.ts";
import { sayElapsed } from "./progress.ts";
import type { Say, Surroundings } from "./types.ts";
import { ENGINE_VERSION } from "./version.ts";

// A lock that its holder has not touched for this long was left by a run that was killed.
const STALE_MS = 10_000;
const RETRY_MS = 250;
const SAY_EVERY_MS = 5_000;
const LONGEST_WAIT_MS = 90 * 60_000;

/**
 * Does the work while no other run on this machine does it.
 * @throws EngineError when the lock stays taken for an hour and a half
 */
export async function withLock<T>(
  surroundings: Surroundings,
  say: Say,
  work: () => Promise<T>,
): Promise<T> {
  const release = await acquire(surroundings, say);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(surroundings: Surroundings, say: Say): Promise<() => Promise<void>> {
  const folder = versionsFolder(surroundings);
  await mkdir(folder, { recursive: true });
  const lockfilePath = join(folder, `.${ENGINE_VERSION}.lock`);
  const start = Date.now();
  let nextWord = 0;
  for (;;) {
    try {
      return await take(folder, lockfilePath, say);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ELOCKED")) throw error;
    }
    const waited = Date.now() - start;
    if (waited > LONGEST_WAIT_MS) {
      throw new EngineError(`another run still holds ${lockfilePath}; end it and try again`);
    }
    if (waited >= nextWord) {
      const since = nextWord === 0 ? "" : `, ${sayElapsed(waited)} so far`;
      say(`waiting for another run that is getting the engine${since}`, nextWord !== 0);
      nextWord = waited + SAY_EVERY_MS;
    }
    await sleep(RETRY_MS);
  }
}

async function take(folder: string, lockfilePath: string, say: Say): Promise<() => Promise<void>> {
  let lost = false;
  const release = await lockfile.lock(folder, {
    lockfilePath,
    stale: STALE_MS,
    // Two at work cost time but break nothing: each publishes whole, with one rename.
    onCompromised: () => {
      lost = true;
      say("lost the lock, for example because this machine slept; going on");
    },
  });
  return async () => {
    if (!lost) await release();
  };
}
