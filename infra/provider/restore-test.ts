import { z } from "zod";
import { containerHost } from "./container-host.ts";
import { messageOf } from "./error-text.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { storeSchema } from "./object-store.ts";
import { connectionSchema } from "./postgres-session.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";
import { withContainerCopy } from "./restore-container.ts";
import { withRdsCopy } from "./restore-rds.ts";
import type { RestoredCopy, RestoreRun } from "./restored-copy.ts";

const rds = z.strictObject({
  kind: z.literal("rds"),
  identifier: z.string().min(1),
  region: z.string().min(1).nullish(),
});

const container = z.strictObject({
  kind: z.literal("container"),
  system: z.string().min(1),
  container: z.string().min(1),
  host: containerHost,
  image: z.string().min(1),
  engineVersion: z.string().min(1),
  memory: z.number().int().positive(),
  store: storeSchema,
});

const inputs = z.strictObject({
  stack: z.string().min(1),
  /** A new text asks for a new test, such as a release's version. */
  due: z.string().min(1),
  /** How production is reached: the copy has the same database, user and password. */
  connection: connectionSchema,
  source: z.discriminatedUnion("kind", [rds, container]),
  /** By name: SELECTs with one row whose first column is true when all is well. */
  queries: z
    .record(z.string(), z.string().min(1))
    .refine((queries) => Object.keys(queries).length > 0, "required is at least one query"),
  /** Default 7200: RDS takes its time with a large instance. */
  deadlineSeconds: z.number().positive().optional(),
});

/** Inputs of a restore test. */
type RestoreTestInputs = Readonly<z.infer<typeof inputs>>;

const defaultDeadlineSeconds = 7200;

/** What asks for another test. How production is reached is no part of it: a new password is no new backup. */
const asking = ["stack", "due", "source", "queries"] as const;

/** Days after which a test is made again even though nobody asks: far fewer than a gate lets one be old. */
const staleDays = 7;
const dayMilliseconds = 86_400_000;

/**
 * Restores the newest recovery point of a database beside production, asks the copy and removes it. Production is not
 * touched, but for a first recovery point where there was none. It leaves nothing behind, whatever happens, except when
 * its process is killed: the next test removes that first.
 */
export const restoreTest: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const changed = asking.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    const diffs = changed.length === 0 && isStale(olds.outputs["at"]) ? ["due"] : changed;
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:restore-test`, outputs: await testRestore(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await testRestore(parseInputs(inputs, news), call) };
  },
};

async function testRestore(parsed: RestoreTestInputs, call: Call): Promise<Properties> {
  const { stack, due, queries, deadlineSeconds = defaultDeadlineSeconds } = parsed;
  const late = AbortSignal.timeout(deadlineSeconds * 1000);
  const run: RestoreRun = {
    stack,
    due,
    signal: AbortSignal.any([call.signal, late]),
    log: call.log.bind(call),
  };
  const began = performance.now();
  try {
    return await withCopy(parsed, run, async (copy) => {
      await askAll(copy, queries, run.signal);
      const { recoveryPoint, takenAt } = copy;
      return {
        at: new Date().toISOString(),
        recoveryPoint,
        takenAt,
        seconds: Math.round((performance.now() - began) / 100) / 10,
        results: Object.fromEntries(Object.keys(queries).map((name) => [name, true])),
      };
    });
  } catch (error) {
    if (!late.aborted || call.signal.aborted) throw error;
    throw new RefusedError(
      `the restore test was not done within ${String(deadlineSeconds)} s.\n` +
        "To do: see what the restore waits for, or raise deadlineSeconds of the restore test",
      { cause: error },
    );
  }
}

/** Whether a test was made so long ago, or nobody knows when, that it counts for nothing. */
function isStale(at: unknown): boolean {
  const age = Date.now() - Date.parse(String(at));
  return !(age <= staleDays * dayMilliseconds);
}

function withCopy<Result>(
  { source, connection }: RestoreTestInputs,
  run: RestoreRun,
  work: (copy: RestoredCopy) => Promise<Result>,
): Promise<Result> {
  if (source.kind === "rds") return withRdsCopy(source, connection, run, work);
  const { database, user, password } = connection;
  if (password === undefined) {
    throw new RefusedError("input connection.password: required for a database in a container");
  }
  return withContainerCopy(source, { database, user, password }, run, work);
}

/** @throws RefusedError that names every query that was not answered as required */
async function askAll(
  copy: RestoredCopy,
  queries: RestoreTestInputs["queries"],
  signal: AbortSignal,
): Promise<void> {
  const problems: string[] = [];
  for (const [name, sql] of Object.entries(queries)) {
    const found = await foundIn(copy, sql, signal);
    if (found !== undefined) {
      problems.push(`  cutover:restoreTest.queries.${name}\n    found:    ${found}`);
    }
  }
  if (problems.length === 0) return;
  throw new RefusedError(
    [
      `recovery point ${copy.recoveryPoint}, taken ${copy.takenAt}, was restored and is not as it should be.`,
      ...problems,
      "  required: one row whose first column is true",
      "  to do:    find out what the backup lacks, or correct the query, then run pulumi up again",
    ].join("\n"),
  );
}

/** What is not as required; undefined when all is well. */
async function foundIn(
  copy: RestoredCopy,
  sql: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { rows, first } = await copy.ask(sql);
    if (rows !== 1) return `${String(rows)} rows`;
    return first === true ? undefined : shown(first);
  } catch (error) {
    signal.throwIfAborted();
    return `an error: ${messageOf(error)}`;
  }
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
