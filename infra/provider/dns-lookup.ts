import { randomInt } from "node:crypto";
import type { DecodedPacket } from "dns-packet";
import { exchange } from "./dns-exchange.ts";

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
  const type = family === 6 ? "AAAA" : "A";
  const question = dns.encode({
    type: "query",
    id: randomInt(0x1_00_00),
    flags: dns.RECURSION_DESIRED,
    questions: [{ type, name }],
  });
  const answerOf = (reply: Buffer): Answer | undefined => {
    const answer = decoded(() => dns.decode(reply));
    const [asked] = answer?.questions ?? [];
    return asked?.name.toLowerCase() === name.toLowerCase() ? answer : undefined;
  };
  const accept = (reply: Buffer): boolean => answerOf(reply) !== undefined;
  const answer = answerOf(
    await exchange(question, resolver, timeoutMilliseconds, { signal, accept }),
  );
  if (answer === undefined) throw new Error("no reply that answers the question");
  if (answer.rcode !== "NOERROR") throw new Error(answer.rcode);
  return addressesOf(answer.answers ?? [], type);
}

/** dns-packet has the code of the reply in words, and its types do not say so. */
type Answer = DecodedPacket & { readonly rcode: string };

function addressesOf(answers: readonly { type: string; data?: unknown }[], type: string): string[] {
  return answers
    .filter((answer) => answer.type === type)
    .map((answer) => String(answer.data))
    .sort();
}

function decoded(decode: () => DecodedPacket): Answer | undefined {
  try {
    return decode() as Answer;
  } catch {
    return undefined;
  }
}
