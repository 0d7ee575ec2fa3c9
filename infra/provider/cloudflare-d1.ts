import { z } from "zod";
import { codeOf } from "./error-text.ts";
import { RefusedError } from "./resource-type.ts";

/** A D1 database, and who asks for it. */
export interface D1Place {
  readonly accountId: string;
  readonly databaseId: string;
  /** As messages call it. */
  readonly name: string;
}

/** An export that is ready to be fetched, or the bookmark to ask with again. */
export type D1ExportAnswer =
  { readonly url: URL; readonly bookmark?: undefined } | { readonly bookmark: string | undefined };

/** https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/export/ */
const answerSchema = z.object({
  success: z.literal(true),
  result: z.object({
    status: z.enum(["complete", "error"]).nullish(),
    error: z.string().nullish(),
    at_bookmark: z.string().nullish(),
    result: z.object({ signed_url: z.url() }).nullish(),
  }),
});

const refusalSchema = z.object({ errors: z.array(z.object({ code: z.number() })) });

/** Answers of the API are small; the export itself comes from elsewhere. */
const largestAnswer = 1024 * 1024;

/**
 * Asks Cloudflare for an export as SQL. It must be asked again with the bookmark until it is ready, or Cloudflare gives it
 * up; meanwhile the database answers nobody. The token is in `CLOUDFLARE_API_TOKEN`, as Cloudflare's own provider takes
 * it, and `CLOUDFLARE_BASE_URL` names another place of the API than Cloudflare's.
 *
 * @throws RefusedError; it holds nothing of the token, the address of the export or an answer but Cloudflare's codes
 */
export async function askExport(
  place: D1Place,
  bookmark: string | undefined,
  signal: AbortSignal,
): Promise<D1ExportAnswer> {
  const { accountId, databaseId } = place;
  const base = baseUrl();
  const response = await reach(place, () =>
    fetch(`${base}/accounts/${accountId}/d1/database/${databaseId}/export`, {
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token(place)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ output_format: "polling", current_bookmark: bookmark }),
      // Elsewhere the token has no business.
      redirect: "manual",
      signal,
    }),
  );
  const body = await reach(place, () => jsonOf(response));
  const { data } = answerSchema.safeParse(body);
  if (!response.ok || data === undefined) throw refusal(place, response.status, body);
  const { status, at_bookmark: next, result } = data.result;
  if (status === "error") {
    throw refused(
      place,
      "Cloudflare could not make the export",
      "see the database in the dashboard",
    );
  }
  if (status !== "complete") return { bookmark: next ?? bookmark };
  if (result === undefined || result === null) throw refusal(place, response.status, undefined);
  const url = new URL(result.signed_url);
  if (!keepsSecrets(url)) {
    throw refused(place, "an export at an address without TLS", "see CLOUDFLARE_BASE_URL");
  }
  return { url };
}

/**
 * The bytes of an export. The address is signed, so nothing else is sent with it.
 *
 * @throws RefusedError
 */
export async function fetchExport(
  place: D1Place,
  url: URL,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await reach(place, () => fetch(url, { redirect: "manual", signal }));
  if (response.status === 200 && response.body !== null) {
    return response.body as AsyncIterable<Uint8Array>;
  }
  throw refused(place, `status ${String(response.status)} for the export`, "run pulumi up again");
}

function baseUrl(): string {
  const text = process.env["CLOUDFLARE_BASE_URL"] ?? "https://api.cloudflare.com/client/v4";
  if (URL.canParse(text) && keepsSecrets(new URL(text))) return text.replace(/\/$/, "");
  throw new RefusedError(
    "the environment variable CLOUDFLARE_BASE_URL is no https URL, nor one of this machine.\n" +
      "To do: unset it, or set it to where Cloudflare's API is, version 4",
  );
}

function keepsSecrets({ protocol, hostname }: URL): boolean {
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127\.[\d.]+$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isHere);
}

function token(place: D1Place): string {
  const text = process.env["CLOUDFLARE_API_TOKEN"] ?? "";
  // Others would come out again in the error of the client.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  const found = text === "" ? "no CLOUDFLARE_API_TOKEN" : "no token in CLOUDFLARE_API_TOKEN";
  throw refused(place, found, "export an API token with D1:Edit for the account");
}

async function reach<Result>(place: D1Place, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code = codeOf(cause) ?? codeOf(error) ?? "no reason given";
    throw refused(place, `no connection (${code})`, "run pulumi up again");
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text.length > largestAnswer ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function refusal(place: D1Place, status: number, body: unknown): RefusedError {
  const codes = refusalSchema.safeParse(body).data?.errors.map(({ code }) => code) ?? [];
  const how = `status ${String(status)}${codes.length === 0 ? "" : `, code ${codes.join(", ")}`}`;
  if (status === 401 || status === 403) {
    return refused(place, how, "give the token in CLOUDFLARE_API_TOKEN D1:Edit for the account");
  }
  if (status === 404) {
    return refused(place, how, "correct cutover:legacy.d1.accountId or cutover:legacy.d1.adopt");
  }
  return refused(place, how, "run pulumi up again");
}

/** An error about the export of a database. */
export function refused({ name }: D1Place, found: string, todo: string): RefusedError {
  return new RefusedError(
    [
      `the D1 database ${name} is not exported.`,
      `found:    ${found}`,
      "required: a whole export as SQL, in its bucket",
      `to do:    ${todo}`,
    ].join("\n"),
  );
}
