import type { IncomingMessage } from "node:http";
import { AwsError } from "./error.ts";

/** What a client asked over HTTP. */
export interface ApiRequest {
  readonly method: string;
  /** Decoded, as in `/bucket/a key`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in small letters; repeated ones joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without what only carries it. */
  readonly body: Buffer;
  /** What came after the body, as headers. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Whom a request was signed for. */
export interface Scope {
  /** As AWS signs it, such as `monitoring` for CloudWatch. */
  readonly service: string;
  readonly region: string;
}

/** Dumps of a rehearsal take a few KiB. */
const mostBytes = 256 * 1024 * 1024;

/** Reads a request whole. */
export async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  // Taken apart by hand: what reads URLs would leave out the dots of a key.
  const [rawPath = "", ...rawQuery] = (incoming.url ?? "/").split("?");
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) throw new AwsError("EntityTooLarge", "the rehearsal takes 256 MiB");
    chunks.push(chunk);
  }
  const sent = Buffer.concat(chunks);
  const framed = headers["content-encoding"]?.includes("aws-chunked") === true;
  const { body, trailers } = framed ? unframed(sent) : { body: sent, trailers: {} };
  const { method = "GET" } = incoming;
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
  const query = new URLSearchParams(rawQuery.join("?"));
  return { method, path, query, headers, body, trailers };
}

const authorization =
  /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/\d{8}\/(?<region>[\w-]+)\/(?<service>[\w-]+)\/aws4_request, ?SignedHeaders=[\w;-]+, ?Signature=[0-9a-f]{64}$/;

/**
 * Whom the request was signed for. Whose key signed it is not judged: it is a rehearsal's, and nobody else's.
 *
 * @throws AwsError when it is not signed as AWS asks
 */
export function scopeOf({ headers }: ApiRequest): Scope {
  const given = headers["authorization"];
  if (given === undefined) {
    throw new AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403);
  }
  const { region, service } = authorization.exec(given)?.groups ?? {};
  if (region === undefined || service === undefined || headers["x-amz-date"] === undefined) {
    throw new AwsError(
      "IncompleteSignature",
      "The request signature does not conform to AWS standards.",
    );
  }
  return { region, service };
}

/** A body that is sent in chunks with signatures and trailers of its own: `<hex size>[;…]CRLF<bytes>CRLF`. */
function unframed(sent: Buffer): Pick<ApiRequest, "body" | "trailers"> {
  const chunks: Buffer[] = [];
  let at = 0;
  const line = (): string => {
    const end = sent.indexOf("\r\n", at);
    if (end === -1) throw incomplete();
    const text = sent.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const [, hex] = /^([0-9a-f]{1,8})(?:;.*)?$/i.exec(line()) ?? [];
    if (hex === undefined) throw incomplete();
    const size = Number.parseInt(hex, 16);
    if (size === 0) break;
    if (at + size + 2 > sent.length) throw incomplete();
    chunks.push(sent.subarray(at, at + size));
    at += size + 2;
  }
  const trailers: Record<string, string> = {};
  while (at < sent.length) {
    const [, name, value] = /^([\w-]+):(.*)$/.exec(line()) ?? [];
    if (name !== undefined) trailers[name.toLowerCase()] = (value ?? "").trim();
  }
  return { body: Buffer.concat(chunks), trailers };
}

function incomplete(): AwsError {
  return new AwsError(
    "IncompleteBody",
    "The request body terminated unexpectedly, or its chunks are not as they say.",
  );
}
