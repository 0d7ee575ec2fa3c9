import { z } from "zod";
import { codeOf } from "../../provider/error-text.ts";
import {
  connectionSchema,
  withSession,
  type Connection,
  type Session,
} from "../../provider/postgres-session.ts";
import { RefusedError } from "../../provider/resource-type.ts";
import { environmentName, environmentPassword, readCertificate } from "../credentials.ts";
import { ReadingError, type ReadingContext } from "../reading.ts";

const { host, port, database, user } = connectionSchema.shape;

/** Another database than the stack's own. Its password comes from the environment. */
export const databaseTarget = z
  .strictObject({
    host: host.meta({ description: "a host name or address", example: "db.example.com" }),
    port: port.meta({ description: "a port, 1 to 65535", example: "5432" }),
    database: database.meta({ description: "a PostgreSQL database name", example: "flagship" }),
    user: user.meta({ description: "a PostgreSQL role", example: "reader" }),
    passwordEnv: environmentName.meta({
      description: "the environment variable that holds the password",
      example: "READER_PASSWORD",
    }),
    caFile: z.string().min(1).optional().meta({
      description: "a PEM file with the server's CA, from the project's top; without it, no TLS",
      example: "rds-ca.pem",
    }),
  })
  .optional()
  .meta({
    description: "another database than the stack's own",
    example: '{"host":"db.example.com","port":5432,…}',
  });

/** Another database than the stack's own. */
type DatabaseTarget = Readonly<NonNullable<z.infer<typeof databaseTarget>>>;

/** What a reading of a database is about. */
export function databaseSubject(target: DatabaseTarget | undefined): string {
  if (target === undefined) return "the stack's database";
  return `${target.database} on ${target.host}:${target.port}`;
}

/** Seconds that one statement of a reading may run; a try of a reading has ten. */
const statementSeconds = 5;

/** Seconds that it may wait for a lock: less, so that the lock is what the error names. */
const lockSeconds = 2;

/**
 * Opens a session for a reading and ends it.
 *
 * @throws ReadingError when there is no database yet, it cannot be reached, or a password is missing
 */
export async function readDatabase<Result>(
  target: DatabaseTarget | undefined,
  { database: own, signal }: ReadingContext,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const connection = target === undefined ? own : await connectionOf(target);
  if (connection === undefined) {
    throw new ReadingError(
      "the stack has no database yet. To do: run the first phase, which makes it, or name another database",
    );
  }
  const options = {
    purpose: "reading",
    signal,
    connectMilliseconds: statementSeconds * 1000,
    // A reading writes nothing and must see what any other client sees.
    defaults: "as-others",
  } as const;
  try {
    return await withSession(connection, options, work);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ReadingError) throw error;
    if (error instanceof RefusedError) throw unreachable(target, error);
    throw statementFailure("the database", error);
  }
}

/** Runs `work` in a transaction that can write nothing, with short timeouts; nothing of it stays. */
export async function readOnly<Result>(
  session: Session,
  work: () => Promise<Result>,
): Promise<Result> {
  await session.run(readOnlyTransaction);
  try {
    return await work();
  } finally {
    await session.run("ROLLBACK").catch(() => undefined);
  }
}

// Row security would leave rows out without a word; a cursor would be planned for its first rows only.
const readOnlyTransaction = `
  BEGIN TRANSACTION READ ONLY;
  SET LOCAL statement_timeout = ${statementSeconds * 1000};
  SET LOCAL lock_timeout = ${lockSeconds * 1000};
  SET LOCAL row_security = off;
  SET LOCAL cursor_tuple_fraction = 1`;

/** Says why a statement failed, by its code: what the server says may quote values. */
export function statementFailure(what: string, error: unknown): ReadingError {
  const code = codeOf(error);
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    return new ReadingError(`${what}: the connection was lost`, { again: true, cause: error });
  }
  const text = failures[code] ?? "PostgreSQL refused it";
  const again = code in mayPass || code.slice(0, 2) in mayPass;
  return new ReadingError(`${what}: ${text} (${code})`, { again, cause: error });
}

const failures: Readonly<Record<string, string | undefined>> = {
  "25006": "it tried to write, which a reading must not. To do: ask with a SELECT that only reads",
  "42501":
    "the role may not read it, or not all of its rows. To do: GRANT it what it reads, or BYPASSRLS",
  "42601": "it is no single SELECT. To do: correct it",
  "42703": "it names a column that does not exist. To do: correct it",
  "42883": "it names a function that does not exist. To do: correct it",
  "42P01": "it names a table that does not exist. To do: correct it",
  "3F000": "it names a schema that does not exist. To do: correct it",
  "0A000":
    "it does something that a reading must not, such as a DELETE within WITH. To do: ask with a SELECT that only reads",
  "55P03": `it waited ${lockSeconds} s for a lock. To do: end what holds the lock`,
  "57014": `it was cancelled, as everything is after ${statementSeconds} s. To do: make it faster`,
};

/** Codes and classes of codes of what may pass: connections, conflicts, resources, shutdowns. */
const mayPass: Readonly<Record<string, true>> = {
  "08": true,
  "40": true,
  "53": true,
  "57": true,
  "55P03": true,
};

async function connectionOf(target: DatabaseTarget): Promise<Connection> {
  const { passwordEnv, caFile, ...rest } = target;
  const password = environmentPassword(passwordEnv, databaseSubject(target));
  if (caFile === undefined) return { ...rest, password };
  return { ...rest, password, tlsCa: await readCertificate(caFile, databaseSubject(target)) };
}

function unreachable(target: DatabaseTarget | undefined, error: RefusedError): ReadingError {
  const code = codeOf(error.cause);
  const text =
    code === "28P01"
      ? `${databaseSubject(target)} refused the password. To do: set the current one in ${target?.passwordEnv ?? "cutover:databasePassword"}`
      : error.message.replaceAll(/\.?\n/g, ". ");
  return new ReadingError(text, { again: !lasting.includes(code), cause: error });
}

/** Codes of refusals that asking again does not change: the password, the kind of connection, no such database. */
const lasting: readonly (string | undefined)[] = ["28P01", "28000", "3D000"];
