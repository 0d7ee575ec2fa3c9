import type { IncomingMessage } from "node:http";
import { isIPv6, type LookupFunction } from "node:net";
import { z } from "zod";

/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** Names in small letters; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first 64 KiB. */
  readonly body: string;
  readonly isCut: boolean;
  /** Where it came from. */
  readonly address: string;
}

/** Most of a body that is read, bytes. */
export const bodyLimit = 64 * 1024;

/** A URL to ask. One with a user and password in it would show these wherever it is named. */
export const plainUrl = z
  .string()
  .refine(isPlainUrl, "required is an http or https URL without a user and password");

/**
 * Asks once with GET, on a connection of its own, without following redirects.
 *
 * @param address connect here, whatever the URL's host resolves to; `Host` and the TLS name stay the URL's
 * @param headers to send, names in small letters
 * @param port connect to this port, whatever the URL says; `Host` stays the URL's
 * @throws Error saying why there is no answer
 */
export async function get(
  url: URL,
  address: string | undefined,
  timeoutMilliseconds: number,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<Answer> {
  const { request } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const message = timeout.aborted
        ? `no complete answer within ${String(timeoutMilliseconds)} ms`
        : reasonOf(error);
      reject(new Error(message, { cause: error }));
    };
    const asked = request(
      url,
      {
        agent: false,
        headers: { "user-agent": "cutover-probe", accept: "*/*", host: url.host, ...headers },
        signal: AbortSignal.any([timeout, signal]),
        ...(address === undefined ? {} : { lookup: always(address) }),
        ...(port === undefined ? {} : { port }),
      },
      (response) => {
        readBody(response).then(resolve, fail);
      },
    );
    asked.on("error", fail);
    asked.end();
  });
}

/** What JSON has at a path of keys and list indexes; undefined for nothing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return valueAt((value as Readonly<Record<string, unknown>>)[key], rest);
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}

function always(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

async function readBody(response: IncomingMessage): Promise<Answer> {
  const address = response.socket.remoteAddress ?? "";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > bodyLimit) break;
  }
  response.destroy();
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
    ),
    body: Buffer.concat(chunks).subarray(0, bodyLimit).toString("utf8"),
    isCut: size > bodyLimit,
    address,
  };
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  // Several addresses that all failed come as one error without a message.
  if (error.message === "") return code ?? "no connection";
  return error.message;
}
