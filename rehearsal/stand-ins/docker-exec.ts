import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { z } from "zod";
import { clientPrograms, postgresTools } from "../tools/postgres-tools.ts";
import { DaemonError, type ContainerRecord } from "./container-record.ts";
import { notImitated } from "./refusal.ts";

/** Where the server of a container listens. */
export interface ExecPlace {
  readonly address: string;
  readonly port: number;
}

/** A program that is to run, runs or has run inside of a container. */
interface Exec {
  readonly container: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readsInput: boolean;
  state: "new" | "running" | "ended";
  exitCode: number | null;
  pid: number;
}

/** By id. As the daemon's, they are forgotten when it ends. */
const execs = new Map<string, Exec>();

// Names and meanings: ContainerExec of https://docs.docker.com/reference/api/engine/
const wanted = z.looseObject({
  Cmd: z.array(z.string()).min(1),
  Env: z.array(z.string()).nullish(),
  AttachStdin: z.boolean().default(false),
  Tty: z.literal(false).default(false),
});

const ownAddress = /^(-h|-p|--host|--port)/;

/**
 * Notes a program that is to run inside of a container. The rehearsal has those of PostgreSQL's clients, in containers
 * that run PostgreSQL: real ones, which find their server by the variables that they read.
 *
 * @param place where the container's server listens; undefined when it is none of PostgreSQL
 * @returns its id
 * @throws DaemonError
 */
export function createExec(
  { id, status, envs }: ContainerRecord,
  place: ExecPlace | undefined,
  body: unknown,
): string {
  const parsed = wanted.safeParse(body);
  if (!parsed.success) throw new DaemonError(400, z.prettifyError(parsed.error));
  if (status !== "running") throw new DaemonError(409, `container ${id} is not running`);
  const { Cmd: words, Env, AttachStdin } = parsed.data;
  const program = clientPrograms.find((name) => name === words[0]);
  if (program === undefined || place === undefined) {
    throw new DaemonError(501, notImitated(`the program ${String(words[0])} in this container`));
  }
  const address = words.find((word) => ownAddress.test(word));
  if (address !== undefined) throw new DaemonError(501, notImitated(`${address} of ${program}`));
  const exec: Exec = {
    container: id,
    words,
    env: {
      ...variables([...envs, ...(Env ?? [])]),
      PGHOST: place.address,
      PGPORT: String(place.port),
    },
    readsInput: AttachStdin,
    state: "new",
    exitCode: null,
    pid: 0,
  };
  const execId = randomBytes(32).toString("hex");
  execs.set(execId, exec);
  return execId;
}

/** A program as `GET /exec/{id}/json` tells it. */
export function inspectExec(id: string): object {
  const { container, words, readsInput, state, exitCode, pid } = known(id);
  return {
    ID: id,
    ContainerID: container,
    Running: state === "running",
    ExitCode: exitCode,
    Pid: pid,
    OpenStdin: readsInput,
    OpenStdout: true,
    OpenStderr: true,
    CanRemove: false,
    ProcessConfig: {
      entrypoint: words[0],
      arguments: words.slice(1),
      privileged: false,
      tty: false,
      user: "",
    },
  };
}

const startPath = /^(?:\/v1\.\d{1,3})?\/exec\/([0-9a-f]+)\/start(?:\?.*)?$/;
const streamType = "application/vnd.docker.multiplexed-stream";

/**
 * Serves the start of a program whose output is the answer's body.
 *
 * @returns false for any other request
 */
export async function serveExecStart(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const id = startOf(request);
  if (id === undefined) return false;
  request.resume();
  try {
    const child = await start(known(id));
    child.stdin?.end();
    response.writeHead(200, { "Content-Type": streamType });
    await handOut(id, child, response);
  } catch (error) {
    const status = error instanceof DaemonError ? error.status : 500;
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ message: messageOf(error) }));
  }
  return true;
}

/** Serves the start of a program over a connection that is its input and output from then on. */
export async function upgradeExecStart(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", () => undefined);
  try {
    const id = startOf(request);
    if (id === undefined) {
      throw new DaemonError(501, notImitated(`an upgrade of ${String(request.url)}`));
    }
    socket.unshift(head);
    // What it asks for comes first, and is what the program was noted with.
    await skip(socket, Number(request.headers["content-length"] ?? 0));
    const child = await start(known(id));
    socket.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${streamType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    );
    if (child.stdin !== null) {
      child.stdin.on("error", () => undefined);
      socket.pipe(child.stdin);
    }
    await handOut(id, child, socket);
  } catch (error) {
    const status = error instanceof DaemonError ? error.status : 500;
    const body = JSON.stringify({ message: messageOf(error) });
    socket.end(
      `HTTP/1.1 ${status} Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
}

async function start(exec: Exec): Promise<ChildProcess> {
  if (exec.state !== "new") throw new DaemonError(409, "exec has already run");
  exec.state = "running";
  const [program = "", ...words] = exec.words;
  const child = spawn(join(await postgresTools(), program), words, {
    env: { ...exec.env, PATH: "/usr/bin:/bin", HOME: "/nonexistent" },
    stdio: [exec.readsInput ? "pipe" : "ignore", "pipe", "pipe"],
  });
  exec.pid = child.pid ?? 0;
  return child;
}

/** Gives the client both streams in one, and remembers how the program ended. A client that goes ends it. */
async function handOut(id: string, child: ChildProcess, client: Writable): Promise<void> {
  const exec = known(id);
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const gone = new AbortController();
  client.once("close", () => {
    gone.abort();
    child.kill("SIGKILL");
  });
  await Promise.all([
    child.stdout === null ? undefined : frame(1, child.stdout, client, gone.signal),
    child.stderr === null ? undefined : frame(2, child.stderr, client, gone.signal),
  ]);
  const [code, signal] = await ended;
  exec.exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"];
  exec.state = "ended";
  client.end();
}

async function frame(kind: 1 | 2, from: Readable, to: Writable, gone: AbortSignal): Promise<void> {
  for await (const piece of from as AsyncIterable<Buffer>) {
    if (to.destroyed) continue;
    const head = Buffer.alloc(8);
    head.writeUInt8(kind, 0);
    head.writeUInt32BE(piece.length, 4);
    if (!to.write(Buffer.concat([head, piece]))) {
      await once(to, "drain", { signal: gone }).catch(() => undefined);
    }
  }
}

async function skip(socket: Duplex, bytes: number): Promise<void> {
  if (bytes === 0) return;
  for (;;) {
    if (socket.read(bytes) !== null) return;
    await once(socket, "readable");
  }
}

function startOf({ method, url }: IncomingMessage): string | undefined {
  return method === "POST" ? startPath.exec(url ?? "")?.[1] : undefined;
}

function known(id: string): Exec {
  const exec = execs.get(id);
  if (exec === undefined) throw new DaemonError(404, `No such exec instance: ${id}`);
  return exec;
}

function variables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
