import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { rootCertificates } from "node:tls";
import type { Store } from "../store.ts";
import { authorityFile } from "./rds/authority.ts";

const answerMilliseconds = 5000;

/** Tells whether a URL leads to this machine. What a rehearsal sends goes nowhere else. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname;
  return host !== undefined && (host === "localhost" || (isIPv4(host) && host.startsWith("127.")));
}

/**
 * Sends text once with POST, and tells whether the answer is 2xx. Redirects are not followed. Over https the
 * certificate must be of a CA that everybody knows, or of the rehearsal's.
 */
export async function postText(
  store: Store,
  url: string,
  text: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const ca = authorityFile(store);
  const options = {
    method: "POST",
    headers: {
      "content-type": "text/plain; charset=UTF-8",
      "user-agent": "Amazon Simple Notification Service Agent",
      "content-length": Buffer.byteLength(text),
      ...headers,
    },
    signal: AbortSignal.timeout(answerMilliseconds),
    agent: false as const,
  };
  try {
    const request = url.startsWith("https:")
      ? https.request(url, {
          ...options,
          ca: [...rootCertificates, ...(existsSync(ca) ? [readFileSync(ca, "utf8")] : [])],
        })
      : http.request(url, options);
    request.end(text);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    const { statusCode = 0 } = response;
    return statusCode >= 200 && statusCode < 300;
  } catch {
    return false;
  }
}
