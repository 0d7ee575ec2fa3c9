import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished, vi } from "vitest";

/** The token of tests; it must not come out anywhere. */
export const token = "hunter2-canary-token";

/** What a reading of a test knows. */
export const context = {
  now: new Date(),
  release: { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} },
  database: undefined,
};

/** An id of Cloudflare's. */
export const id = "0123456789abcdef0123456789abcdef";

/** A server that speaks as Cloudflare's API does, until the test ends; the token is in the environment meanwhile. */
export async function startCloudflare(answer: RequestListener): Promise<{
  readonly baseUrl: string;
  readonly requests: readonly IncomingMessage[];
  readonly close: () => Promise<void>;
}> {
  vi.stubEnv("CLOUDFLARE_API_TOKEN", token);
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/client/v4`, requests, close };
}

/** An answer as it goes over the wire. */
export function success(result: unknown, more: Record<string, unknown> = {}): RequestListener {
  return json(200, { success: true, errors: [], messages: [], result, ...more });
}

/** A refusal as it goes over the wire. */
export function failure(status: number, ...codes: number[]): RequestListener {
  const errors = codes.map((code) => ({ code, message: `refused ${token}` }));
  return json(status, { success: false, errors, messages: [], result: null });
}

/** Bytes as they are. */
export function raw(status: number, body: string): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body);
  };
}

function json(status: number, body: unknown): RequestListener {
  return raw(status, JSON.stringify(body));
}
