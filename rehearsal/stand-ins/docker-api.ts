import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { DaemonError } from "./container-record.ts";
import type { Daemon } from "./containers.ts";
import { engine, routes, type Answer } from "./docker-api-routes.ts";
import { serveExecStart, upgradeExecStart } from "./docker-exec.ts";
import { notImitated } from "./refusal.ts";

/** A Docker Engine API that listens. */
export interface DockerApi {
  /** What `DOCKER_HOST` has to be, as in `unix:///tmp/rehearsal/docker.sock`. */
  readonly host: string;
  close(): Promise<void>;
}

/**
 * Serves a daemon as Docker's own Engine does, on a socket in a folder that only its owner can use.
 *
 * @throws Error when the folder's path is too long for a socket
 */
export async function startDockerApi(daemon: Daemon, folder: string): Promise<DockerApi> {
  const path = join(folder, "docker.sock");
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new Error(
      `${path} is too long for a socket: ${Buffer.byteLength(path)} bytes, at most ${longestSocketPath}. ` +
        "To do: rehearse in a folder with a shorter path",
    );
  }
  // One of a process that was killed is still there.
  rmSync(path, { force: true });
  const server = createServer((request, response) => void serve(daemon, request, response));
  server.on("upgrade", (request, socket, head) => void upgradeExecStart(request, socket, head));
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
  return {
    host: `unix://${path}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

// `sun_path` without its last zero, see unix(7).
const longestSocketPath = 107;
const maxBodyBytes = 1024 * 1024;

async function serve(
  daemon: Daemon,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    gone.abort(new Error("the client has gone"));
  });
  response.setHeader("Api-Version", `1.${engine.minor}`);
  response.setHeader("Docker-Experimental", "false");
  response.setHeader("Ostype", "linux");
  response.setHeader("Server", `Docker/${engine.version} (linux)`);
  if (await serveExecStart(request, response)) return;
  const answer = await answerTo(daemon, request, gone.signal).catch((error: unknown): Answer => {
    const message = error instanceof Error ? error.message : String(error);
    return { status: error instanceof DaemonError ? error.status : 500, json: { message } };
  });
  send(response, answer);
}

async function answerTo(
  daemon: Daemon,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Answer> {
  const { method = "", url = "" } = request;
  const { pathname, searchParams: query } = new URL(url, "http://docker");
  const [, minor, path = ""] = /^(?:\/v1\.(\d{1,3}))?(\/.*)$/.exec(pathname) ?? [];
  if (minor !== undefined) refuseVersion(Number(minor));
  for (const [routeMethod, pattern, run] of routes) {
    const [whole, name = ""] = pattern.exec(path) ?? [];
    if (routeMethod !== method || whole === undefined) continue;
    const body = await readJson(request);
    return run({ daemon, name: decodeURIComponent(name), query, body, signal });
  }
  throw new DaemonError(501, notImitated(`${method} ${path} of the Docker Engine API`));
}

function refuseVersion(minor: number): void {
  if (minor > engine.minor) {
    throw new DaemonError(
      400,
      `client version 1.${minor} is too new. Maximum supported API version is 1.${engine.minor}`,
    );
  }
  if (minor < engine.leastMinor) {
    throw new DaemonError(
      400,
      `client version 1.${minor} is too old. Minimum supported API version is 1.${engine.leastMinor}, ` +
        "please upgrade your client to a newer version",
    );
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBodyBytes) throw new DaemonError(413, "http: request body too large");
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new DaemonError(400, "invalid JSON: the body is none");
  }
}

function send(response: ServerResponse, { status, json, lines, bytes }: Answer): void {
  if (json === undefined && lines === undefined) {
    response.writeHead(status);
    response.end(bytes);
    return;
  }
  response.writeHead(status, { "Content-Type": "application/json" });
  const objects: readonly unknown[] = lines ?? [json];
  response.end(objects.map((object) => `${JSON.stringify(object)}\n`).join(""));
}
