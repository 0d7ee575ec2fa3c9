/**
 * Asks a server for the head of a page.
 * @returns nothing when it answers, and otherwise in words why it cannot be reached
 */
export async function whyUnreachable(url: string, limitMs: number): Promise<string | undefined> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(limitMs) });
    return response.ok ? undefined : `${host} answered ${response.status} ${response.statusText}`;
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") {
      return `${host} did not answer within ${limitMs / 1_000} s`;
    }
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const why = cause instanceof Error ? cause : error;
    return `${host} cannot be reached: ${why instanceof Error ? why.message : String(why)}`;
  }
}
