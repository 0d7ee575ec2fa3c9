import { randomInt } from "node:crypto";
import * as packet from "dns-packet";
import { exchange } from "../infra/provider/dns-exchange.ts";

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
  const question = packet.encode({
    type: "query",
    id: randomInt(0x1_0000),
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: "A", name: host }],
  });
  const response = packet.decode(await exchange(question, server, milliseconds));
  const { rcode } = response as { rcode?: string };
  return {
    code: rcode ?? "NOERROR",
    authoritative: response.flag_aa,
    addresses: (response.answers ?? []).flatMap((record) =>
      record.type === "A" ? [{ address: record.data, ttl: record.ttl ?? 0 }] : [],
    ),
  };
}
