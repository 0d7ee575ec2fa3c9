import { randomUUID } from "node:crypto";
import { codeOf, messageOf } from "./error-text.ts";
import { pause } from "./pause.ts";
import {
  applicationPrefix,
  hasTable,
  lockSession,
  withSession,
  type Connection,
  type Session,
} from "./postgres-session.ts";
import { RefusedError } from "./resource-type.ts";

/** Which freeze: one per release of a stack. */
export interface FreezeKey {
  readonly stack: string;
  readonly release: string;
}

/**
 * How far a freeze got: `freezing` until every older session is gone and a write was seen refused, then `frozen`.
 * It ends as `completed` by its own `open` step, or as `aborted`.
 */
type FreezeState = "freezing" | "frozen" | "completed" | "aborted";

/** What the step ledger in the database says of a freeze. */
export interface FreezeRecord {
  readonly state: FreezeState;
  /** Identifies this freeze: what was copied under another token is older than the last write. */
  readonly token: string;
  /** Since when new sessions cannot write, ISO 8601. */
  readonly since: string;
  /** When it was over for new sessions, ISO 8601. Null while it stands. */
  readonly until: string | null;
  /** Why it was aborted. */
  readonly reason: string | null;
}

/** A freeze that holds, or held until it was completed. */
export interface Freeze {
  readonly token: string;
  /** ISO 8601. */
  readonly since: string;
}

/** What freezing and lifting may say and must heed. */
export interface FreezeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly log?: (message: string) => void;
}

/**
 * What the database says of a freeze: its record, if there is one, and whether the database is frozen now.
 *
 * @throws RefusedError when the database cannot be reached
 */
export async function readFreeze(
  connection: Connection,
  key: FreezeKey,
  signal?: AbortSignal,
): Promise<{ readonly record: FreezeRecord | undefined; readonly isFrozen: boolean }> {
  return withSession(
    connection,
    { purpose: "freeze status", connectMilliseconds: 5000, signal },
    async (session) => ({
      record: await readRecord(session, key),
      isFrozen: await isDatabaseFrozen(session),
    }),
  );
}

/** How {@link freezeWrites} tells whether there is something that somebody may have to lift. */
export interface FreezingOptions extends FreezeOptions {
  /** Told true before the database changes, and false when that was taken back. */
  readonly onStanding?: (stands: boolean) => void;
}

/**
 * Stops all writes to a database: new sessions are read-only by default, older ones are ended, and a write from a new
 * session must be refused before the freeze counts. Transactions that are open get `drainSeconds` to finish. A freeze
 * of this key that holds already is taken over with its token. Killed at any moment, it can be called again.
 *
 * What a session does to its own defaults is beyond it: a client that says `SET TRANSACTION READ WRITE` writes.
 *
 * @throws RefusedError when writes could not be stopped; the freeze is lifted then
 */
export async function freezeWrites(
  connection: Connection,
  key: FreezeKey,
  drainSeconds: number,
  { signal, log = ignore, onStanding = ignore }: FreezingOptions = {},
): Promise<Freeze> {
  let stands = false;
  const freeze = async (session: Session): Promise<Freeze> => {
    await lockSession(session, "freeze", lockWaitSeconds, signal);
    await createLedger(session);
    const earlier = await readRecord(session, key);
    if (earlier?.state === "frozen" && (await holds(connection, session, signal))) {
      onStanding(true);
      return { token: earlier.token, since: earlier.since };
    }
    await refuseOverrides(session);
    stands = true;
    onStanding(true);
    const started = await startFreeze(session, key);
    await endWriters(session, started.since, drainSeconds, log, signal);
    await requireRefusedWrite(connection, signal);
    await setState(session, key, "frozen", null);
    return started;
  };
  return explained(connection, async () => {
    try {
      const frozen = await withSession(connection, { purpose: "write freeze", signal }, freeze);
      log(`writes are frozen since ${frozen.since}`);
      return frozen;
    } catch (error) {
      if (stands && (await isLifted(connection, key, error, log))) onStanding(false);
      throw error;
    }
  });
}

