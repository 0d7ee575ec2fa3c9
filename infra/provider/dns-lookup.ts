import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/**
 * Asks one resolver for the addresses of a name, over UDP, as a client without a cache of its own would.
 *
 * @param resolver `address:port`, an IPv6 address in brackets
 * @returns the addresses, sorted; empty when the name has none
 * @throws Error saying why there is no answer: no reply in time, or the resolver's refusal by name (`NXDOMAIN`)
 */
export async function askResolver(
  resolver: string,
  name: string,
  family: 4 | 6,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<string[]> {
  // Loaded here, because a run without DNS should not wait for it.
  const { default: dns } = await import("dns-packet");
  const { host, port } = splitAddress(resolver);
  const type = family === 6 ? "AAAA" : "A";
  const id = randomInt(0x1_00_00);
  const question = dns.encode({
    type: "query",
    id,
    flags: dns.RECURSION_DESIRED,
    questions: [{ type, name }],
  });
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no reply within ${String(timeoutMilliseconds)} ms`));
      }, timeoutMilliseconds);
      const onAbort = (): void => {
        settle(() => {
          reject(new Error("stopped"));
        });
      };
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        act();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      socket.on("error", (error) => {
        settle(() => {
          reject(error);
        });
      });
      socket.on("message", (bytes) => {
        const answer = decoded(() => dns.decode(bytes));
        // Anyone may send to this port; only the reply to this question counts.
        if (answer?.id !== id || answer.questions?.[0]?.name.toLowerCase() !== name.toLowerCase())
          return;
        settle(() => {
          if (answer.rcode !== "NOERROR") reject(new Error(answer.rcode));
          else resolve(addressesOf(answer.answers ?? [], type));
        });
      });
      // A connected socket hears of a port that nobody listens on, and takes no other sender's replies.
      socket.connect(port, host, () => {
        socket.send(question);
      });
    });
  } finally {
    socket.close();
  }
}

/** Splits `address:port`; undefined parts are an error of the caller, who has checked the text. */
function splitAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}

function addressesOf(answers: readonly { type: string; data?: unknown }[], type: string): string[] {
  return answers
    .filter((answer) => answer.type === type)
    .map((answer) => String(answer.data))
    .sort();
}

function decoded<Packet>(decode: () => Packet): (Packet & { rcode: string }) | undefined {
  try {
    // dns-packet has the code of the reply in words, and its types do not say so.
    return decode() as Packet & { rcode: string };
  } catch {
    return undefined;
  }
}
