import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createClient } from "redis";
import type { Image } from "../registry/registry.ts";

/** A Redis that is not the stack's. */
export interface Queue {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const startMilliseconds = 20_000;

/**
 * Starts a Redis as the rehearsal's image has it, outside of the stack's containers, as staging has its own. One job
 * waits in each of its streams, which has just come in. It ends with this process, however that ends.
 */
export async function startQueue(
  address: string,
  image: Image,
  streams: readonly string[],
): Promise<Queue> {
  const child = fork(join(import.meta.dirname, "..", "app.ts"), {
    // The process asks for any free port by 0.
    env: {
      PATH: process.env["PATH"] ?? "",
      CONTAINER_IMAGE: JSON.stringify(image),
      CONTAINER_COMMAND: "[]",
      CONTAINER_PORTS: JSON.stringify([{ internal: 6379, external: 0, ip: address }]),
    },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  try {
    const signal = AbortSignal.timeout(startMilliseconds);
    const [message] = (await once(child, "message", { signal })) as [
      { readonly listening?: { readonly port: number } },
    ];
    const port = message.listening?.port ?? 0;
    await fill(address, port, streams);
    return { host: address, port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fill(host: string, port: number, streams: readonly string[]): Promise<void> {
  const client = createClient({
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: { host, port, reconnectStrategy: false },
  });
  try {
    await client.connect();
    for (const stream of streams) await client.xAdd(stream, "*", { job: "rehearsed" });
  } finally {
    client.destroy();
  }
}