/**
 * Ends a freeze that did its work: the database takes writes again, which a write from a new session must prove, and
 * the freeze counts as completed. Completed already, it only proves that.
 *
 * @throws RefusedError when the freeze did not hold until now, because then what was copied in it may be stale
 */
export async function completeFreeze(
  connection: Connection,
  key: FreezeKey,
  { signal, log = ignore }: FreezeOptions = {},
): Promise<Freeze> {
  return explained(connection, () =>
    withSession(connection, { purpose: "end of freeze", signal }, async (session) => {
      await lockSession(session, "freeze", lockWaitSeconds, signal);
      const record = await readRecord(session, key);
      const broken = await whyBroken(session, record);
      if (record === undefined || broken !== undefined) {
        throw new RefusedError(
          `the write freeze of release ${key.release} did not hold: ${broken ?? "no record"}.\n` +
            "What was moved on during it may be stale. To do: run pulumi up again, which freezes anew",
        );
      }
      if (record.state === "frozen") {
        await openDatabase(session, key, "completed", null);
      }
      await endReaders(session, key, patienceMilliseconds, log);
      await requireAcceptedWrite(connection, signal);
      return { token: record.token, since: record.since };
    }),
  );
}

/** How {@link liftFreeze} is told what it does and for how long. */
export interface LiftOptions extends FreezeKey {
  /** Why, one clause: it is kept in the database and logged. */
  readonly reason: string;
  readonly log?: (message: string) => void;
  /** Seconds to reach the database and to wait for its lock, each. Default 10. */
  readonly waitSeconds?: number;
}

/**
 * Takes back a freeze that was not completed: the database takes writes again and the freeze counts as aborted. Does
 * nothing for a freeze that does not stand, so it can be called by everyone who sees a failure, and twice.
 *
 * @returns whether there was a freeze to lift
 * @throws RefusedError when the database cannot be reached, or stays read-only for another reason
 */
export async function liftFreeze(
  connection: Connection,
  { stack, release, reason, log = ignore, waitSeconds = 10 }: LiftOptions,
): Promise<boolean> {
  const key = { stack, release };
  const options = { purpose: "lift of freeze", connectMilliseconds: waitSeconds * 1000 };
  return explained(connection, () =>
    withSession(connection, options, async (session) => {
      await lockSession(session, "freeze", waitSeconds);
      const record = await readRecord(session, key);
      const stands = record?.state === "freezing" || record?.state === "frozen";
      if (stands) await openDatabase(session, key, "aborted", reason);
      // Whoever lifted before may have been killed on the way: then this still has to be done.
      if (stands || (record?.state === "aborted" && record.until === null)) {
        await endReaders(session, key, Math.min(patienceMilliseconds, waitSeconds * 500), log);
      }
      if (!stands) return false;
      await requireAcceptedWrite(connection);
      log(`the write freeze of release ${release} was lifted: ${reason}`);
      return true;
    }),
  );
}

const step = "write-freeze";

const lockWaitSeconds = 60;
const pollMilliseconds = 50;
const endedMilliseconds = 5000;
/** How long a query that only reads may go on when its session has to end. */
const patienceMilliseconds = 2000;

const readOnlyCode = "25006";
const noPrivilegeCode = "42501";

function ignore(): void {
  // Nobody listens.
}

async function createLedger(session: Session): Promise<void> {
  // CREATE ... IF NOT EXISTS asks for the right to create even when there is nothing to create.
  if (await hasTable(session, "step")) return;
  await session.run(`
    CREATE SCHEMA IF NOT EXISTS cutover_ledger;
    CREATE TABLE IF NOT EXISTS cutover_ledger.step (
      stack text NOT NULL,
      release text NOT NULL,
      step text NOT NULL,
      state text NOT NULL,
      token text NOT NULL,
      at timestamptz NOT NULL,
      detail jsonb NOT NULL,
      PRIMARY KEY (stack, release, step)
    )`);
}

