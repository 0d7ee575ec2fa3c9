import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** A server that listens. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Lets a server listen on a loopback address.
 *
 * @param port a free one when it is 0
 * @throws Error that says what to do when the port cannot be had
 */
export async function listenOn(
  server: Server & { closeAllConnections?: () => void },
  address: string,
  port: number,
): Promise<Listening> {
  server.listen({ host: address, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(`cannot listen on ${address}:${String(port)} (${reasonOf(error)})`, {
      cause: error,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections?.();
      await once(server, "close");
    },
  };
}

function reasonOf(error: unknown): string {
  const { code = "unknown reason" } = error as NodeJS.ErrnoException;
  if (code !== "EACCES") return code;
  return `${code}: this user may not listen below 1024. To do: sudo sysctl net.ipv4.ip_unprivileged_port_start=443, or rehearse in a container`;
}
