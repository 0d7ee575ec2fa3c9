import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished, vi } from "vitest";
import { awsEnvironment, type AwsEnvironment } from "../../../support/moto.ts";

/** Brings the clients of this test file to where the environment says. */
export function useAws(environment: AwsEnvironment): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

/** What a client asked. */
export interface Asked {
  /** The action by its name in JSON and query protocols, otherwise method and path. */
  readonly action: string;
  readonly url: URL;
  readonly body: string;
}

/** What is answered: a document with status 200, another status, or something done with the connection. */
export type Answered =
  string | readonly [status: number, body: string] | ((response: ServerResponse) => void);

/** Answers the clients of one test in place of AWS, and tells what they asked. */
export async function answerAws(answer: (asked: Asked) => Answered): Promise<readonly Asked[]> {
  const all: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const target = request.headers["x-amz-target"];
      const action =
        (typeof target === "string" ? target.split(".").at(-1) : undefined) ??
        new URLSearchParams(body).get("Action") ??
        `${request.method ?? ""} ${url.pathname}`;
      const asked = { action, url, body };
      all.push(asked);
      const answered = answer(asked);
      if (typeof answered === "function") answered(response);
      else {
        const [status, document] = typeof answered === "string" ? [200, answered] : answered;
        response.writeHead(status).end(document);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  useAws(awsEnvironment(`http://127.0.0.1:${port}`));
  return all;
}
