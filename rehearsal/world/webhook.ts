import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { listenOn } from "./listen.ts";

/** What a webhook got. */
export interface Received {
  /** ISO 8601. */
  readonly at: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A receiver of what is announced. */
export interface Webhook {
  readonly url: string;
  /** All that it got so far, oldest first. */
  received(): readonly Received[];
  close(): Promise<void>;
}

/** Starts a receiver that takes whatever is POSTed to it, and keeps it. */
export async function startWebhook(address: string, name: string): Promise<Webhook> {
  const all: Received[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      if (request.method !== "POST" || request.url !== `/${name}`) {
        response.writeHead(404).end();
        return;
      }
      const headers = Object.entries(request.headers).map(([key, value]) => [
        key,
        [value].flat().join(", "),
      ]);
      all.push({
        at: new Date().toISOString(),
        headers: Object.fromEntries(headers) as Record<string, string>,
        body: body.toString(),
      });
      response.writeHead(200).end();
    });
  });
  const listening = await listenOn(server, address, 0);
  return {
    url: `http://${address}:${String(listening.port)}/${name}`,
    received: () => [...all],
    close: () => listening.close(),
  };
}
