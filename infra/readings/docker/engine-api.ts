import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestOptions } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import { codeOf } from "../../provider/error-text.ts";
import { wholeBody } from "../../whole-body.ts";
import { ReadingError } from "../reading.ts";

/** Where a Docker Engine listens, in the stack config. */
export const engineHost = z.string().min(1).optional().meta({
  description: "where the Docker Engine listens; DOCKER_HOST or its usual socket when absent",
  example: "unix:///var/run/docker.sock",
});

/** A time of the Engine API as ISO 8601 in UTC; null for none and for its zero time. */
export const engineTime = z.iso
  .datetime({ offset: true })
  .nullish()
  .transform((text) =>
    text === null || text === undefined || text.startsWith("0001-")
      ? null
      : new Date(text).toISOString(),
  );

/**
 * Asks a Docker Engine for one object.
 *
 * @param path as in the Engine API, without a version
 * @returns undefined when the Engine says that there is none
 * @throws ReadingError when the Engine cannot be reached or answers anything else
 */
export async function inspect<Shape>(
  host: string | undefined,
  path: string,
  shape: z.ZodType<Shape>,
  signal: AbortSignal,
): Promise<Shape | undefined> {
  const engine = await engineAt(host);
  const ping = await ask(engine, "/_ping", signal);
  const version = apiVersion(ping.headers["api-version"]);
  if (version === undefined) {
    throw new ReadingError(
      `${engine.name} answered, but not as a Docker Engine. To do: correct the host`,
    );
  }
  const { status, body } = await ask(engine, `/v${version}${path}`, signal);
  if (status === 404) {
    parsed(engine, body, z.looseObject({ message: z.string() }));
    return undefined;
  }
  if (status !== 200) {
    throw new ReadingError(`the Docker Engine at ${engine.name} answered with status ${status}`, {
      again: status >= 500,
    });
  }
  return parsed(engine, body, shape);
}

/** The latest version of the Engine API that these readings know. Engines from 2017 on speak one that fits. */
const knownMinor = 52;

/** An answer that is larger than this is refused: what is known of one object takes a few KiB. */
const limits = { bytes: 1024 * 1024, depth: 32 };

interface Engine {
  /** As messages call it. */
  readonly name: string;
  readonly secure: boolean;
  readonly options: RequestOptions;
}

interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** The lower of what the Engine speaks and what is known here. */
function apiVersion(found: string | string[] | undefined): string | undefined {
  const [, minor] = /^1\.(\d{1,3})$/.exec(String(found)) ?? [];
  return minor === undefined ? undefined : `1.${Math.min(Number(minor), knownMinor)}`;
}

async function engineAt(given: string | undefined): Promise<Engine> {
  const name = given ?? nonEmpty("DOCKER_HOST") ?? "unix:///var/run/docker.sock";
  const [, scheme = "", rest = ""] = /^(\w{1,20}):\/\/(.*)$/.exec(name) ?? [];
  if (scheme === "unix" && rest.startsWith("/")) {
    return { name, secure: false, options: { socketPath: rest } };
  }
  const address = /^([\w.-]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?\/?$/.exec(rest);
  if ((scheme !== "tcp" && scheme !== "http") || address === null) {
    throw new ReadingError(
      `a Docker host ${scheme === "" ? "without ://" : `${scheme}:// of this form`} is not supported. Required is unix:// with an absolute path, or tcp:// with a host and a port`,
    );
  }
  const tls = scheme === "tcp" ? await clientTls() : undefined;
  const [, hostname = "", port = tls === undefined ? "2375" : "2376"] = address;
  const host = hostname.replaceAll(/[[\]]/g, "");
  return { name, secure: tls !== undefined, options: { host, port, ...tls } };
}

/** The client's certificate as Docker's own client finds it; undefined when nobody asks for TLS. */
async function clientTls(): Promise<Record<"ca" | "cert" | "key", Buffer> | undefined> {
  const folder = nonEmpty("DOCKER_CERT_PATH");
  if (folder === undefined) {
    if (nonEmpty("DOCKER_TLS_VERIFY") === undefined) return undefined;
    throw new ReadingError(
      "DOCKER_TLS_VERIFY is set without DOCKER_CERT_PATH. To do: set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
    );
  }
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((file) => readFile(join(folder, file))),
  ).catch((error: unknown) => {
    throw new ReadingError(
      `DOCKER_CERT_PATH has no readable ca.pem, cert.pem and key.pem (${codeOf(error) ?? "unknown reason"})`,
    );
  });
  return { ca, cert, key } as Record<"ca" | "cert" | "key", Buffer>;
}

function nonEmpty(variable: string): string | undefined {
  const value = process.env[variable];
  return value === "" ? undefined : value;
}

async function ask(engine: Engine, path: string, signal: AbortSignal): Promise<EngineAnswer> {
  const { request } = engine.secure ? await import("node:https") : await import("node:http");
  try {
    return await new Promise((resolve, reject) => {
      const asked = request({ ...engine.options, path, agent: false, signal }, (response) => {
        wholeAnswer(engine, response).then(resolve, reject);
      });
      asked.on("error", reject);
      asked.end();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ReadingError) throw error;
    const code = codeOf(error) ?? "no answer";
    const { text, again } = failures[code] ?? { text: "the connection failed", again: true };
    throw new ReadingError(`the Docker Engine at ${engine.name}: ${text} (${code})`, {
      again,
      cause: error,
    });
  }
}

const failures: Readonly<Record<string, { readonly text: string; readonly again: boolean }>> = {
  ENOENT: {
    text: "there is no such socket. To do: start Docker, or name where it listens",
    again: false,
  },
  EACCES: {
    text: "this user may not use the socket. To do: give the user the right to",
    again: false,
  },
  ECONNREFUSED: { text: "nothing listens there. To do: start Docker", again: true },
  EPROTO: { text: "it does not speak TLS, which DOCKER_CERT_PATH asks for", again: false },
};

async function wholeAnswer(engine: Engine, response: IncomingMessage): Promise<EngineAnswer> {
  const body = await wholeBody(
    response as AsyncIterable<Buffer>,
    limits.bytes,
    () =>
      new ReadingError(
        `the Docker Engine at ${engine.name} answered with more than ${limits.bytes / 1024} KiB`,
      ),
  );
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body };
}

function parsed<Shape>({ name }: Engine, body: Buffer, shape: z.ZodType<Shape>): Shape {
  let value: unknown;
  try {
    value = parseJson(body, limits);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    throw new ReadingError(
      `the answer of the Docker Engine at ${name} cannot be used: ${error.message}`,
    );
  }
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const keys = result.error.issues.map(({ path }) => path.join(".")).filter((key) => key !== "");
  throw new ReadingError(
    `the answer of the Docker Engine at ${name} has another shape than the Engine API${keys.length === 0 ? "" : `, see ${keys.join(", ")}`}`,
  );
}
