import type { Say } from "./types.ts";

const EVERY_MS = 5_000;

/** A time span for people: `45 s`, `4 min 5 s`. */
export function sayElapsed(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

/** While the work runs, says every few seconds what is going on and for how long. */
export async function withTicks<T>(
  say: Say,
  what: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const start = Date.now();
  const timer = setInterval(() => {
    say(`  ${what()}, ${sayElapsed(Date.now() - start)}`, true);
  }, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
