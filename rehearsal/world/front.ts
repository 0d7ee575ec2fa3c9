import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { lookup } from "../lookup.ts";
import type { Authority } from "./authority.ts";
import type { FrontDescription } from "./description.ts";
import { listenOn, type Listening } from "./listen.ts";
import { answerPage, type Pages } from "./pages.ts";

/** What a front is started with. */
export interface FrontOptions extends Pick<FrontDescription, "names" | "tls"> {
  /** Loopback address to listen on. */
  readonly address: string;
  /** TCP port; 0 for a free one. */
  readonly port: number;
  /** Address of the services; undefined for the one that DNS gives for the name at that moment. */
  readonly at: string | undefined;
  /** `address:port` of the resolver. */
  readonly resolver: string;
  /** TCP port of a service of the stack. */
  readonly servicePort: (service: string) => number;
  readonly before: Pages;
  readonly authority: Authority;
}

const answerMilliseconds = 5000;

/**
 * Starts what stands before services of the stack and hands each request on, as the edge of a system does: by the name
 * that was asked for, to the address that DNS gives for it at that moment, or to one address whatever DNS says.
 */
export async function startFront(options: FrontOptions): Promise<Listening> {
  const { names, tls, address, port, authority } = options;
  const handle: RequestListener = (request, response) => {
    handOn(request, response, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 502, error instanceof Error ? error.message : String(error));
    });
  };
  const server = tls
    ? https.createServer(await authority.certify(Object.keys(names)), handle)
    : http.createServer(handle);
  return listenOn(server, address, port);
}

async function handOn(
  request: IncomingMessage,
  response: ServerResponse,
  { names, tls, at, resolver, servicePort, before }: FrontOptions,
): Promise<void> {
  const asked = (request.headers.host ?? "").replace(/:\d+$/, "");
  const host = tls ? asked : (Object.keys(names)[0] ?? "");
  const name = names[host];
  if (name === undefined) {
    refuse(response, 421, `nothing is called ${host} here`);
    return;
  }
  const address = at ?? (await addressOf(host, resolver));
  if (address === undefined) {
    answerPage(request, response, before);
    return;
  }
  const [path = "/", ...query] = (request.url ?? "/").split("?");
  const outgoing = http.request({
    host: address,
    port: servicePort(name.service),
    method: request.method,
    path: [name.paths[path] ?? path, ...query].join("?"),
    headers: { ...request.headers, host, "x-forwarded-proto": tls ? "https" : "http" },
    agent: false,
    signal: AbortSignal.timeout(answerMilliseconds),
  });
  const answered = once(outgoing, "response");
  // Either fails with the other; what the service says is what counts.
  const sent = pipeline(request, outgoing).catch(() => undefined);
  const [incoming] = (await answered) as [IncomingMessage];
  response.writeHead(incoming.statusCode ?? 502, incoming.headers);
  await Promise.all([sent, pipeline(incoming, response)]);
}

/** Undefined while the name leads nowhere. */
async function addressOf(host: string, resolver: string): Promise<string | undefined> {
  const { addresses } = await lookup(host, resolver);
  return addresses[0]?.address;
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ error: why })}\n`);
}
