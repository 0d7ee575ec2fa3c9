import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { sha256 as sha256Of } from "../../policies/contract/envelope.ts";
import { codeOf, messageOf } from "./error-text.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import {
  connectionSchema,
  hasTable,
  lockSession,
  withSession,
  type Connection,
  type Session,
} from "./postgres-session.ts";
import { hasUnknown, sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";
import { positionText, transactionCommands } from "./sql-text.ts";

const inputs = z.strictObject({
  connection: connectionSchema,
  stack: z.string().min(1),
  release: z.string().min(1),
  /** Absolute path of the folder that holds the files. Where it lies on this machine is no difference. */
  folder: z.string().refine(isAbsolute, "required is an absolute path"),
  /** Every migration that the database may have seen, in the order in which they run. */
  files: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[\w.-]+\.sql$/, "required is the name of a .sql file in the folder"),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, "required is a SHA-256 in hex"),
      }),
    )
    .refine(
      (files) => new Set(files.map((file) => file.name)).size === files.length,
      "required is each name once",
    ),
  /** How long a statement waits for a lock on a table. Default 10. */
  lockTimeoutSeconds: z.number().positive().optional(),
  /** How long one statement may run. Default 600. */
  statementTimeoutSeconds: z.number().positive().optional(),
  /** How long to wait for another run that migrates the same database. Default 60. */
  waitSeconds: z.number().min(0).optional(),
});

/** Inputs of a migration. Seconds are optional and have defaults. */
type MigrationInputs = Readonly<z.infer<typeof inputs>>;

/** A file that the database has seen. */
interface AppliedFile {
  readonly name: string;
  readonly sha256: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Runs SQL files on a PostgreSQL database, each in a transaction of its own and each once. The ledger in the database
 * says which have run; one that was changed or is missing since is refused. Writes during a freeze too.
 */
export const migration: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  async diff(olds, news, call) {
    const diffs = [...new Set([...Object.keys(olds.inputs), ...Object.keys(news)])].filter(
      (name) => name !== "folder" && !sameProperty(olds.inputs[name], news[name]),
    );
    if (diffs.length > 0 || hasUnknown(news)) return { changes: true, diffs };
    const lacks = await lacksFiles(parseInputs(inputs, news), call);
    return { changes: lacks, diffs: lacks ? ["files"] : [] };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: await foreseen(news, call) };
    const { stack, release } = news;
    return {
      id: `${String(stack)}:${String(release)}`,
      outputs: { applied: await migrate(parseInputs(inputs, news), call) },
    };
  },

  async update(_id, _olds, news, call) {
    if (call.preview) return { outputs: await foreseen(news, call) };
    return { outputs: { applied: await migrate(parseInputs(inputs, news), call) } };
  },
};

interface SqlFile {
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
}

async function migrate(parsed: MigrationInputs, call: Call): Promise<AppliedFile[]> {
  const { connection, release, waitSeconds = 60 } = parsed;
  const files = await readFiles(parsed);
  const options = { purpose: "migration", signal: call.signal };
  return withSession(connection, options, async (session) => {
    await lockSession(session, "migration", waitSeconds, call.signal);
    await limitTimes(session, parsed);
    await createLedger(session, connection);
    for (const file of pendingFiles(files, await readLedger(session))) {
      call.signal.throwIfAborted();
      await applyFile(session, file, release);
      call.log("info", `applied ${file.name}`);
    }
    const ledger = await readLedger(session);
    return files.flatMap((file) => ledger.filter((row) => row.name === file.name));
  });
}

/** What a preview can say: which files will run, and the outputs when none will. Changes nothing. */
async function foreseen(news: Properties, call: Call): Promise<Properties> {
  if (hasUnknown(news)) return {};
  const parsed = parseInputs(inputs, news);
  const files = await readFiles(parsed);
  let ledger: AppliedFile[];
  try {
    ledger = await askLedger(parsed.connection, call.signal);
  } catch {
    call.log("info", "the database cannot be asked yet which files it has seen");
    return {};
  }
  const pending = pendingFiles(files, ledger);
  if (pending.length === 0) return { applied: ledger };
  call.log("info", `will apply ${pending.map((file) => file.name).join(", ")}`);
  return {};
}

/** Whether the database lacks files that the state says it has. One that cannot be asked counts as lacking. */
async function lacksFiles({ connection, files }: MigrationInputs, call: Call): Promise<boolean> {
  try {
    const ledger = await askLedger(connection, call.signal);
    const seen = new Set(ledger.map((row) => `${row.name} ${row.sha256}`));
    return !files.every((file) => seen.has(`${file.name} ${file.sha256}`));
  } catch (error) {
    call.log("warning", `cannot tell which migrations the database has seen: ${messageOf(error)}`);
    return true;
  }
}

