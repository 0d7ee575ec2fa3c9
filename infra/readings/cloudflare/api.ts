import { z } from "zod";
import { parseJson, UnreadableError, type JsonLimits } from "../../../policies/contract/json.ts";
import { codeOf } from "../../provider/error-text.ts";
import { wholeBody } from "../../whole-body.ts";
import { ReadingError } from "../reading.ts";

/** An id of Cloudflare's. */
export const cloudflareId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "required are 32 hexadecimal digits");

/** The keys of a target that say how to reach Cloudflare. */
export const access = {
  tokenEnv: z
    .string()
    .regex(/^[A-Za-z_]\w{0,127}$/, "required is the name of an environment variable")
    .default("CLOUDFLARE_API_TOKEN")
    .meta({
      description: "the environment variable that holds the API token",
      example: "CLOUDFLARE_API_TOKEN",
    }),
  baseUrl: z
    .string()
    .refine(keepsSecrets, "required is an https URL without a query, or http on this machine")
    .default("https://api.cloudflare.com/client/v4")
    .meta({
      description: "where Cloudflare's API is, version 4",
      example: "https://api.cloudflare.com/client/v4",
    }),
};

/** A question to Cloudflare's API. */
export interface Question<Result> {
  readonly tokenEnv: string;
  readonly baseUrl: string;
  /** Path and query below the base. */
  readonly path: string;
  /** Further headers, none of them secret. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is asked for, for messages: `zone 0123…`. */
  readonly subject: string;
  /** Permissions that the token needs, as the dashboard names them. */
  readonly needs: string;
  /** The shape of the result. */
  readonly result: z.ZodType<Result>;
}

/**
 * Asks Cloudflare's API once. It is spoken to directly, because the official client takes 120 MB for a few GETs.
 *
 * @returns the result, and how many there are in all where it is one page of many
 * @throws ReadingError; its text holds nothing of the token or of the answer but Cloudflare's own error codes
 */
export async function askCloudflare<Result>(
  question: Question<Result>,
  signal: AbortSignal,
): Promise<{ readonly result: Result; readonly total: number | undefined }> {
  const { subject, baseUrl, path, headers } = question;
  const authorization = `Bearer ${tokenOf(question)}`;
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}${path}`, {
      headers: { accept: "application/json", ...headers, authorization },
      // Elsewhere the token has no business.
      redirect: "manual",
      signal,
    });
    const body = await wholeBody(
      (response.body ?? []) as AsyncIterable<Uint8Array>,
      limits.bytes,
      () => unusable(subject, `it is larger than ${limits.bytes / 1024} KiB`),
    );
    if (!response.ok) throw refusal(question, response.status, body);
    const answer = answerSchema(question.result).safeParse(parseJson(body, limits));
    if (answer.success) {
      return { result: answer.data.result, total: answer.data.result_info?.total_count };
    }
    throw codesIn(body).length === 0
      ? unusable(subject, wherein(answer.error))
      : refusal(question, response.status, body);
  } catch (error) {
    if (error instanceof ReadingError) throw error;
    if (error instanceof UnreadableError) throw unusable(subject, error.message);
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code = codeOf(cause) ?? codeOf(error) ?? "no reason given";
    throw new ReadingError(`Cloudflare cannot be reached to read ${subject} (${code})`, {
      again: true,
    });
  }
}

/** 100 records of DNS take about 50 KB. */
const limits: JsonLimits = { bytes: 1024 * 1024, depth: 32 };

function keepsSecrets(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const local = hostname === "localhost" || hostname === "[::1]" || /^127\.[\d.]+$/.test(hostname);
  const isPlain = [username, password, search, hash].every((part) => part === "");
  return isPlain && (protocol === "https:" || (protocol === "http:" && local));
}

function tokenOf({ tokenEnv, subject, needs }: Question<unknown>): string {
  const token = process.env[tokenEnv] ?? "";
  // Others would come out again in the error of the client.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const found = token === "" ? "is empty" : "holds what cannot be a token";
  throw new ReadingError(
    `the environment variable ${tokenEnv} ${found}, to read ${subject}. To do: set it to an API token with ${needs}`,
  );
}

/** https://developers.cloudflare.com/api/: how every answer is wrapped. */
function answerSchema<Result>(result: z.ZodType<Result>) {
  return z.object({
    success: z.literal(true),
    result,
    result_info: z.object({ total_count: z.number().optional() }).nullish(),
  });
}

const failureSchema = z.object({ errors: z.array(z.object({ code: z.number() })) });

/** One class of refusals, by the status of the answer or a code of Cloudflare's in it. */
interface RefusalClass {
  readonly status: (status: number) => boolean;
  readonly codes: readonly number[];
  readonly text: (question: Question<unknown>, how: string) => string;
  readonly again?: true;
}

/** The first one that holds counts. */
const refusalClasses: readonly RefusalClass[] = [
  {
    status: (status) => status === 401 || status === 403,
    // 6003 and 6111: the value of the header is no token; 9109 and 10000: it is an unknown one.
    codes: [6003, 6111, 9109, 10_000],
    text: ({ subject, tokenEnv, needs }, how) =>
      `Cloudflare does not let the token in ${tokenEnv} read ${subject} (${how}). To do: give it ${needs}, for this one`,
  },
  {
    status: (status) => status === 404,
    // 7003: no such zone; 10006: no such bucket.
    codes: [7003, 10_006],
    text: ({ subject, needs }, how) =>
      `Cloudflare has no ${subject} (${how}). To do: correct it in the stack config, or give the token ${needs}, for this one`,
  },
  {
    status: (status) => status === 429,
    codes: [],
    text: ({ subject }, how) => `Cloudflare has had too many requests to read ${subject} (${how})`,
    again: true,
  },
  {
    status: (status) => status >= 500,
    codes: [],
    text: ({ subject }, how) => `Cloudflare failed to read ${subject} (${how})`,
    again: true,
  },
];

function refusal(question: Question<unknown>, status: number, body: Buffer): ReadingError {
  const codes = codesIn(body);
  const how = `status ${status}${codes.length === 0 ? "" : `, code ${codes.join(", ")}`}`;
  const found = refusalClasses.find(
    (each) => each.status(status) || each.codes.some((code) => codes.includes(code)),
  );
  const text =
    found?.text(question, how) ?? `Cloudflare refused to read ${question.subject} (${how})`;
  return new ReadingError(text, { again: found?.again ?? false });
}

function codesIn(body: Buffer): number[] {
  try {
    const { data } = failureSchema.safeParse(parseJson(body, limits));
    return data?.errors.map(({ code }) => code).slice(0, 5) ?? [];
  } catch {
    return [];
  }
}

function unusable(subject: string, why: string): ReadingError {
  return new ReadingError(`Cloudflare's answer about ${subject} cannot be used: ${why}`);
}

function wherein({ issues }: z.ZodError): string {
  const [path] = issues.map((issue) => issue.path.map(String).join("."));
  return `it is not as its documentation says, see ${path === undefined || path === "" ? "the whole" : path}`;
}
