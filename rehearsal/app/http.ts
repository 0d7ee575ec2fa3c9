import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import { image, isOn, places, slot, textOf } from "./environment.ts";
import { healthPaths } from "./paths.ts";
import { readBody, type Reply, type Role } from "./roles.ts";

const { service, version, writes, faults } = image;

/** Who answers: `flags` are those of the variable `FLAGS`, as JSON. */
interface Identity {
  readonly status: string;
  readonly service: string;
  readonly version: string;
  readonly slot: string;
  readonly flags?: unknown;
}

/** Answers over HTTP as one service. */
export async function serveHttp(role: Role): Promise<Server[]> {
  const counts = { requests: new Map<number, number>(), errors: 0 };

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const reply = await answer(incoming).catch((error: unknown): Reply => {
      return { status: 500, body: { error: textOf(error) } };
    });
    counts.requests.set(reply.status, (counts.requests.get(reply.status) ?? 0) + 1);
    if (reply.status >= 500 && incoming.method === "POST") counts.errors += 1;
    const plain = typeof reply.body === "string";
    outgoing.writeHead(reply.status, {
      "content-type": plain ? "text/plain; version=0.0.4" : "application/json",
      ...(reply.retryAfter === undefined ? {} : { "retry-after": String(reply.retryAfter) }),
      ...sharingHeaders(incoming.headers.origin),
    });
    outgoing.end(plain ? reply.body : `${JSON.stringify(reply.body)}\n`);
  }

  async function answer(incoming: IncomingMessage): Promise<Reply> {
    const { method = "", url = "", headers } = incoming;
    const [path = ""] = url.split("?");
    if (method === "OPTIONS") return { status: 204, body: "" };
    const page = method === "GET" || method === "HEAD" ? await pageAt(path) : undefined;
    const found = page ?? role.page?.(path, headers.host ?? "");
    if (found !== undefined) return found;
    if (path !== writes.path || role.write === undefined) {
      return { status: 404, body: { error: `nothing at ${path}` } };
    }
    if (method !== "POST") return { status: 405, body: { error: "POST what you write" } };
    const body = await readBody(incoming);
    if (body === undefined) return { status: 413, body: { error: "the write is too large" } };
    if (faults.writesFail === true) return { status: 500, body: { error: "writes fail" } };
    const safe = ["READ_ONLY", "SAFE_MODE"].find(isOn);
    if (safe !== undefined) {
      return { status: 503, body: { error: `${safe} is on: no writes` }, retryAfter: 1 };
    }
    return role.write(body);
  }

  function pageAt(path: string): Reply | Promise<Reply> | undefined {
    if (healthPaths.includes(path)) return health();
    if (path === "/version") return { status: 200, body: { ...identity(), pid: process.pid } };
    return path === "/metrics" ? metrics() : undefined;
  }

  async function health(): Promise<Reply> {
    const problem =
      faults.unhealthy === true ? "this image is never healthy" : await role.problem();
    if (problem !== undefined) return { status: 503, body: { ...identity(), status: problem } };
    return { status: 200, body: { ...identity(), ...(await role.figures()) } };
  }

  async function metrics(): Promise<Reply> {
    const labels = `service="${service}",version="${version}",slot="${slot}"`;
    const lines = [
      "# TYPE http_requests_total counter",
      ...[...counts.requests].map(
        ([status, count]) =>
          `http_requests_total{${labels},code="${String(status)}"} ${String(count)}`,
      ),
      "# TYPE http_request_errors_total counter",
      `http_request_errors_total{${labels}} ${String(counts.errors)}`,
    ];
    const figures = await role.figures().catch(() => ({}));
    for (const [name, value] of Object.entries(figures))
      lines.push(`${name}{${labels}} ${String(value)}`);
    return { status: 200, body: `${lines.join("\n")}\n` };
  }

  return Promise.all(
    places().map(async (place) => {
      const server = createServer((incoming, outgoing) => void handle(incoming, outgoing));
      server.listen(place);
      await once(server, "listening");
      return server;
    }),
  );
}

function identity(): Identity {
  const flags = process.env["FLAGS"];
  return {
    status: "ok",
    service,
    version,
    slot,
    ...(flags === undefined ? {} : { flags: JSON.parse(flags) as unknown }),
  };
}

const origins = (process.env["CORS_ORIGINS"] ?? "").split(",").map((origin) => origin.trim());

/** Lets the frontends in `CORS_ORIGINS` read the answers; no others. */
function sharingHeaders(origin: string | undefined): OutgoingHttpHeaders {
  if (process.env["CORS_ORIGINS"] === undefined) return {};
  if (origin === undefined || !origins.includes(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "authorization, content-type",
  };
}
