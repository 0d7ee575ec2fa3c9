import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Page } from "./description.ts";
import { listenOn, type Listening } from "./listen.ts";

/** Answers by path. */
export type Pages = ReadonlyMap<string, Page>;

/** A host that answers with pages over HTTP, on a free port. */
export async function startHost(address: string, pages: Pages): Promise<Listening> {
  const server = createServer((request, response) => {
    answerPage(request, response, pages);
  });
  return listenOn(server, address, 0);
}

/** Answers a request with the page of its path, and with 404 where there is none. */
export function answerPage(request: IncomingMessage, response: ServerResponse, pages: Pages): void {
  const [path = "/"] = (request.url ?? "/").split("?");
  const page = pages.get(path);
  if (page === undefined) {
    response.writeHead(404, { "content-type": "text/plain" });
    response.end(`nothing at ${path}\n`);
    return;
  }
  const { status, type, json, text = "", cors } = page;
  const { origin } = request.headers;
  response.writeHead(status, {
    "content-type": type ?? (json === undefined ? "text/plain" : "application/json"),
    ...(cors.length === 0 ? {} : { vary: "Origin" }),
    ...(origin !== undefined && cors.includes(origin)
      ? { "access-control-allow-origin": origin }
      : {}),
  });
  response.end(json === undefined ? text : `${JSON.stringify(json)}\n`);
}
