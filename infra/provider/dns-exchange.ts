import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";

/** How a message is sent. */
export interface ExchangeOptions {
  /** Gives up early. */
  readonly signal?: AbortSignal;
  /** A reply that it says no to is passed over, because anyone may send one. */
  readonly accept?: (reply: Buffer) => boolean;
}

/**
 * Sends one DNS message to a server over UDP and returns its reply, by the message's id.
 *
 * @param server `address:port`, an IPv6 address in brackets
 * @throws Error when no reply comes in time, the port is closed, or the signal aborts
 */
export async function exchange(
  message: Uint8Array,
  server: string,
  timeoutMilliseconds: number,
  options: ExchangeOptions = {},
): Promise<Buffer> {
  const { signal, accept = () => true } = options;
  const { host, port } = splitAddress(server);
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const timer = limit(timeoutMilliseconds, signal);
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      timer.onEnd(reject);
      socket.on("error", reject);
      socket.on("message", (reply) => {
        if (hasIdOf(message, reply) && accept(reply)) resolve(reply);
      });
      // A connected socket hears of a port that nobody listens on, and takes no other sender's replies.
      socket.connect(port, host, () => {
        if (!timer.ended()) socket.send(message);
      });
    });
  } finally {
    socket.close();
  }
}

/**
 * Sends one DNS message over TCP, as must be done when the reply was too long for UDP.
 *
 * @param server `address:port`, an IPv6 address in brackets
 * @throws Error when no whole reply that is accepted comes in time, the port is closed, or the signal aborts
 */
export async function exchangeOverTcp(
  message: Uint8Array,
  server: string,
  timeoutMilliseconds: number,
  options: ExchangeOptions = {},
): Promise<Buffer> {
  const { signal, accept = () => true } = options;
  const { host, port } = splitAddress(server);
  const timer = limit(timeoutMilliseconds, signal);
  const socket = connect({ host, port });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      let received = Buffer.alloc(0);
      timer.onEnd(reject);
      socket.on("error", reject);
      socket.on("connect", () => socket.write(withLength(message)));
      socket.on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
        const reply = firstMessage(received);
        if (reply === undefined) return;
        if (hasIdOf(message, reply) && accept(reply)) resolve(reply);
        else reject(new Error("a reply over TCP to another question"));
      });
      socket.on("close", () => {
        reject(new Error("the TCP connection ended without a whole reply"));
      });
    });
  } finally {
    socket.destroy();
  }
}

function limit(
  milliseconds: number,
  signal: AbortSignal | undefined,
): { ended: () => boolean; onEnd: (reject: (error: Error) => void) => void } {
  const late = AbortSignal.timeout(milliseconds);
  const stop = signal === undefined ? late : AbortSignal.any([late, signal]);
  return {
    ended: () => stop.aborted,
    onEnd(reject) {
      const end = (): void => {
        reject(new Error(late.aborted ? `no reply within ${milliseconds} ms` : "stopped"));
      };
      if (stop.aborted) end();
      else stop.addEventListener("abort", end);
    },
  };
}

function hasIdOf(message: Uint8Array, reply: Buffer): boolean {
  return reply[0] === message[0] && reply[1] === message[1];
}

/** Over TCP a message follows its length in two bytes: RFC 1035, 4.2.2. */
function withLength(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function firstMessage(received: Buffer): Buffer | undefined {
  if (received.length < 2) return undefined;
  const end = 2 + received.readUInt16BE(0);
  return received.length < end ? undefined : received.subarray(2, end);
}

function splitAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}
