import type { Session } from "./postgres-session.ts";

/** What one query answered. */
export interface QueryAnswer {
  readonly rows: number;
  /** First column of the first row; undefined when there is none. */
  readonly first: unknown;
}

/** A copy of a database beside production, for as long as somebody works with it. */
export interface RestoredCopy {
  /** The name of the recovery point that it was made from. */
  readonly recoveryPoint: string;
  /** When the recovery point's data was taken, ISO 8601. */
  readonly takenAt: string;
  /** @throws Error with PostgreSQL's words when the query fails */
  ask(sql: string): Promise<QueryAnswer>;
}

/** What a restore is told of the run that it is part of. */
export interface RestoreRun {
  readonly stack: string;
  /** What the restore is due for: names what is made for it. */
  readonly due: string;
  readonly signal: AbortSignal;
  readonly log: (severity: "info" | "warning", message: string) => void;
}

/** The name of the tag, or label, of everything that a restore test makes; its value says what for. */
export const restoreTestTag = "cutover:restore-test";

/**
 * Removes a copy after the work with it. A failure of the work is what is told; that the copy stays is told beside it.
 *
 * @throws what the work failed with, or else what the removal failed with
 */
export async function thenRemove<Result>(
  run: Pick<RestoreRun, "log">,
  what: string,
  work: () => Promise<Result>,
  remove: () => Promise<void>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await remove().catch(() => {
      run.log("warning", `${what} is still there; the next restore test removes it first`);
    });
    throw error;
  }
  await remove();
  return result;
}

/** Asks a query in a session of its own statement. */
export async function askSession(session: Session, sql: string): Promise<QueryAnswer> {
  const { rows } = await session.single(sql);
  return { rows: rows.length, first: rows[0]?.[0] };
}
