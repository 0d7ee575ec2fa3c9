import { isIP } from "node:net";
import { z } from "zod";
import { parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import { messageOf } from "../../provider/error-text.ts";
import { bodyLimit, get, plainUrl, valueAt, type Answer } from "../../provider/http-get.ts";
import { ReadingError, readingKind } from "../reading.ts";

const path = z.string().regex(/^[^.]+(\.[^.]+)*$/, "required is keys and list indexes with dots");

/** A name as RFC 9110, 5.6.2 has it, which is none of those that carry secrets. */
const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, "required is the name of a header")
  .refine((name) => !/auth|cookie|token|secret|key|password|session/i.test(name), {
    error: "required is a header that carries no secret: its value is kept in the stack config",
  });

const target = z.strictObject({
  url: plainUrl.meta({
    description: "the http or https URL to ask, without a user and password",
    example: "https://app.example.com/healthz",
  }),
  address: z
    .string()
    .refine((text) => isIP(text) !== 0, "required is an IP address")
    .optional()
    .meta({
      description: "the IP address to connect to, whatever DNS says; the host stays the URL's",
      example: "192.0.2.1",
    }),
  connectPort: z.int().min(1).max(65_535).optional().meta({
    description: "the port to connect to in place of the usual one, as behind a tunnel",
    example: "8443",
  }),
  method: z.literal("GET").default("GET").meta({
    description: "the method: GET, because a reading changes nothing",
    example: "GET",
  }),
  headers: z
    .record(headerName, z.string().regex(/^[\t\x20-\x7e]{0,1024}$/, "required is printable ASCII"))
    .default({})
    .meta({
      description: "headers to send, none of them secret",
      example: "{ accept-language: en }",
    }),
  json: z.array(path).max(32).default([]).meta({
    description: "paths into a JSON body whose values are wanted, up to 32",
    example: "[checks.database.ok]",
  }),
  versionPath: path.default("version").meta({
    description: "the path of the version in a JSON body",
    example: "build.version",
  }),
  versionHeader: headerName.optional().meta({
    description: "the header with the version, in place of the body",
    example: "x-version",
  }),
  corsOrigins: z
    .array(
      z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
        error: "required is an origin as in https://shop.example.com",
      }),
    )
    .max(16)
    .default([])
    .meta({
      description: "origins of which is asked whether they may read the answer, up to 16",
      example: "[https://shop.example.com]",
    }),
});

type Target = z.output<typeof target>;

/** What a service answers over HTTP, whatever its status; redirects are not followed. */
export const httpEndpoint = readingKind({
  kind: "http-endpoint",
  title: "what a service answers over HTTP",
  target,
  facts: {
    status: "the status code, as a number",
    milliseconds: "milliseconds until the whole answer was there",
    contentType: "the media type in small letters, without its parameters; null without one",
    version: "the version, as a text; null without one",
    json: "by path as in the key `json`, the value there; null without one, and for objects and lists",
    location: "where a redirect leads, without its query; null without one",
    securityHeaders:
      "a record of `hstsSeconds` (seconds; null without the header), `contentSecurityPolicy` (true when there is one), `noSniff` (true when types are not guessed), `frameProtection` (true with X-Frame-Options, or frame-ancestors in the policy) and `referrerPolicy` (null without the header)",
    cors: "by origin, a record of `allowed` (true when it may read the answer) and `credentials` (true when it may with credentials)",
  },
  subject: ({ url }) => withoutQuery(new URL(url)),

  async read(target, { signal }) {
    const began = performance.now();
    const answering = ask(target, signal).then((answer) => ({
      answer,
      milliseconds: Math.round(performance.now() - began),
    }));
    const origins = Promise.all(
      target.corsOrigins.map(async (origin) => {
        const { headers } = await ask(target, signal, { origin });
        return [origin, corsOf(headers, origin)] as const;
      }),
    );
    const [{ answer, milliseconds }, cors] = await Promise.all([answering, origins]);
    const { status, headers } = answer;
    const body = jsonOf(answer);
    const { versionHeader, versionPath } = target;
    const version =
      versionHeader === undefined
        ? scalarAt(body, versionPath)
        : headers[versionHeader.toLowerCase()];
    return {
      status,
      milliseconds,
      contentType: headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? null,
      version: version === undefined || version === null ? null : String(version),
      json: Object.fromEntries(target.json.map((each) => [each, scalarAt(body, each)])),
      location: locationOf(answer, target),
      securityHeaders: securityOf(headers),
      cors: Object.fromEntries(cors),
    };
  },
});

/** Less than the time of a whole try, so that it is told how far this came. */
const answerMilliseconds = 8000;

async function ask(
  { url, address, connectPort, headers }: Target,
  signal: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const small = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  try {
    const all = { ...Object.fromEntries(small), ...more } as Record<string, string>;
    return await get(new URL(url), address, answerMilliseconds, signal, all, connectPort);
  } catch (error) {
    const at = address === undefined ? "" : ` at ${address}`;
    const reason = messageOf(error).slice(0, 200);
    throw new ReadingError(`no answer from ${withoutQuery(new URL(url))}${at}: ${reason}`, {
      again: true,
      cause: error,
    });
  }
}

/** A query may hold secrets. */
function withoutQuery({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function jsonOf({ body, isCut }: Answer): unknown {
  if (isCut) return undefined;
  try {
    return parseJson(body, { bytes: bodyLimit, depth: 32 });
  } catch (error) {
    if (error instanceof UnreadableError) return undefined;
    throw error;
  }
}

function scalarAt(body: unknown, path: string): string | number | boolean | null {
  const value = valueAt(body, path.split("."));
  const known =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return known ? value : null;
}

function locationOf({ status, headers }: Answer, { url }: Target): string | null {
  const { location } = headers;
  if (location === undefined || status < 300 || status > 399) return null;
  return URL.canParse(location, url) ? withoutQuery(new URL(location, url)) : null;
}

function securityOf(headers: Answer["headers"]): Readonly<Record<string, unknown>> {
  const policies = headers["content-security-policy"]?.split(/[;,]/) ?? [];
  const directives = policies.map((each) => each.trim().split(/\s/)[0]?.toLowerCase() ?? "");
  const frames = headers["x-frame-options"]?.trim().toLowerCase() ?? "";
  return {
    hstsSeconds: hstsSeconds(headers["strict-transport-security"]),
    contentSecurityPolicy: directives.some((each) => each !== ""),
    noSniff: headers["x-content-type-options"]?.trim().toLowerCase() === "nosniff",
    frameProtection: /^(deny|sameorigin)$/.test(frames) || directives.includes("frame-ancestors"),
    referrerPolicy: headers["referrer-policy"] ?? null,
  };
}

/** Browsers heed the first of several headers only: RFC 6797, 8.1. */
function hstsSeconds(header: string | undefined): number | null {
  const [first = ""] = header?.split(",") ?? [];
  const found = /(?:^|;)\s*max-age\s*=\s*"?(\d{1,15})"?\s*(?:;|$)/i.exec(first);
  return found === null ? null : Number(found[1]);
}

function corsOf(headers: Answer["headers"], origin: string): Readonly<Record<string, boolean>> {
  const allowed = headers["access-control-allow-origin"];
  return {
    allowed: allowed === "*" || allowed === origin,
    credentials: headers["access-control-allow-credentials"] === "true",
  };
}
