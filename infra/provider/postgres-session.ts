import type pg from "pg";
import { z } from "zod";
import { codeOf, messageOf } from "./error-text.ts";
import { pause } from "./pause.ts";
import { RefusedError } from "./resource-type.ts";
import { keptPassword, secretArn } from "./secret-password.ts";

/** How to reach a PostgreSQL database. */
export const connectionSchema = z
  .strictObject({
    host: z.string().min(1),
    port: z.number().int().min(1).max(65_535),
    database: z.string().min(1),
    user: z.string().min(1),
    password: z.string().optional(),
    /** ARN of the secret in AWS Secrets Manager that RDS keeps the password in, in place of `password`. */
    passwordSecretArn: secretArn.optional(),
    /** PEM of the authority that signed the server's certificate: TLS, and nothing but it. Absent: no TLS. */
    tlsCa: z.string().min(1).optional(),
  })
  .refine(
    ({ password, passwordSecretArn }) =>
      (password === undefined) !== (passwordSecretArn === undefined),
    { path: ["password"], error: "required is a password, or in its place passwordSecretArn" },
  );

/** How to reach a PostgreSQL database. `tlsCa` turns TLS on; a password that a secret keeps is read for each session. */
export type Connection = Readonly<z.infer<typeof connectionSchema>>;

