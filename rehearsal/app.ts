import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Image } from "./registry/registry.ts";

// The process in every container of a rehearsal. Which service it is, and what is wrong with it, is in its image.

const image = JSON.parse(variable("CONTAINER_IMAGE")) as Image;
const ports = JSON.parse(variable("CONTAINER_PORTS")) as PublishedPort[];
const port = Number(process.env["PORT"] ?? "8080");
const slot = process.env["SLOT"] ?? "";
const { service, version, columns, faults } = image;

interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
}

/** An HTTP answer; `body` goes out as JSON, or as it is when it is text. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: number;
}

/** What one service does beside what all do. */
interface Role {
  /** Undefined when all is well, else what is not. */
  problem(): Promise<string | undefined>;
  /** Further figures for `/healthz` and, as `name value` lines, for `/metrics`. */
  figures(): Promise<Record<string, number>>;
  order?(body: Buffer): Promise<Reply>;
  /** Ends what is under way. */
  drain(): Promise<void>;
}

const healthMilliseconds = 1000;
const proxyMilliseconds = 5000;
const idleMilliseconds = 100;
const troubleMilliseconds = 500;
const batch = 100;
// Enough for an order with a note, and a bound on what a client can make this process hold.
const maxBodyBytes = 64 * 1024;
// Classes of https://www.postgresql.org/docs/18/errcodes-appendix.html that are not over in a moment.
const lastingErrors = /^(22|23|42)/;

const counts = { requests: new Map<number, number>(), errors: 0 };
const role = { legacy: storeRole, api: storeRole, worker: workerRole, web: webRole }[service]();

// Containers go with the machine that runs them, however that ends.
process.once("disconnect", () => process.exit(1));
// It may have ended while this process was still loading.
if (process.send !== undefined && !process.connected) process.exit(1);
if (faults.crashes === true) process.exit(1);

const servers = await listen();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end());
process.send?.({ listening: { inside: port, ...(servers[0]?.address() as AddressInfo) } });

async function end(): Promise<void> {
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
    }),
  );
  await role.drain();
  process.exit(0);
}

/** Listens where the container publishes the port, or only inside of it when it does not. */
async function listen(): Promise<Server[]> {
  const published = ports.filter(({ internal }) => internal === port);
  const places =
    published.length === 0
      ? [{ host: "127.0.0.1", port: 0 }]
      : published.map(({ ip, external }) => ({ host: ip, port: external }));
  return Promise.all(
    places.map(async (place) => {
      const server = createServer((incoming, outgoing) => void handle(incoming, outgoing));
      server.listen(place);
      await once(server, "listening");
      return server;
    }),
  );
}

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
  });
  outgoing.end(plain ? reply.body : `${JSON.stringify(reply.body)}\n`);
}

async function answer(incoming: IncomingMessage): Promise<Reply> {
  const [path = ""] = (incoming.url ?? "").split("?");
  const reading = incoming.method === "GET" || incoming.method === "HEAD";
  if (reading && path === "/healthz") return health();
  if (reading && path === "/version") {
    return { status: 200, body: { ...identity(), pid: process.pid } };
  }
  if (reading && path === "/metrics") return metrics();
  if (path === "/orders" && role.order !== undefined) {
    if (incoming.method !== "POST") return { status: 405, body: { error: "POST an order" } };
    const body = await readBody(incoming);
    if (body === undefined) return { status: 413, body: { error: "the order is too large" } };
    if (faults.writesFail === true) return { status: 500, body: { error: "writes fail" } };
    return role.order(body);
  }
  return { status: 404, body: { error: `nothing at ${path}` } };
}

async function health(): Promise<Reply> {
  const problem = faults.unhealthy === true ? "this image is never healthy" : await role.problem();
  if (problem !== undefined) return { status: 503, body: { ...identity(), status: problem } };
  return { status: 200, body: { ...identity(), ...(await role.figures()) } };
}

