import { askServer, type DnsAnswer, type DnsQuestion } from "./dns-lookup.ts";

/**
 * Milliseconds for the tries of one question. The second is for a lost packet. Three questions in a row, as when the
 * authorities must be found first, fit into the 10 s of one try of a reading.
 */
const patience = [1000, 2000];

/**
 * Asks a name server as often as a lost packet needs.
 *
 * @param server `address:port`, an IPv6 address in brackets
 * @throws Error as the last try did
 */
export async function askAgain(
  server: string,
  question: DnsQuestion,
  signal: AbortSignal,
  recursive = true,
): Promise<DnsAnswer> {
  let problem: unknown;
  for (const milliseconds of patience) {
    signal.throwIfAborted();
    try {
      return await askServer(server, question, milliseconds, { signal, recursive });
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** The records of the name itself, and of what its aliases lead to; any others do not answer the question. */
export function chainOf({ records }: DnsAnswer, { name }: DnsQuestion): DnsAnswer["records"] {
  const names = new Set([name.toLowerCase()]);
  for (let size = 0; size < names.size;) {
    size = names.size;
    for (const record of records) {
      if (record.type === "CNAME" && names.has(record.name)) names.add(record.data);
    }
  }
  return records.filter((record) => names.has(record.name));
}

/** Where the name servers of a name are looked for. */
interface Known {
  /** The first of them is asked. */
  readonly resolvers: readonly string[];
  /** The zone that the name is in; absent: found by asking for name servers. */
  readonly zone?: string | undefined;
}

/** More are taken for a fault; a zone has 13 at most where answers must fit into 512 bytes. */
const maxAuthorities = 16;

/**
 * Addresses of the name servers in charge of a name, as the first resolver knows them: `address:53`, sorted.
 *
 * @throws Error saying which question got no answer that helps
 */
export async function authoritiesOf(
  name: string,
  { resolvers, zone }: Known,
  signal: AbortSignal,
): Promise<string[]> {
  const [resolver = ""] = resolvers;
  const servers = await nameServersOf(zone ?? name, zone === undefined, resolver, signal);
  const addresses = await Promise.all(
    servers.map(async (server) => {
      for (const type of ["A", "AAAA"] as const) {
        const question = { name: server, type };
        const found = chainOf(await askAgain(resolver, question, signal), question);
        const these = found.filter((record) => record.type === type).map(({ data }) => data);
        if (these.length > 0) return these.map((each) => (type === "A" ? each : `[${each}]`));
      }
      throw new Error(`${resolver} knows no address of the name server ${server}`);
    }),
  );
  return [...new Set(addresses.flat())].sort().map((address) => `${address}:53`);
}

async function nameServersOf(
  name: string,
  goUp: boolean,
  resolver: string,
  signal: AbortSignal,
): Promise<string[]> {
  let zone = name.toLowerCase();
  for (;;) {
    const { code, records } = await askAgain(resolver, { name: zone, type: "NS" }, signal);
    const found = records.filter((record) => record.type === "NS" && record.name === zone);
    if (code !== "NOERROR" && code !== "NXDOMAIN") {
      throw new Error(`${resolver} does not tell the name servers of ${zone} (${code})`);
    }
    if (found.length > maxAuthorities) {
      throw new Error(`${zone} has ${found.length} name servers; say in authorities which to ask`);
    }
    if (found.length > 0) return found.map(({ data }) => data);
    const dot = zone.indexOf(".");
    if (!goUp || dot === -1) {
      throw new Error(`${resolver} knows no name servers of ${name}; say them in authorities`);
    }
    zone = zone.slice(dot + 1);
  }
}
