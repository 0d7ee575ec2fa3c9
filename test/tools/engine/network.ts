import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** An address on this machine where nobody listens: as a proxy it stands for a network that says no. */
export async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
