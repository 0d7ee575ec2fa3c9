import { askServer } from "../infra/provider/dns-lookup.ts";

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
  const { code, authoritative, records } = await askServer(
    server,
    { name: host, type: "A" },
    milliseconds,
  );
  return {
    code,
    authoritative,
    addresses: records
      .filter(({ type }) => type === "A")
      .map(({ data, ttl }) => ({ address: data, ttl })),
  };
}
