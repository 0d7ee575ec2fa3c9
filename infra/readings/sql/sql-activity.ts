import { z } from "zod";
import { applicationPrefix } from "../../provider/postgres-session.ts";
import { ReadingError, readingKind } from "../reading.ts";
import {
  databaseSubject,
  databaseTarget,
  readDatabase,
  readOnly,
  statementFailure,
} from "./database.ts";

const target = z.strictObject({
  longSeconds: z.number().positive().default(60).meta({
    description: "seconds after which a transaction counts as long",
    example: "60",
  }),
  database: databaseTarget,
});

const facts = {
  longTransactions: "transactions that are open for longer than `longSeconds`, prepared ones too",
  oldestTransactionSeconds: "seconds that the oldest transaction is open; 0 when there is none",
  idleInTransaction: "sessions that hold a transaction open and do nothing",
  waitingLocks: "sessions that wait for a lock of another",
  activeDdl: "sessions that run DDL, or hold a table so that nobody else can read it",
  replicas: "how many replicas read from this server",
  replicationLagSeconds:
    "seconds that the replica that is furthest behind lags; null when there is no replica",
  connections: "connections of clients to the whole server",
  maxConnections: "how many connections the server takes",
  readOnly:
    "true when a new session cannot write, by its default or because the server is a standby",
};

/** What is going on in a database, but for the sessions of this project. Texts of queries stay untold. */
export const sqlActivity = readingKind({
  kind: "sql-activity",
  title: "transactions, locks, DDL, connections and replication lag of a PostgreSQL database",
  target,
  facts,
  subject: ({ database }) => databaseSubject(database),

  read: ({ longSeconds, database }, context) =>
    readDatabase(database, context, async (session) => {
      const [row] = await readOnly(session, () =>
        session.rows<Row>(activity, [longSeconds, `${applicationPrefix}%`]),
      ).catch((error: unknown) => {
        throw statementFailure("the activity of the database", error);
      });
      if (row === undefined) throw new ReadingError("PostgreSQL told nothing of its activity");
      const { hidden, silentReplicas, ...value } = row;
      if (hidden > 0) {
        throw new ReadingError(
          `the role does not see what ${hidden} of the sessions and replicas do. ` +
            "To do: GRANT pg_monitor to it, and leave track_activities on",
        );
      }
      if (silentReplicas > 0) {
        throw new ReadingError(
          `${silentReplicas} of the replicas did not say yet how far they are. To do: see that they replay`,
          { again: true },
        );
      }
      return value;
    }),
});

/** The facts, and what must be zero for them to be true. */
type Row = Readonly<Record<keyof typeof facts, unknown>> & {
  /** Sessions and replicas of which the role may see nothing. */
  readonly hidden: number;
  readonly silentReplicas: number;
};

// Without comments, which may stand before the first word.
const statement = String.raw`regexp_replace(regexp_replace(query, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g')`;
const ddl = String.raw`^\s*(alter|cluster|comment|create|drop|grant|reassign|refresh|reindex|revoke|truncate)\M`;

// A session that the role may not look into has its query hidden; its application's name and database show always.
const activity = `
  WITH client AS (
    SELECT pid, datname = current_database() AS here, state, xact_start,
      query = '<insufficient privilege>' OR state = 'disabled' AS hidden,
      state <> 'idle' AND ${statement} ~* '${ddl}' AS runs_ddl
    FROM pg_stat_activity
    WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
      AND pid <> pg_backend_pid() AND application_name NOT LIKE $2
  ), here AS (
    SELECT * FROM client WHERE here
  ), opened AS (
    SELECT extract(epoch FROM clock_timestamp() - since)::float8 AS seconds
    FROM (
      SELECT xact_start AS since FROM here WHERE xact_start IS NOT NULL
      UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
    ) AS transaction
  ), exclusive AS (
    SELECT pid::text AS holder FROM pg_locks JOIN here USING (pid)
    WHERE granted AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
    UNION SELECT virtualtransaction FROM pg_locks
    WHERE pid IS NULL AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION SELECT pid::text FROM here WHERE runs_ddl
  ), replica AS (
    SELECT state IS NULL AS hidden,
      coalesce(
        extract(epoch FROM replay_lag)::float8,
        CASE WHEN replay_lsn >=
          CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
        THEN 0 END
      ) AS lag
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
  )
  SELECT
    ((SELECT count(*) FROM here WHERE hidden) + (SELECT count(*) FROM replica WHERE hidden))::int AS "hidden",
    (SELECT count(*) FROM replica WHERE lag IS NULL AND NOT hidden)::int AS "silentReplicas",
    (SELECT count(*) FROM opened WHERE seconds > $1)::int AS "longTransactions",
    (SELECT coalesce(max(seconds), 0) FROM opened) AS "oldestTransactionSeconds",
    (SELECT count(*) FROM here WHERE state LIKE 'idle in transaction%')::int AS "idleInTransaction",
    (SELECT count(DISTINCT pid) FROM pg_locks JOIN here USING (pid) WHERE NOT granted)::int AS "waitingLocks",
    (SELECT count(*) FROM exclusive)::int AS "activeDdl",
    (SELECT count(*) FROM replica)::int AS "replicas",
    (SELECT max(lag) FROM replica) AS "replicationLagSeconds",
    (SELECT count(*) FROM client)::int AS "connections",
    current_setting('max_connections')::int AS "maxConnections",
    current_setting('default_transaction_read_only')::boolean OR pg_is_in_recovery() AS "readOnly"`;
