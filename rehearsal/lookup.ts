import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as packet from "dns-packet";

/** What a name server answered. */
export interface Answer {
  readonly code: string;
  /** Whether the server that answered is the one in charge of the zone. */
  readonly authoritative: boolean;
  readonly addresses: readonly { readonly address: string; readonly ttl: number }[];
}

/**
 * Asks one name server for the IPv4 addresses of a host, once, without any cache.
 *
 * @param server `address:port` of the name server
 * @throws Error when no answer comes in time
 */
export async function lookup(host: string, server: string, milliseconds = 1000): Promise<Answer> {
  const id = randomInt(0x1_0000);
  const question = packet.encode({
    type: "query",
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: "A", name: host }],
  });
  const response = packet.decode(await exchange(question, server, id, milliseconds));
  const { rcode } = response as { rcode?: string };
  return {
    code: rcode ?? "NOERROR",
    authoritative: response.flag_aa,
    addresses: (response.answers ?? []).flatMap((record) =>
      record.type === "A" ? [{ address: record.data, ttl: record.ttl ?? 0 }] : [],
    ),
  };
}

/**
 * Sends one DNS message to a server and returns the answer with the same id.
 *
 * @throws Error when no answer comes in time
 */
export async function exchange(
  message: Uint8Array,
  server: string,
  id: number,
  milliseconds: number,
): Promise<Buffer> {
  const [address = "", port = ""] = server.split(":");
  const socket = createSocket("udp4");
  const signal = AbortSignal.timeout(milliseconds);
  try {
    socket.send(message, Number(port), address);
    for (;;) {
      const [answer] = (await once(socket, "message", { signal })) as [Buffer];
      if (answer.length >= 2 && answer.readUInt16BE(0) === id) return answer;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`name server ${server} did not answer within ${String(milliseconds)} ms`, {
      cause: error,
    });
  } finally {
    socket.close();
  }
}
