import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/**
 * Sends one DNS message to a server over UDP and returns its reply, by the message's id.
 *
 * @param server `address:port`, an IPv6 address in brackets
 * @param options `signal` gives up early; a reply that `accept` says no to is passed over, because anyone may send one
 * @throws Error when no reply comes in time, the port is closed, or the signal aborts
 */
export async function exchange(
  message: Uint8Array,
  server: string,
  timeoutMilliseconds: number,
  options: { readonly signal?: AbortSignal; readonly accept?: (reply: Buffer) => boolean } = {},
): Promise<Buffer> {
  const { signal, accept = () => true } = options;
  const { host, port } = splitAddress(server);
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const late = AbortSignal.timeout(timeoutMilliseconds);
  const stop = signal === undefined ? late : AbortSignal.any([late, signal]);
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      stop.addEventListener("abort", () => {
        const reason = late.aborted
          ? `no reply within ${String(timeoutMilliseconds)} ms`
          : "stopped";
        reject(new Error(reason));
      });
      socket.on("error", reject);
      socket.on("message", (reply) => {
        if (reply[0] === message[0] && reply[1] === message[1] && accept(reply)) resolve(reply);
      });
      // A connected socket hears of a port that nobody listens on, and takes no other sender's replies.
      socket.connect(port, host, () => {
        if (!stop.aborted) socket.send(message);
      });
    });
  } finally {
    socket.close();
  }
}

function splitAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}
