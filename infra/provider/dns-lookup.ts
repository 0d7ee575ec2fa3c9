import { randomInt } from "node:crypto";
import type { Answer, DecodedPacket } from "dns-packet";
import { exchange, exchangeOverTcp } from "./dns-exchange.ts";
import { dataText } from "./dns-text.ts";

/** What is asked. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME" | "TXT" | "CAA" | "MX" | "NS";
}

/** A record of an answer. */
export interface DnsRecord {
  /** The name that it belongs to, in small letters. */
  readonly name: string;
  readonly type: string;
  /** Seconds that it may be kept from now on. */
  readonly ttl: number;
  /** An address, a name in small letters, or what {@link dataText} makes of another type. */
  readonly data: string;
}

/** What a name server answered. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL` or another code of the reply. */
  readonly code: string;
  /** Whether the server that answered is in charge of the zone. */
  readonly authoritative: boolean;
  readonly records: readonly DnsRecord[];
}

/**
 * Asks one name server one question over UDP, and again over TCP when the answer is too long, as a client without a
 * cache of its own would.
 *
 * @param server `address:port`, an IPv6 address in brackets
 * @param options `recursive` asks it to find out what it does not know, as resolvers do; default true
 * @throws Error when no reply to this question comes in time, the port is closed, or the signal aborts
 */
export async function askServer(
  server: string,
  question: DnsQuestion,
  timeoutMilliseconds: number,
  options: { readonly signal?: AbortSignal; readonly recursive?: boolean } = {},
): Promise<DnsAnswer> {
  const { recursive = true, ...stop } = options;
  // Loaded here, because a run without DNS should not wait for it.
  const { default: dns } = await import("dns-packet");
  const message = dns.encode({
    type: "query",
    id: randomInt(0x1_00_00),
    flags: recursive ? dns.RECURSION_DESIRED : 0,
    questions: [question],
  });
  const decoded = (reply: Buffer): Decoded | undefined => {
    if (!answers(message, reply)) return undefined;
    try {
      const packet = dns.decode(reply) as Decoded;
      // Of a last record that is cut short it makes up the rest.
      return dns.decode.bytes > reply.length ? undefined : packet;
    } catch {
      return undefined;
    }
  };
  // A reply that was cut may end within a record, so that it cannot be decoded.
  const accept = (reply: Buffer): boolean => isCut(message, reply) || decoded(reply) !== undefined;
  const first = await exchange(message, server, timeoutMilliseconds, { ...stop, accept });
  const reply = isCut(message, first)
    ? await exchangeOverTcp(message, server, timeoutMilliseconds, {
        ...stop,
        accept: (whole) => decoded(whole) !== undefined,
      })
    : first;
  const answer = decoded(reply);
  if (answer === undefined) throw new Error("no reply that answers the question");
  return {
    code: answer.rcode,
    authoritative: answer.flag_aa,
    records: (answer.answers ?? []).map(recordOf),
  };
}

/**
 * Asks one resolver for the addresses of a name.
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
  const type = family === 6 ? "AAAA" : "A";
  const answer = await askServer(resolver, { name, type }, timeoutMilliseconds, { signal });
  if (answer.code !== "NOERROR") throw new Error(answer.code);
  return answer.records
    .filter((record) => record.type === type)
    .map(({ data }) => data)
    .sort();
}

/** dns-packet has the code of the reply in words, and its types do not say so. */
type Decoded = DecodedPacket & { readonly rcode: string };

/** Bytes before the question of a message: RFC 1035, 4.1.1. */
const headerBytes = 12;

/** Whether it is a reply to the very question of the message: name in any case, type and class. */
function answers(message: Uint8Array, reply: Buffer): boolean {
  const isReply = ((reply[2] ?? 0) & 0x80) !== 0;
  const questionOf = (bytes: Uint8Array): string =>
    Buffer.from(bytes.subarray(headerBytes, message.length)).toString("latin1").toLowerCase();
  return isReply && questionOf(reply) === questionOf(message);
}

function isCut(message: Uint8Array, reply: Buffer): boolean {
  return ((reply[2] ?? 0) & 0x02) !== 0 && answers(message, reply);
}

function recordOf(answer: Answer): DnsRecord {
  const { ttl = 0, data } = answer as { readonly ttl?: number; readonly data?: unknown };
  return {
    name: answer.name.toLowerCase(),
    type: answer.type,
    ttl,
    data: dataText(answer.type, data),
  };
}
