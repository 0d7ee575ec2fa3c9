import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A path in a folder that goes with the test. */
export async function temporaryPath(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-docker-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, name);
}

/** What a Docker Engine of API 1.48 answers on its wire, by path without a version. */
export type Objects = Readonly<Record<string, unknown>>;

/**
 * Starts what a Docker Engine is to a client that only inspects: `/_ping` with the version it speaks, versioned paths,
 * errors as `{"message"}`.
 *
 * @param paths gets every path that is asked
 */
export function engine(objects: Objects, paths: string[] = [], speaks = "1.48"): RequestListener {
  return (request, response) => {
    const { url = "" } = request;
    paths.push(url);
    response.setHeader("Api-Version", speaks);
    response.setHeader("Docker-Experimental", "false");
    response.setHeader("Ostype", "linux");
    response.setHeader("Server", "Docker/28.2.2 (linux)");
    if (url === "/_ping") {
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end(request.method === "HEAD" ? "" : "OK");
      return;
    }
    const [, version = "", path = ""] = /^\/v1\.(\d+)(\/.*)$/.exec(url) ?? [];
    if (Number(version) < 24 || Number(version) > Number(speaks.slice(2))) {
      answer(response, 400, { message: `client version 1.${version} is too new or too old` });
    } else if (path in objects) {
      answer(response, 200, objects[path]);
    } else {
      const [, kind = "", name = ""] = /^\/(image|container)s\/(.*)\/json$/.exec(path) ?? [];
      const message = kind === "" ? "page not found" : `No such ${kind}: ${name}`;
      answer(response, 404, { message });
    }
  };
}

/** Ends a response as the Engine does: JSON and a line break. */
export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Listens on a socket of its own until the test ends. */
export async function listen(listener: RequestListener): Promise<string> {
  const path = await temporaryPath("docker.sock");
  const server = createServer(listener).listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `unix://${path}`;
}