function identity(): { status: string; service: string; version: string; slot: string } {
  return { status: "ok", service, version, slot };
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

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Takes orders and says so only once they are committed: the legacy system and the api. */
function storeRole(): Role {
  const pool = openPool();
  const events = columns.includes("order_events.order_id");
  const insert =
    service === "legacy"
      ? "INSERT INTO orders (id, note) VALUES ($1, $2) ON CONFLICT DO NOTHING"
      : "INSERT INTO orders (id, note, channel) VALUES ($1, $2, 'web') ON CONFLICT DO NOTHING";
  const statement = events
    ? `WITH placed AS (${insert} RETURNING id)
       INSERT INTO order_events (order_id, event) SELECT id, 'placed' FROM placed`
    : insert;
  if (service === "legacy") void repeatUntilDone(() => createTable(pool));
  return {
    problem: () => databaseProblem(pool),
    figures: () => Promise.resolve({}),
    async order(body) {
      const order = parseOrder(body);
      if (order === undefined) {
        return { status: 400, body: { error: "an order is {id: whole number, note: text}" } };
      }
      try {
        await pool.query(statement, [order.id, order.note]);
        return { status: 201, body: { id: order.id } };
      } catch (error) {
        return unavailable(error);
      }
    },
    drain: () => pool.end(),
  };
}

/** Marks orders as processed, a batch at a time. */
function workerRole(): Role {
  const pool = openPool();
  const draining = new AbortController();
  let processed = 0;
  const work = (async () => {
    while (!isAborted(draining.signal)) {
      const done = await processBatch(pool).catch(() => undefined);
      processed += done ?? 0;
      if (done !== batch) await sleep(done === undefined ? troubleMilliseconds : idleMilliseconds);
    }
  })();
  return {
    problem: () => databaseProblem(pool),
    async figures() {
      const { rows } = await pool.query<{ depth: number }>(
        "SELECT count(*)::int AS depth FROM orders WHERE processed_at IS NULL",
      );
      return { worker_queue_depth: rows[0]?.depth ?? 0, worker_orders_processed_total: processed };
    },
    async drain() {
      draining.abort();
      await work;
      await pool.end();
    },
  };
}

/** What clients talk to: hands orders on to the api of its slot. */
function webRole(): Role {
  const api = variable("API_URL");
  return {
    async problem() {
      const reply = await forward(api, "GET", "/healthz", undefined, healthMilliseconds);
      return reply.status === 200 ? undefined : "the api is not healthy";
    },
    figures: () => Promise.resolve({}),
    order: (body) => forward(api, "POST", "/orders", body, proxyMilliseconds),
    drain: () => Promise.resolve(),
  };
}

function openPool(): pg.Pool {
  const pool = new pg.Pool({
    connectionString: variable("DATABASE_URL"),
    max: 10,
    connectionTimeoutMillis: 2000,
    application_name: `${service}-${slot}`,
  });
  // Sessions that the database ends while nobody uses them are nobody's error.
  pool.on("error", () => undefined);
  return pool;
}

async function createTable(pool: pg.Pool): Promise<void> {
  await pool.query(
    "CREATE TABLE IF NOT EXISTS orders " +
      "(id bigint PRIMARY KEY, note text, created_at timestamptz DEFAULT now())",
  );
}

async function repeatUntilDone(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch {
      await sleep(troubleMilliseconds);
    }
  }
}

async function processBatch(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `UPDATE orders SET processed_at = now() WHERE id IN (
       SELECT id FROM orders WHERE processed_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [batch],
  );
  return rowCount ?? 0;
}

async function databaseProblem(pool: pg.Pool): Promise<string | undefined> {
  const wanted = service === "legacy" ? ["orders.id"] : columns;
  const asked = pool.query<{ name: string }>(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public'`,
  );
  // The loser of the race below must not count as unhandled.
  asked.catch(() => undefined);
  try {
    const found = await Promise.race([asked, sleep(healthMilliseconds)]);
    if (found === undefined) return "the database does not answer in time";
    const names = found.rows.map(({ name }) => name);
    const missing = wanted.filter((column) => !names.includes(column));
    return missing.length === 0 ? undefined : `the database lacks ${missing.join(", ")}`;
  } catch (error) {
    return `the database does not answer: ${textOf(error)}`;
  }
}

function parseOrder(body: Buffer): { id: number; note: string } | undefined {
  try {
    const { id, note } = JSON.parse(body.toString()) as { id?: unknown; note?: unknown };
    if (typeof id !== "number" || !Number.isSafeInteger(id)) return undefined;
    return { id, note: typeof note === "string" ? note : "" };
  } catch {
    return undefined;
  }
}

/** A database that is read-only or gone for now asks the client to come again. */
function unavailable(error: unknown): Reply {
  const { code } = error as { code?: unknown };
  const body = { error: textOf(error) };
  return typeof code === "string" && lastingErrors.test(code)
    ? { status: 500, body }
    : { status: 503, body, retryAfter: 1 };
}

async function forward(
  api: string,
  method: string,
  path: string,
  body: Buffer | undefined,
  milliseconds: number,
): Promise<Reply> {
  try {
    const signal = AbortSignal.timeout(milliseconds);
    const outgoing = request(new URL(path, api), { method, signal, agent: false });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    return handedOn(incoming, await readBody(incoming));
  } catch (error) {
    const text = `the api does not answer: ${textOf(error)}`;
    return { status: 503, body: { error: text }, retryAfter: 1 };
  }
}

function handedOn(incoming: IncomingMessage, body: Buffer | undefined): Reply {
  const { statusCode = 502, headers } = incoming;
  const retryAfter = Number(headers["retry-after"] ?? Number.NaN);
  return {
    status: statusCode,
    body: body === undefined ? { error: "the api answered too much" } : JSON.parse(body.toString()),
    ...(Number.isNaN(retryAfter) ? {} : { retryAfter }),
  };
}

/** Asked anew each time: a check on the signal itself counts as decided from then on. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new Error(`environment variable ${name} is not set`);
}