/** One session with the database. */
export interface Session {
  /** Runs one statement with values and returns its rows. */
  rows<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs a text of one statement without values; the server refuses a text of more. */
  single(sql: string): Promise<Answer>;
  /** Runs a text of statements without values. */
  run(sql: string): Promise<void>;
  /** Runs `work` in a transaction: all of it stays, or nothing. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** What one statement answered. */
export interface Answer {
  /** Type of each column, by its OID. */
  readonly types: readonly number[];
  /** Values in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[];
}

/** How a session is opened. */
export interface SessionOptions {
  /** What it is for, one or two words: seen in `pg_stat_activity` as `cutover <purpose>`. */
  readonly purpose: string;
  /** Ends the session at once, whatever it is doing. */
  readonly signal?: AbortSignal | undefined;
  /** Default 10,000. */
  readonly connectMilliseconds?: number;
  /** `as-others` leaves the defaults that any other client gets; default is a session that writes in a freeze too. */
  readonly defaults?: "writable" | "as-others";
}

/** The words with which every `application_name` of ours begins. */
export const applicationPrefix = "cutover ";

/**
 * Opens a session, lets `work` use it and ends it.
 *
 * @throws RefusedError in words for the operator when the database cannot be reached or does not let us in; what a
 *   statement fails with passes through as pg's `DatabaseError`
 */
export async function withSession<Result>(
  connection: Connection,
  options: SessionOptions,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { signal, connectMilliseconds = 10_000, defaults = "writable" } = options;
  signal?.throwIfAborted();
  // Loaded here, because a run without a database should not wait for the driver.
  const { default: postgres } = await import("pg");
  const { tlsCa, password: given, passwordSecretArn, ...rest } = connection;
  const password =
    passwordSecretArn === undefined ? given : await keptPassword(passwordSecretArn, signal);
  const client = new postgres.Client({
    ...rest,
    password,
    ...(tlsCa === undefined ? {} : { ssl: { ca: tlsCa } }),
    application_name: `${applicationPrefix}${options.purpose}`,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
  });
  // A session that the server ends while it is idle says so here; the next statement fails anyway.
  client.on("error", () => undefined);
  const onAbort = (): void => {
    destroy(client);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    try {
      await client.connect();
      if (defaults === "writable") await client.query(sessionDefaults);
    } catch (error) {
      throw unreachable(connection, error);
    }
    return await work(sessionOf(client));
  } catch (error) {
    // The statement that an abort cuts off fails with a lost connection, which is not why it failed.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await Promise.race([client.end().catch(() => undefined), pause(goodbyeMilliseconds)]);
  }
}

/**
 * Tells whether the steps keep a table yet. Theirs is the schema `cutover_ledger`: in one named like a role, that role
 * would look for its own tables first.
 */
export async function hasTable(session: Session, table: "step" | "migration"): Promise<boolean> {
  const [row] = await session.rows<{ exists: boolean }>(
    "SELECT to_regclass('cutover_ledger.' || $1) IS NOT NULL AS exists",
    [table],
  );
  return row?.exists === true;
}

/** Locks of this project in a database, one for each thing that must not run twice at once. */
const lockKeys = { freeze: 1, migration: 2 } as const;

/**
 * Takes a lock that ends with the session, so that a killed process leaves none behind.
 *
 * @throws RefusedError naming the session that holds the lock when it is not free within `waitSeconds`
 */
export async function lockSession(
  session: Session,
  lock: keyof typeof lockKeys,
  waitSeconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const until = performance.now() + waitSeconds * 1000;
  for (;;) {
    signal?.throwIfAborted();
    const [row] = await session.rows<{ locked: boolean }>(
      "SELECT pg_try_advisory_lock($1, $2) AS locked",
      [lockSpace, lockKeys[lock]],
    );
    if (row?.locked === true) return;
    if (performance.now() >= until) break;
    await pause(pollMilliseconds, signal);
  }
  const [holder] = await session.rows<{ pid: number; application: string | null }>(
    `SELECT a.pid, a.application_name AS application FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [lockSpace, lockKeys[lock]],
  );
  const found =
    holder === undefined ? "none" : `${String(holder.pid)} (${holder.application ?? ""})`;
  throw new RefusedError(
    `the ${lock} lock of this database was not free within ${String(waitSeconds)} s; ` +
      `session that holds it: ${found}.\nTo do: let the other run end, or end that session, then run again`,
  );
}

// "cuto" in ASCII, so that these locks meet nobody else's.
const lockSpace = 0x63_75_74_6f;

const pollMilliseconds = 100;
const goodbyeMilliseconds = 1000;

// The check interval ends a long statement whose client is gone (PostgreSQL 14, on Linux); older ones do not know it.
const sessionDefaults = `
  SET default_transaction_read_only = off;
  SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'`;

function sessionOf(client: pg.Client): Session {
  return {
    async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      const { rows } = await client.query<Row>(sql, [...values]);
      return rows;
    },
    async single(sql) {
      // Only the extended protocol takes one statement and no more; pg's types do not know the option.
      const query: pg.QueryArrayConfig & { readonly queryMode: "extended" } = {
        text: sql,
        rowMode: "array",
        queryMode: "extended",
      };
      const { fields, rows } = await client.query<unknown[]>(query);
      return { types: fields.map(({ dataTypeID }) => dataTypeID), rows };
    },
    async run(sql) {
      await client.query(sql);
    },
    async transaction(work) {
      await client.query("BEGIN");
      try {
        const result = await work();
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    },
  };
}

function destroy(client: pg.Client): void {
  // pg has no public way to leave without a goodbye that waits for the running statement.
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}

function unreachable(connection: Connection, error: unknown): Error {
  const { host, port, database, user } = connection;
  const place = `database ${database} on ${host}:${String(port)}`;
  const code = codeOf(error) ?? "no answer";
  const todo = connectRemedies[code];
  return new RefusedError(
    todo === undefined
      ? `cannot reach ${place} as ${user}: ${messageOf(error)} (${code}).\nTo do: see that it runs and that this machine may connect to it`
      : `cannot reach ${place} as ${user}: ${todo}`,
    { cause: error },
  );
}

const connectRemedies: Readonly<Record<string, string | undefined>> = {
  "28P01": "the password was refused.\nTo do: give the resource the current password",
  "28000":
    "the server takes no such connection (28000).\n" +
    "To do: set cutover:database.caFile when the server wants TLS, or let this machine in at the server",
  "3D000": "it does not exist.\nTo do: correct the name, or create it",
};
