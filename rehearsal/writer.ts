import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, escapeIdentifier, type ClientConfig } from "pg";
import { lookup } from "./lookup.ts";

/** Whom a writer writes to. */
export interface WriterOptions {
  /** Host name that it resolves anew for every write, as a client that keeps no answers. */
  readonly host: string;
  readonly port: number;
  /** `address:port` of the resolver that it asks. */
  readonly resolver: string;
  /** Where it POSTs what it writes, and the table that must have it; orders by default. */
  readonly writes?: { readonly path: string; readonly table: string };
  /** Writes a second at most; 20 by default. */
  readonly perSecond?: number;
}

/** What became of the writes. */
export interface WriterReport {
  /** Orders that were said to be taken. */
  readonly acknowledged: number;
  /** Orders that were said to be taken and that the database does not have. */
  readonly lost: number;
  /** Longest time without an acknowledged write, from the first acknowledged one to the end. */
  readonly pauseSeconds: number;
  /** Failed attempts by reason: an HTTP status or an error's code. Each was followed by another attempt. */
  readonly failures: Readonly<Record<string, number>>;
  /** Acknowledged orders by the address that took them. */
  readonly takenBy: Readonly<Record<string, number>>;
}

/** A client that places numbered orders, one after another, until it is stopped. */
export interface Writer {
  /** Ends with the order under way. */
  stop(): Promise<void>;
  /** The figures so far, without a look at the database. */
  figures(): Omit<WriterReport, "lost">;
  /**
   * Looks up every acknowledged order. Call it after `stop`.
   *
   * @param connection the database that must have them, as a `postgres://` URL or as parts
   */
  verify(connection: string | ClientConfig): Promise<WriterReport>;
}

/**
 * Starts a writer and waits until its first order is acknowledged. An order that is not acknowledged is placed again,
 * under the same number, until it is: an answer may be lost after the work was done.
 *
 * @throws Error when no order is acknowledged within 15 seconds
 */
export async function startWriter(options: WriterOptions): Promise<Writer> {
  const milliseconds = 1000 / (options.perSecond ?? 20);
  const { table } = options.writes ?? orders;
  const acknowledged: number[] = [];
  const failures = new Map<string, number>();
  const takenBy = new Map<string, number>();
  const stopping = new AbortController();
  let last = Number.NaN;
  let ended = Number.NaN;
  let longest = 0;

  async function write(): Promise<void> {
    // Numbers of two writers must not meet, so they start at the time.
    let id = Date.now() * 1000;
    while (!stopping.signal.aborted) {
      const began = performance.now();
      const { address, failure } = await place(options, id);
      if (failure === undefined) {
        const now = performance.now();
        if (acknowledged.length > 0) longest = Math.max(longest, now - last);
        last = now;
        acknowledged.push(id);
        count(takenBy, address);
        id += 1;
      } else {
        count(failures, failure);
      }
      const rest = Math.max(0, milliseconds - (performance.now() - began));
      await sleep(rest, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    ended = performance.now();
  }

  const figures = (): Omit<WriterReport, "lost"> => {
    const since = (Number.isNaN(ended) ? performance.now() : ended) - last;
    return {
      acknowledged: acknowledged.length,
      pauseSeconds: acknowledged.length === 0 ? 0 : Math.max(longest, since) / 1000,
      failures: Object.fromEntries(failures),
      takenBy: Object.fromEntries(takenBy),
    };
  };

  const writing = write();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await writing;
  };
  const deadline = Date.now() + firstSeconds * 1000;
  while (acknowledged.length === 0) {
    if (Date.now() > deadline) {
      await stop();
      throw new Error(neverAcknowledged(options, failures));
    }
    await sleep(pollMilliseconds);
  }
  return {
    stop,
    figures,
    async verify(connection) {
      return { ...figures(), lost: await countMissing(acknowledged, table, connection) };
    },
  };
}

const orders = { path: "/orders", table: "orders" };
const firstSeconds = 15;
const pollMilliseconds = 20;
const placeMilliseconds = 3000;
const lookupMilliseconds = 1000;
const verifiedAtOnce = 10_000;

interface Attempt {
  readonly address: string;
  /** Undefined when the order was acknowledged. */
  readonly failure: string | undefined;
}

async function place(
  { host, port, resolver, writes = orders }: WriterOptions,
  id: number,
): Promise<Attempt> {
  let address = "";
  try {
    const { code, addresses } = await lookup(host, resolver, lookupMilliseconds);
    const [first] = addresses;
    if (first === undefined) return { address, failure: code === "NOERROR" ? "NODATA" : code };
    address = first.address;
    const status = await post(
      { address, port, host, path: writes.path },
      JSON.stringify({ id, note: "rehearsal" }),
    );
    return { address, failure: status === 201 ? undefined : String(status) };
  } catch (error) {
    return { address, failure: reasonOf(error) };
  }
}

interface Place {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

function post({ address, port, host, path }: Place, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        method: "POST",
        host: address,
        port,
        path,
        headers: { host: `${host}:${port}`, "content-type": "application/json" },
        signal: AbortSignal.timeout(placeMilliseconds),
        // A kept connection would go on to the old address after DNS has moved.
        agent: false,
      },
      (answer) => {
        answer.resume();
        answer.once("end", () => {
          resolve(answer.statusCode ?? 0);
        });
        answer.once("error", reject);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function countMissing(
  ids: readonly number[],
  table: string,
  connection: string | ClientConfig,
): Promise<number> {
  const client = new Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  try {
    let found = 0;
    for (let from = 0; from < ids.length; from += verifiedAtOnce) {
      const { rows } = await client.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${escapeIdentifier(table)} WHERE id = ANY($1::bigint[])`,
        [ids.slice(from, from + verifiedAtOnce)],
      );
      found += rows[0]?.count ?? 0;
    }
    return ids.length - found;
  } finally {
    await client.end();
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function neverAcknowledged(
  { host, port, resolver, writes = orders }: WriterOptions,
  failures: ReadonlyMap<string, number>,
): string {
  const said = [...failures].map(([reason, times]) => `${reason} (${times} times)`).join(", ");
  return (
    `no write to http://${host}:${port}${writes.path} was acknowledged within ${firstSeconds} s, ` +
    `asking resolver ${resolver}: ${said === "" ? "no answer" : said}`
  );
}
