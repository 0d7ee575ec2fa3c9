import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import dns, { type Answer, type DecodedPacket, type Packet } from "dns-packet";
import { onTestFinished } from "vitest";

/** What a server says to a question: a reply, bytes as they are, or nothing at all. */
export type Saying = Partial<Packet> | Buffer | undefined;

/** Codes of replies: https://www.iana.org/assignments/dns-parameters. */
export const refusals = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/**
 * Starts a name server that says whatever a test wants, until the test ends.
 *
 * @param say gets the question, how many came before it, and how it came
 * @returns `address:port`, the same for UDP and TCP
 */
export async function startDns(
  say: (query: DecodedPacket, before: number, over: "udp" | "tcp") => Saying,
): Promise<string> {
  let before = 0;
  const replyTo = (message: Buffer, over: "udp" | "tcp"): Buffer | undefined => {
    const query = dns.decode(message);
    const saying = say(query, before, over);
    before += 1;
    return saying === undefined || Buffer.isBuffer(saying) ? saying : encode(query, saying);
  };
  const udp = createSocket("udp4");
  udp.on("message", (message, { port, address }) => {
    const reply = replyTo(message, "udp");
    if (reply !== undefined) udp.send(reply, port, address);
  });
  const tcp = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const reply = replyTo(data.subarray(2), "tcp");
      if (reply === undefined) return;
      // In two pieces, as a network may deliver it.
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply.subarray(0, 1)]));
      setImmediate(() => socket.end(reply.subarray(1)));
    });
  });
  const port = await listen(tcp);
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(port, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    udp.close();
    tcp.close();
  });
  return `127.0.0.1:${port}`;
}

/** A reply to the query. */
export function encode(query: DecodedPacket, reply: Partial<Packet>): Buffer {
  const { id = 0, questions = [] } = query;
  return dns.encode({ type: "response", id, questions, ...reply });
}

/** An address record. */
export function a(data: string, ttl = 60, name = "app.example.com"): Answer {
  return { type: "A", name, ttl, data };
}

/** An alias. */
export function cname(name: string, data: string, ttl = 60): Answer {
  return { type: "CNAME", name, ttl, data };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
