import { codeOf } from "./error-text.ts";

/** What came back: a status, or in a few words why none did. It never holds the URL or a body. */
export type Reply = { readonly status: number } | { readonly failure: string };

/**
 * Sends JSON once with POST. Redirects are not followed, and the body of the answer is not read.
 *
 * @param headers beside `content-type`, names in small letters
 * @throws the signal's reason when it aborts
 */
export async function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/json", "user-agent": "cutover", ...headers },
      body: JSON.stringify(body),
      signal,
    });
    await response.body?.cancel();
    return { status: response.status };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: failureOf(error) };
  }
}

/** The system's code of it; its message could name the host. */
function failureOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = codeOf(cause) ?? codeOf(error);
  return code === undefined ? "no connection" : `no connection (${code})`;
}
