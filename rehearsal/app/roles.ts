import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { databaseProblem, healthMilliseconds, openPool, table } from "./database.ts";
import { image, textOf, variable } from "./environment.ts";
import { keycloakRole } from "./keycloak.ts";

/** An HTTP answer; `body` goes out as JSON, or as it is when it is text. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: number;
}

/** What one service does beside what all do. */
export interface Role {
  /** Undefined when all is well, else what is not. */
  problem(): Promise<string | undefined>;
  /** Further figures for `/healthz` and, as `name value` lines, for `/metrics`. */
  figures(): Promise<Record<string, number>>;
  /** Takes what a client writes. */
  write?(body: Buffer): Promise<Reply>;
  /** Answers a GET of a path that not all services have; undefined when it has none there. */
  page?(path: string, host: string): Reply | undefined;
  /** Ends what is under way. */
  drain(): Promise<void>;
}

/** What the services that speak HTTP do. */
export const roles = {
  legacy: storeRole,
  api: storeRole,
  worker: workerRole,
  web: webRole,
  keycloak: keycloakRole,
};

const { service, columns, writes } = image;
const proxyMilliseconds = 5000;
const idleMilliseconds = 100;
const troubleMilliseconds = 500;
const batch = 100;
// Enough for an order with a note, and a bound on what a client can make this process hold.
const maxBodyBytes = 64 * 1024;
// Classes of https://www.postgresql.org/docs/18/errcodes-appendix.html that are not over in a moment.
const lastingErrors = /^(22|23|42)/;

/** Reads a body; undefined when it is too large. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Takes what is written and says so only once it is committed: the legacy system and the api. */
function storeRole(): Role {
  const pool = openPool();
  const statement = insertStatement();
  if (service === "legacy") void repeatUntilDone(() => createTable(pool));
  return {
    problem: () => databaseProblem(pool),
    figures: () => Promise.resolve({}),
    async write(body) {
      const row = parseRow(body);
      if (row === undefined) {
        return { status: 400, body: { error: "a write is {id: whole number, note: text}" } };
      }
      try {
        await pool.query(statement, [row.id, row.note]);
        return { status: 201, body: { id: row.id } };
      } catch (error) {
        return unavailable(error);
      }
    },
    drain: () => pool.end(),
  };
}

function insertStatement(): string {
  const insert = columns.includes(`${writes.table}.channel`)
    ? `INSERT INTO ${table} (id, note, channel) VALUES ($1, $2, 'web') ON CONFLICT DO NOTHING`
    : `INSERT INTO ${table} (id, note) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
  return columns.includes("order_events.order_id")
    ? `WITH placed AS (${insert} RETURNING id)
       INSERT INTO order_events (order_id, event) SELECT id, 'placed' FROM placed`
    : insert;
}

/** Marks what was written as processed, a batch at a time. */
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
        `SELECT count(*)::int AS depth FROM ${table} WHERE processed_at IS NULL`,
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

/** What clients talk to: hands writes on to the api of its slot. */
function webRole(): Role {
  const api = variable("API_URL");
  return {
    async problem() {
      const reply = await forward(api, "GET", "/healthz", undefined, healthMilliseconds);
      return reply.status === 200 ? undefined : "the api is not healthy";
    },
    figures: () => Promise.resolve({}),
    write: (body) => forward(api, "POST", writes.path, body, proxyMilliseconds),
    drain: () => Promise.resolve(),
  };
}

async function createTable(pool: pg.Pool): Promise<void> {
  await pool.query(
    `CREATE TABLE IF NOT EXISTS ${table} ` +
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
    `UPDATE ${table} SET processed_at = now() WHERE id IN (
       SELECT id FROM ${table} WHERE processed_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [batch],
  );
  return rowCount ?? 0;
}

function parseRow(body: Buffer): { id: number; note: string } | undefined {
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