/** The files' texts, every one as it was when the plan was made. */
async function readFiles({ folder, files }: MigrationInputs): Promise<SqlFile[]> {
  const problems: string[] = [];
  const read: SqlFile[] = [];
  for (const { name, sha256 } of files) {
    const bytes = await readFile(join(folder, name)).catch((error: unknown) => {
      problems.push(`${name} cannot be read (${codeOf(error) ?? "unknown reason"})`);
      return undefined;
    });
    if (bytes === undefined) continue;
    const sql = bytes.toString("utf8");
    const found = sha256Of(bytes);
    if (found !== sha256) {
      problems.push(
        `${name} changed since the plan was made: found ${found.slice(0, 12)}…, required ${sha256.slice(0, 12)}…`,
      );
    } else if (sql.split("\n", 1)[0]?.trim() === noTransactionMark) {
      problems.push(`${name} wants to run without a transaction, which is not supported`);
    } else {
      const commands = transactionCommands(sql);
      if (commands.length > 0) {
        problems.push(`${name} says ${commands.join(", ")}, but each file runs in one transaction`);
      }
    }
    read.push({ name, sha256, sql });
  }
  if (problems.length > 0) throw refusal(problems, "correct the files, then run pulumi again");
  return read;
}

const noTransactionMark = "-- cutover: no-transaction";

/** The files that have to run, in order. Refuses a history that is not the beginning of these files. */
function pendingFiles(files: readonly SqlFile[], ledger: readonly AppliedFile[]): SqlFile[] {
  const declared = new Map(files.map((file) => [file.name, file]));
  const applied = new Set(ledger.map((row) => row.name));
  const pending = files.filter((file) => !applied.has(file.name));
  const lastApplied = files.findLast((file) => applied.has(file.name));
  const late = pending.filter(
    (file) => lastApplied !== undefined && files.indexOf(file) < files.indexOf(lastApplied),
  );
  const problems = [
    ...ledger.flatMap(({ name, sha256, at }) => {
      const file = declared.get(name);
      if (file === undefined) return [`${name}, applied ${at}, is missing from the files`];
      return file.sha256 === sha256 ? [] : [`${name} was changed after it was applied ${at}`];
    }),
    ...late.map(
      (file) => `${file.name} stands before ${String(lastApplied?.name)}, which is applied already`,
    ),
  ];
  if (problems.length > 0) {
    throw refusal(problems, "restore the applied files as they were and put new ones after them");
  }
  return pending;
}

function refusal(problems: readonly string[], todo: string): RefusedError {
  return new RefusedError(
    `the migrations are refused:\n${problems.map((p) => `- ${p}`).join("\n")}\nTo do: ${todo}`,
  );
}

async function limitTimes(session: Session, parsed: MigrationInputs): Promise<void> {
  const { lockTimeoutSeconds = 10, statementTimeoutSeconds = 600 } = parsed;
  await session.rows(
    "SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)",
    [milliseconds(lockTimeoutSeconds), milliseconds(statementTimeoutSeconds)],
  );
}

function milliseconds(seconds: number): string {
  // Zero would mean no limit.
  return String(Math.max(1, Math.round(seconds * 1000)));
}

async function createLedger(session: Session, { user, database }: Connection): Promise<void> {
  if (await hasTable(session, "migration")) return;
  try {
    await session.run(`
      CREATE SCHEMA IF NOT EXISTS cutover_ledger;
      CREATE TABLE IF NOT EXISTS cutover_ledger.migration (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        release text NOT NULL,
        applied_at timestamptz NOT NULL
      )`);
  } catch (error) {
    if (codeOf(error) !== noPrivilegeCode) throw error;
    throw new RefusedError(
      `role ${user} may not make the schema cutover_ledger in database ${database}.\n` +
        `To do: connect as the database's owner, or GRANT CREATE ON DATABASE "${database}" TO "${user}"`,
      { cause: error },
    );
  }
}

async function readLedger(session: Session): Promise<AppliedFile[]> {
  return session.rows<AppliedFile>(
    `SELECT name, sha256, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
     FROM cutover_ledger.migration ORDER BY applied_at, name`,
  );
}

async function askLedger(connection: Connection, signal: AbortSignal): Promise<AppliedFile[]> {
  const options = { purpose: "migration status", connectMilliseconds: 5000, signal };
  return withSession(connection, options, async (session) =>
    (await hasTable(session, "migration")) ? readLedger(session) : [],
  );
}

async function applyFile(session: Session, file: SqlFile, release: string): Promise<void> {
  try {
    await session.transaction(async () => {
      const before = await transactionId(session);
      await session.run(file.sql);
      if ((await transactionId(session)) !== before) {
        throw new RefusedError(
          `migration ${file.name} ended its transaction, so part of it may stay.\n` +
            "To do: see what it did, and take the transaction commands out of it",
        );
      }
      await session.rows(
        "INSERT INTO cutover_ledger.migration (name, sha256, release, applied_at) VALUES ($1, $2, $3, clock_timestamp())",
        [file.name, file.sha256, release],
      );
    });
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof RefusedError || code === undefined || !(error instanceof Error))
      throw error;
    throw new RefusedError(
      `migration ${file.name} failed and was rolled back; files before it stay applied.\n` +
        `found: ${error.message} (SQLSTATE ${code})${positionText(file.sql, error)}\n` +
        `To do: ${remedies[code] ?? "correct the file, then run pulumi again"}`,
      { cause: error },
    );
  }
}

const noPrivilegeCode = "42501";

const remedies: Readonly<Record<string, string | undefined>> = {
  "55P03": "end what holds the lock, or raise lockTimeoutSeconds, then run pulumi again",
  "57014": "make the statement faster, or raise statementTimeoutSeconds, then run pulumi again",
};

async function transactionId(session: Session): Promise<string | undefined> {
  const [row] = await session.rows<{ id: string }>("SELECT pg_current_xact_id()::text AS id");
  return row?.id;
}