async function readRecord(session: Session, key: FreezeKey): Promise<FreezeRecord | undefined> {
  if (!(await hasTable(session, "step"))) return undefined;
  const [row] = await session.rows<FreezeRecord>(
    `SELECT state, token, detail->>'since' AS since, detail->>'until' AS until, detail->>'reason' AS reason
     FROM cutover_ledger.step WHERE stack = $1 AND release = $2 AND step = $3`,
    [key.stack, key.release, step],
  );
  return row;
}

async function isDatabaseFrozen(session: Session): Promise<boolean> {
  const [row] = await session.rows<{ frozen: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
       WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND split_part(setting, '=', 1) = 'default_transaction_read_only'
         AND split_part(setting, '=', 2)::boolean
     ) AS frozen`,
  );
  return row?.frozen === true;
}

/** Refuses what a freeze of the database does not reach: settings of single roles, and prepared transactions. */
async function refuseOverrides(session: Session): Promise<void> {
  const roles = await session.rows<{ role: string }>(
    `SELECT r.rolname AS role FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS setting
     WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND split_part(setting, '=', 1) = 'default_transaction_read_only'
       AND NOT split_part(setting, '=', 2)::boolean
     ORDER BY 1`,
  );
  const prepared = await session.rows<{ gid: string }>(
    "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1",
  );
  const reasons = [
    ...roles.map(
      ({ role }) =>
        `role ${role} has default_transaction_read_only = off of its own, so a freeze does not reach it.\n` +
        `  To do: ALTER ROLE "${role}" RESET default_transaction_read_only (and the same IN DATABASE)`,
    ),
    ...prepared.map(
      ({ gid }) =>
        `prepared transaction ${gid} can still be committed.\n  To do: COMMIT PREPARED or ROLLBACK PREPARED it`,
    ),
  ];
  if (reasons.length > 0) {
    throw new RefusedError(`writes cannot be frozen:\n${reasons.map((r) => `- ${r}`).join("\n")}`);
  }
}

/** From its commit on, new sessions cannot write. The record and the setting come together or not at all. */
async function startFreeze(session: Session, key: FreezeKey): Promise<Freeze> {
  const token = randomUUID();
  await session.transaction(async () => {
    await session.rows(
      `UPDATE cutover_ledger.step SET state = 'aborted', at = clock_timestamp(),
         detail = detail || jsonb_build_object('reason', $4::text, 'until', ${isoNow})
       WHERE step = $3 AND state IN ('freezing', 'frozen') AND NOT (stack = $1 AND release = $2)`,
      [key.stack, key.release, step, `release ${key.release} of ${key.stack} froze writes`],
    );
    await session.rows(
      `INSERT INTO cutover_ledger.step (stack, release, step, state, token, at, detail)
       VALUES ($1, $2, $3, 'freezing', $4, clock_timestamp(), jsonb_build_object('from', ${isoNow}))
       ON CONFLICT (stack, release, step) DO UPDATE
       SET state = excluded.state, token = excluded.token, at = excluded.at, detail = excluded.detail`,
      [key.stack, key.release, step, token],
    );
    await session.run(
      `ALTER DATABASE ${await quotedDatabase(session)} SET default_transaction_read_only = on`,
    );
  });
  // Read after the commit: whoever connects later than this starts read-only.
  const [row] = await session.rows<{ since: string }>(
    `UPDATE cutover_ledger.step SET detail = detail || jsonb_build_object('since', ${isoNow})
     WHERE stack = $1 AND release = $2 AND step = $3 RETURNING detail->>'since' AS since`,
    [key.stack, key.release, step],
  );
  if (row === undefined) throw new Error("the record of the write freeze vanished");
  return { token, since: row.since };
}

const isoNow = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

async function setState(
  session: Session,
  key: FreezeKey,
  state: FreezeState,
  reason: string | null,
): Promise<void> {
  await session.rows(
    `UPDATE cutover_ledger.step SET state = $4, at = clock_timestamp(), detail = detail || jsonb_build_object('reason', $5::text)
     WHERE stack = $1 AND release = $2 AND step = $3`,
    [key.stack, key.release, step, state, reason],
  );
}

async function openDatabase(
  session: Session,
  key: FreezeKey,
  state: "completed" | "aborted",
  reason: string | null,
): Promise<void> {
  await session.transaction(async () => {
    await setState(session, key, state, reason);
    await session.run(
      `ALTER DATABASE ${await quotedDatabase(session)} RESET default_transaction_read_only`,
    );
  });
}

async function quotedDatabase(session: Session): Promise<string> {
  const [row] = await session.rows<{ name: string }>(
    "SELECT quote_ident(current_database()) AS name",
  );
  if (row === undefined) throw new Error("the session has no database");
  return row.name;
}

interface OtherSession {
  readonly pid: number;
  readonly role: string;
  readonly superuser: boolean;
  readonly application: string;
  /** Null when the server does not show it to us. */
  readonly state: string | null;
}

/** Other clients of this database whose session began in this span; a hidden start counts as within. */
async function sessionsBetween(
  session: Session,
  from: string,
  until: string,
): Promise<OtherSession[]> {
  return session.rows<OtherSession>(
    `SELECT a.pid, r.rolname AS role, r.rolsuper AS superuser, coalesce(a.application_name, '') AS application, a.state
     FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
       AND coalesce(a.backend_type, 'client backend') = 'client backend'
       AND coalesce(a.backend_start BETWEEN $1::timestamptz AND $2::timestamptz, true)
     ORDER BY a.pid`,
    [from, until],
  );
}

/** Ends every session that could write: idle ones at once, those in a transaction when it ends or the time is over. */
async function endWriters(
  session: Session,
  since: string,
  drainSeconds: number,
  log: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const drainUntil = performance.now() + drainSeconds * 1000;
  const giveUp = drainUntil + endedMilliseconds;
  for (;;) {
    signal?.throwIfAborted();
    const left = await sessionsBetween(session, "-infinity", since);
    if (left.length === 0) return;
    const now = performance.now();
    const due = left.filter(
      (other) => now >= drainUntil || other.state === "idle" || isHidden(other),
    );
    const denied = await terminate(session, due);
    if (denied === left.length || now >= giveUp) {
      const bound = left.filter((other) => !other.superuser);
      if (bound.length > 0) throw new RefusedError(stuckText(bound));
      // A superuser writes whatever is set, and only another superuser may end its session.
      log(`sessions of superusers stay and can write: ${rolesOf(left)}`);
      return;
    }
    await pause(pollMilliseconds, signal);
  }
}

/** Only superusers see what a superuser does, and only they end its session. */
function isHidden(other: OtherSession): boolean {
  return other.superuser && other.state === null;
}

function stuckText(stuck: readonly OtherSession[]): string {
  return (
    `writes cannot be frozen: sessions of ${rolesOf(stuck)} could not be ended and can still write.\n` +
    "To do: GRANT pg_signal_backend and pg_read_all_stats to the role of this connection, or end those sessions"
  );
}

/**
 * Ends the sessions that began read-only, so that their clients connect again and can write. Those in a transaction get
 * `patience` milliseconds. Until when a session began read-only is kept, so that a second call ends no other.
 */
async function endReaders(
  session: Session,
  key: FreezeKey,
  patience: number,
  log: (message: string) => void,
): Promise<void> {
  // Read after the commit of what opened the database: whoever connects later than this can write.
  const [row] = await session.rows<{ from: string; until: string }>(
    `UPDATE cutover_ledger.step SET detail = jsonb_build_object('until', ${isoNow}) || detail
     WHERE stack = $1 AND release = $2 AND step = $3
     RETURNING detail->>'from' AS from, detail->>'until' AS until`,
    [key.stack, key.release, step],
  );
  if (row === undefined) throw new Error("the record of the write freeze vanished");
  const over = performance.now() + patience;
  for (;;) {
    const others = await sessionsBetween(session, row.from, row.until);
    // Ours write whatever the default is, and one of them may be in the middle of its work.
    const left = others.filter((other) => !other.application.startsWith(applicationPrefix));
    if (left.length === 0) return;
    const isOver = performance.now() >= over;
    const denied = await terminate(
      session,
      isOver ? left : left.filter((other) => other.state === "idle"),
    );
    if (isOver) {
      if (denied > 0)
        log(`sessions of ${rolesOf(left)} may stay read-only until they connect again`);
      return;
    }
    await pause(pollMilliseconds);
  }
}

function rolesOf(others: readonly OtherSession[]): string {
  return [...new Set(others.map((other) => other.role))].join(", ");
}

/** Asks the server to end these sessions. Returns how many of them are out of our reach. */
async function terminate(session: Session, others: readonly OtherSession[]): Promise<number> {
  let denied = 0;
  for (const { pid } of others) {
    try {
      await session.rows("SELECT pg_terminate_backend($1)", [pid]);
    } catch (error) {
      if (codeOf(error) !== noPrivilegeCode) throw error;
      denied += 1;
    }
  }
  return denied;
}

/** Tells whether a freeze that was made earlier still stops writes. */
async function holds(
  connection: Connection,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await isDatabaseFrozen(session)) && (await tryWrite(connection, signal)) === readOnlyCode;
}

async function requireRefusedWrite(
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<void> {
  const code = await tryWrite(connection, signal);
  if (code === readOnlyCode) return;
  throw new RefusedError(
    code === undefined
      ? "writes are not frozen: a new session of this connection's role could write.\n" +
          "To do: see whether that role, or PGOPTIONS here, sets default_transaction_read_only"
      : `writes may not be frozen: a test write failed with ${code}, required is ${readOnlyCode}`,
  );
}

async function requireAcceptedWrite(connection: Connection, signal?: AbortSignal): Promise<void> {
  const code = await tryWrite(connection, signal);
  if (code === undefined) return;
  throw new RefusedError(
    `database ${connection.database} does not take writes: a test write failed with ${code}.\n` +
      "To do: see whether its role or the server sets default_transaction_read_only",
  );
}

/** Writes from a new session as any client would, and takes it back. Returns the code it failed with. */
async function tryWrite(
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const options = {
    purpose: "test write",
    defaults: "as-others",
    signal,
  } as const;
  return withSession(connection, options, async (session) => {
    try {
      await session.run(
        `BEGIN;
         INSERT INTO cutover_ledger.step (stack, release, step, state, token, at, detail)
         VALUES ('', '', 'test-write', '', '', now(), '{}');
         ROLLBACK`,
      );
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      return code;
    }
  });
}

/** Why a freeze did not hold until now; undefined when it did, or was completed. */
async function whyBroken(
  session: Session,
  record: FreezeRecord | undefined,
): Promise<string | undefined> {
  if (record === undefined) return "the database has no record of it";
  const reasons: Readonly<Record<FreezeState, string | undefined>> = {
    completed: undefined,
    aborted: `it was lifted: ${record.reason ?? "no reason given"}`,
    freezing: "it was never finished",
    frozen: (await isDatabaseFrozen(session)) ? undefined : "someone lifted it by hand",
  };
  return reasons[record.state];
}

/** Lifts a freeze that failed on its way. Returns whether that went well, and says so if not. */
async function isLifted(
  connection: Connection,
  key: FreezeKey,
  error: unknown,
  log: (message: string) => void,
): Promise<boolean> {
  const reason = messageOf(error).split("\n")[0] ?? "";
  try {
    await liftFreeze(connection, { ...key, reason, waitSeconds: 2 });
    return true;
  } catch (second) {
    log(
      `the write freeze could not be lifted, so the database may take no writes: ${messageOf(second)}`,
    );
    return false;
  }
}

/** Puts what PostgreSQL says about missing rights into words for the operator. */
async function explained<Result>(
  connection: Connection,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) !== noPrivilegeCode) throw error;
    const { user, database } = connection;
    throw new RefusedError(
      `role ${user} may not freeze database ${database}: ${messageOf(error)}.\n` +
        `Required: the database's owner, a member of that role, or a superuser (on RDS: the master user).\n` +
        `To do: connect as that role, or ALTER DATABASE "${database}" OWNER TO "${user}"`,
      { cause: error },
    );
  }
}
