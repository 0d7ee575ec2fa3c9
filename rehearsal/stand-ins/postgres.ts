import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { escapeIdentifier, escapeLiteral, type Client } from "pg";
import { asAdmin, type ServerSettings } from "./postgres/admin.ts";
import { copyCluster, copyTree } from "./postgres/copy.ts";
import { binary, dataFolder, ownedByServer, serverUser, writeOwned } from "./postgres/place.ts";

export type { ServerSettings } from "./postgres/admin.ts";
export { dataFolder as copyFolder, removeData, removeLeftovers } from "./postgres/place.ts";

/** The user that the cloud's customer gets. Not a superuser. */
export interface MasterUser {
  readonly username: string;
  readonly password: string;
}

/** How a server encrypts: its certificate and key in PEM, and whether everybody but `rdsadmin` must encrypt. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  readonly forced: boolean;
}

/** A PostgreSQL server that runs as long as this process lives. */
export interface DatabaseServer {
  readonly settings: ServerSettings;
  /** `server_version`, as in `18.4`. */
  readonly version: string;
  /** Makes the master user's password another one. */
  setPassword(user: MasterUser): Promise<void>;
  /** Makes new connections of a server with TLS use it, or leaves it to them; when it returns they do. */
  forceTls(forced: boolean): Promise<void>;
  /** Copies the data of the running server, with the log that makes the copy whole, into a folder. */
  copyTo(folder: string): Promise<void>;
  stop(): Promise<void>;
}

/** A new password for `rdsadmin`. */
export function newAdminPassword(): string {
  return randomBytes(18).toString("base64url");
}

/**
 * Makes an empty database cluster in a folder and starts it. As on RDS, the master user owns the database, may create
 * databases and roles and end sessions, and is not a superuser.
 */
