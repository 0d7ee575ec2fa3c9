import {
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";
import { z } from "zod";
import type { Reading, Readings } from "../../policies/contract/readings.ts";
import { codeOf } from "../provider/error-text.ts";
import { ReadingError, type ReadingContext, type ReadingKind } from "./reading.ts";

/** A reading that is wanted. */
export interface Wanted {
  readonly kind: ReadingKind;
  /** As the kind's own schema gives it. */
  readonly target: unknown;
}

/** How long and how often is asked. */
export interface ReadOptions {
  /** Ends all readings at once. */
  readonly signal?: AbortSignal;
  /** Milliseconds of one try. */
  readonly eachTry?: number;
  /** Milliseconds of all tries of one reading with the pauses between them. */
  readonly allTries?: number;
  /** Milliseconds around which the first pause lies; the next is about twice as long. */
  readonly firstPause?: number;
}

/** What is well answers in a second or two; a run waits for two whole tries and the pauses, and no longer. */
const usual = { eachTry: 10_000, allTries: 25_000, firstPause: 500 };

/**
 * Reads everything at once. What takes too long is cut off, whether it heeds its signal or not; what may pass is asked
 * again, three times in all; what cannot be read in the end has a problem in place of its value. No reading delays or
 * harms another, so this never rejects.
 *
 * @returns the readings by the names of what is wanted, sorted by name
 */
export async function readAll(
  wanted: Readonly<Record<string, Wanted>>,
  context: Omit<ReadingContext, "signal">,
  options: ReadOptions = {},
): Promise<Readings> {
  const entries = Object.entries(wanted).sort(([a], [b]) => (a < b ? -1 : 1));
  const readings = entries.map(async ([name, each]) => [
    name,
    await readOne(name, each, context, options),
  ]);
  return Object.fromEntries(await Promise.all(readings)) as Readings;
}

/** Tries after the first one: a restart or a lost packet is over by the third. */
const moreTries = 2;

/** A reading is sealed with the release and shown to people; the largest real ones take a few KiB. */
const maxBytes = 64 * 1024;

async function readOne(
  name: string,
  { kind, target }: Wanted,
  context: Omit<ReadingContext, "signal">,
  options: ReadOptions,
): Promise<Reading> {
  const { signal } = options;
  const { eachTry, allTries, firstPause } = { ...usual, ...options };
  let at = new Date();
  let subject = name;
  let last: unknown;
  try {
    subject = kind.subject(target);
    const policy = wrap(
      timeout(allTries, TimeoutStrategy.Aggressive),
      // Its timer must not keep the process waiting when the time of all tries ends in a pause.
      retry(handleWhen(mayPass), {
        maxAttempts: moreTries,
        backoff: new ExponentialBackoff({ initialDelay: firstPause }),
      }).dangerouslyUnref(),
      timeout(eachTry, TimeoutStrategy.Aggressive),
    );
    const value = await policy.execute(async (call) => {
      // After the time of all tries, a pause may still end in one more.
      call.signal.throwIfAborted();
      at = new Date();
      try {
        return await kind.read(target, { ...context, signal: call.signal });
      } catch (error) {
        // A read that heeds its signal rejects with whatever its client makes of it.
        last = call.signal.aborted ? new TaskCancelledError() : error;
        throw last;
      }
    }, signal);
    return { kind: kind.kind, subject, at: at.toISOString(), value: plain(value) };
  } catch (error) {
    const problem =
      signal?.aborted === true
        ? "the run was stopped before it was read"
        : problemOf(error, last, `${eachTry / 1000} s for a try, ${allTries / 1000} s in all`);
    return { kind: kind.kind, subject, at: at.toISOString(), problem };
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof TaskCancelledError || (error instanceof ReadingError && error.again);
}

function problemOf(error: unknown, last: unknown, times: string): string {
  if (error instanceof ReadingError) return error.message;
  if (error instanceof TaskCancelledError) {
    const before = last instanceof ReadingError ? `; the last try before: ${last.message}` : "";
    return `it did not answer in time (${times})${before}`;
  }
  // Its message may hold what it was about, even a password.
  const name = error instanceof Error ? error.name : typeof error;
  const words = [name, codeOf(error) ?? ""].filter((word) => /^[\w-]{1,64}$/.test(word));
  return `cannot be read (${words.length === 0 ? "Error" : words.join(" ")})`;
}

const plainFacts = z.record(z.string(), z.json());

function plain(value: unknown): Readonly<Record<string, unknown>> {
  const found = plainFacts.safeParse(value);
  if (!found.success) {
    const names = found.error.issues.map(({ path }) => String(path[0] ?? "the whole"));
    throw new ReadingError(
      `what was read cannot be kept, it is no plain JSON: ${[...new Set(names)].join(", ")}`,
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(found.data));
  if (bytes > maxBytes) {
    throw new ReadingError(
      `what was read takes ${bytes} bytes, more than ${maxBytes}; name a smaller target`,
    );
  }
  return found.data;
}
