import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import {
  binary,
  dataFolder,
  ownedByServer,
  serverUser,
  writeOwned,
} from "../stand-ins/postgres/place.ts";
import { variable } from "./environment.ts";

/** A PostgreSQL server in a container. */
export interface ContainerPostgres {
  /** Where it listens, and the port that it listens on inside of its container. */
  readonly listening: AddressInfo & { readonly inside: number };
  /** Ends it as the image does: sessions are ended, and nothing is lost. */
  end(): Promise<void>;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>;
}

const inside = 5432;
const startSeconds = 30;
const pollMilliseconds = 20;

/** Runs a real PostgreSQL as the official `postgres` image does, told the same variables; waits until it answers. */
export async function servePostgres(): Promise<ContainerPostgres> {
  // Containers are told nothing of the machine, and looking for users needs a program of it.
  process.env["PATH"] ??= "/usr/bin:/bin";
  const { POSTGRES_USER: user = "postgres", POSTGRES_PASSWORD: password = "" } = process.env;
  const { POSTGRES_DB: database = user } = process.env;
  const volume = Object.entries(process.env).find(([name]) => name.startsWith("VOLUME_"))?.[1];
  const folder = volume ?? (await scratchFolder());
  const data = dataFolder(folder);
  const mark = join(folder, "initialised");
  const isNew = !existsSync(mark);
  if (isNew) await initialise(data, user, password);
  const { host, port } = await placeToListen();
  const child = await launch(data, host, port, volume === undefined ? folder : "");
  const ended = once(child, "exit").then(() => undefined);
  const login = { host, port, user, password };
  await untilReady(child, ended, login);
  if (isNew) {
    if (database !== "postgres") await createDatabase(login, database);
    await writeFile(mark, "");
  }
  return {
    listening: { address: host, port, family: "IPv4", inside },
    ended,
    async end() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

/** What the image keeps in a volume without a name: it goes with the server. */
async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rehearsal-postgres-"));
  await ownedByServer(folder);
  return folder;
}

async function initialise(data: string, user: string, password: string): Promise<void> {
  if (password === "") {
    throw new Error(
      "Error: Database is uninitialized and superuser password is not specified. " +
        "You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.",
    );
  }
  // Half of an initialisation, or the data of a volume that was removed and made again.
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await ownedByServer(data);
  const passwordFile = `${data}.pw`;
  await writeOwned(passwordFile, `${password}\n`);
  try {
    await runInitdb([
      `--pgdata=${data}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--locale=C",
      "--wal-segsize=1",
      "--no-sync",
      "--no-instructions",
      ...(process.env["POSTGRES_INITDB_ARGS"] ?? "").split(/\s+/).filter((word) => word !== ""),
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  // As the image: whoever reaches the port needs the password.
  await appendFile(join(data, "pg_hba.conf"), "\nhost all all all scram-sha-256\n");
}

async function runInitdb(words: readonly string[]): Promise<void> {
  const child = spawn(await binary("initdb"), words, {
    ...serverUser(),
    env: {},
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`initdb ended with ${String(code)}`);
}

/** Where the container publishes the port, or a free port only inside of it when it does not. */
async function placeToListen(): Promise<{ readonly host: string; readonly port: number }> {
  const ports = JSON.parse(variable("CONTAINER_PORTS")) as readonly PublishedPort[];
  const published = ports.find(({ internal }) => internal === inside);
  if (published !== undefined) return { host: published.ip, port: published.external };
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { host: "127.0.0.1", port };
}

interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
}

/** The server ends with this process, however that ends, and then its scratch folder goes; see stand-ins/postgres.ts. */
const startScript =
  'exec 3<&0; ( ( cat <&3; kill -INT "$$"; while kill -0 "$$"; do sleep 0.1; done; ' +
  '[ -z "$SCRATCH" ] || rm -rf "$SCRATCH" ) >/dev/null 2>&1 & ); exec "$@" </dev/null 3<&-';

async function launch(
  data: string,
  host: string,
  port: number,
  scratch: string,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: host,
    port: String(port),
    // A rehearsal that loses its machine starts again, so nothing has to survive that.
    fsync: "off",
    shared_buffers: "32MB",
    jit: "off",
    unix_socket_directories: "",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [await binary("postgres"), "-D", data, ...options];
  return spawn("/bin/sh", ["-c", startScript, "sh", ...command], {
    ...serverUser(),
    cwd: data,
    env: { PATH: "/usr/bin:/bin", SCRATCH: scratch },
    stdio: ["pipe", "inherit", "inherit"],
    detached: true,
  });
}

type Login = Readonly<Record<"host" | "user" | "password", string>> & { readonly port: number };

async function untilReady(child: ChildProcess, ended: Promise<void>, login: Login): Promise<void> {
  const deadline = Date.now() + startSeconds * 1000;
  for (;;) {
    const answers = inSession(login, async (client) => {
      await client.query("SELECT 1");
      return true;
    }).catch(() => false);
    if ((await Promise.race([answers, ended])) === true) return;
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error("PostgreSQL did not start");
    }
    await sleep(pollMilliseconds);
  }
}

async function createDatabase(login: Login, name: string): Promise<void> {
  await inSession(login, async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  });
}

async function inSession<Result>(
  login: Login,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ ...login, database: "postgres", connectionTimeoutMillis: 5000 });
  // Without a listener a connection that the server ends would end this process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