export async function createServer(
  folder: string,
  settings: ServerSettings,
  master: MasterUser,
  database: string | undefined,
  tls?: ServerTls,
): Promise<DatabaseServer> {
  await initialise(folder, settings.adminPassword);
  const server = await startServer(folder, settings, tls);
  try {
    await asAdmin(settings, (client) => client.query(masterSql(master)));
    if (database !== undefined) {
      const owner = escapeIdentifier(master.username);
      await asAdmin(settings, (client) =>
        client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${owner}`),
      );
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Starts a new server on a copy that {@link DatabaseServer.copyTo} made, which stays as it is. */
export async function restoreServer(
  copy: string,
  folder: string,
  settings: ServerSettings,
  tls?: ServerTls,
): Promise<DatabaseServer> {
  await rm(dataFolder(folder), { recursive: true, force: true });
  await copyTree(copy, dataFolder(folder), () => false);
  return startServer(folder, settings, tls);
}

/** Starts the server whose data is in a folder, and waits until it answers. Without `tls` nobody can encrypt. */
export async function startServer(
  folder: string,
  settings: ServerSettings,
  tls?: ServerTls,
): Promise<DatabaseServer> {
  const data = dataFolder(folder);
  await waitForPredecessor(data);
  await writeAccess(data, tls?.forced === true);
  if (tls !== undefined) await writeCertificate(data, tls);
  const child = await launch(data, join(folder, "postgres.log"), settings, tls !== undefined);
  const version = await answers(child, join(folder, "postgres.log"), settings);
  return {
    settings,
    version,
    setPassword: (user) =>
      asAdmin(settings, async (client) => {
        await client.query(
          `ALTER ROLE ${escapeIdentifier(user.username)} PASSWORD ${escapeLiteral(user.password)}`,
        );
      }),
    async forceTls(forced) {
      await writeAccess(data, forced);
      await reload(settings);
    },
    copyTo: (target) => copyCluster(data, target, settings),
    stop: () => stop(child),
  };
}

const startSeconds = 30;
const stopSeconds = 10;
const reloadSeconds = 10;
const pollMilliseconds = 20;

/** A rehearsal that loses its machine starts again, so nothing has to survive that. */
const fastSettings = {
  fsync: "off",
  max_connections: "100",
  shared_buffers: "32MB",
  jit: "off",
  unix_socket_directories: "",
  logging_collector: "off",
};

function masterSql({ username, password }: MasterUser): string {
  const user = escapeIdentifier(username);
  return [
    `CREATE ROLE ${user} LOGIN CREATEDB CREATEROLE PASSWORD ${escapeLiteral(password)}`,
    "CREATE ROLE rds_superuser NOLOGIN",
    "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION",
    `GRANT rds_superuser TO ${user}`,
    `ALTER DATABASE postgres OWNER TO ${user}`,
  ].join(";");
}

async function initialise(folder: string, adminPassword: string): Promise<void> {
  const data = dataFolder(folder);
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await ownedByServer(data);
  const passwordFile = `${data}.pw`;
  await writeFile(passwordFile, `${adminPassword}\n`, { mode: 0o600 });
  await ownedByServer(passwordFile);
  try {
    await runToEnd(await binary("initdb"), [
      `--pgdata=${data}`,
      `--pwfile=${passwordFile}`,
      "--username=rdsadmin",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      // Small segments make small copies.
      "--wal-segsize=1",
      "--no-sync",
      "--no-instructions",
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Who may come in. As on RDS, whoever must encrypt and does not has no entry. */
async function writeAccess(data: string, tlsForced: boolean): Promise<void> {
  const lines = [
    "host all rdsadmin 127.0.0.0/8 scram-sha-256",
    `${tlsForced ? "hostssl" : "host"} all all 127.0.0.0/8 scram-sha-256`,
  ];
  await writeOwned(join(data, "pg_hba.conf"), `${lines.join("\n")}\n`);
}

async function writeCertificate(data: string, { certificate, key }: ServerTls): Promise<void> {
  await writeOwned(join(data, "server.crt"), certificate);
  await writeOwned(join(data, "server.key"), key);
}

/** Makes a server read its files again. A session says when the server that it came from last did. */
async function reload(settings: ServerSettings): Promise<void> {
  const loadedAt = (client: Client): Promise<string | undefined> =>
    client
      .query<{ at: string }>("SELECT pg_conf_load_time()::text AS at")
      .then(({ rows }) => rows[0]?.at);
  const before = await asAdmin(settings, async (client) => {
    const at = await loadedAt(client);
    await client.query("SELECT pg_reload_conf()");
    return at;
  });
  const deadline = Date.now() + reloadSeconds * 1000;
  while ((await asAdmin(settings, loadedAt)) === before) {
    if (Date.now() > deadline) throw new Error("PostgreSQL did not read its files again");
    await sleep(pollMilliseconds);
  }
}

async function runToEnd(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    ...serverUser(),
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} failed:\n${said}`);
}

/**
 * The server ends with this process, however that ends: a watcher reads our end of a pipe and, when that closes, asks
 * the server to stop. Terminal signals do not reach it, because the engine may still need it then.
 */
const startScript =
  'exec 3<&0; ( ( cat <&3; kill -INT "$$" ) >/dev/null 2>&1 & ); exec "$@" </dev/null 3<&-';

async function launch(
  data: string,
  logFile: string,
  { address, port }: ServerSettings,
  encrypts: boolean,
): Promise<ChildProcess> {
  const settings = {
    ...fastSettings,
    listen_addresses: address,
    port: String(port),
    ssl: encrypts ? "on" : "off",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [await binary("postgres"), "-D", data, ...options];
  const log = openSync(logFile, "a", 0o600);
  try {
    return spawn("/bin/sh", ["-c", startScript, "sh", ...command], {
      ...serverUser(),
      cwd: data,
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["pipe", log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** Waits until the server answers and says its version; what answers at its address meanwhile may be another's. */
async function answers(
  child: ChildProcess,
  logFile: string,
  settings: ServerSettings,
): Promise<string> {
  const deadline = Date.now() + startSeconds * 1000;
  const ended = once(child, "exit").then(() => undefined);
  let last: unknown;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const asked = versionOf(settings).catch((error: unknown) => {
      last = error;
    });
    const version = await Promise.race([asked, ended]);
    if (version !== undefined) return version;
    await sleep(pollMilliseconds);
  }
  child.kill("SIGQUIT");
  child.stdin?.destroy();
  const log = (await readFile(logFile, "utf8")).split("\n").slice(-15).join("\n");
  throw new Error(`PostgreSQL did not start; the end of its log:\n${log}`, { cause: last });
}

function versionOf(settings: ServerSettings): Promise<string | undefined> {
  return asAdmin(settings, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    return rows[0]?.version;
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGINT");
  const late = setTimeout(() => child.kill("SIGQUIT"), stopSeconds * 1000);
  await ended;
  clearTimeout(late);
  child.stdin?.destroy();
}

/** A process that was killed leaves its server a moment behind, still at work on the same data. */
async function waitForPredecessor(data: string): Promise<void> {
  const deadline = Date.now() + stopSeconds * 1000;
  for (;;) {
    const pid = await predecessor(data);
    if (pid === undefined) return;
    if (Date.now() > deadline) {
      throw new Error(
        `a PostgreSQL of an earlier run, process ${String(pid)}, still works on ${data}. ` +
          "To do: end that process",
      );
    }
    await sleep(pollMilliseconds);
  }
}

async function predecessor(data: string): Promise<number | undefined> {
  try {
    const pid = Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[0]);
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}
