import { askAgain, authoritiesOf } from "../provider/dns-authorities.ts";
import type { DnsQuestion } from "../provider/dns-lookup.ts";
import { messageOf } from "../provider/error-text.ts";
import type { DnsConfig } from "./config.ts";
import { proxiedNames } from "./ttl.ts";
import { knownZone } from "./zones.ts";

/** A record as the zone answered with it. */
export interface AnsweredRecord {
  readonly name: string;
  readonly type: DnsQuestion["type"];
  /** In the form of a zone file, names without their last dot: `10 mail.example.com`, `"v=spf1 -all"`. */
  readonly content: string;
  readonly ttlSeconds: number;
}

/** A question that got no answer. */
export interface UnreadAnswer {
  readonly name: string;
  readonly type: DnsQuestion["type"];
  readonly problem: string;
}

/** What a zone answers for the names of a stack. Read twice without a change in between, it is the same. */
export interface ZoneImage {
  readonly zone: string;
  /** Sorted by name, type and content. */
  readonly records: readonly AnsweredRecord[];
  /** What could not be read: whether there are such records is not known. */
  readonly unread: readonly UnreadAnswer[];
}

/** Everything that the records of a name can be. */
const types: readonly DnsQuestion["type"][] = ["A", "AAAA", "CNAME", "TXT", "CAA", "MX"];

/**
 * Reads what DNS answers for all moved and kept names, before a release changes any of it. The name servers in charge
 * are asked, because only they tell the whole TTL. What they do not answer is said to be unread.
 */
export async function readBeforeImage(
  dns: Pick<DnsConfig, "zones" | "names" | "kept" | "resolvers" | "authorities">,
  signal: AbortSignal,
): Promise<ZoneImage[]> {
  const names = new Set([...Object.keys(dns.names), ...dns.kept.map(({ name }) => name)]);
  const zones = [...new Set([...names].map((name) => knownZone(name, dns.zones).name))].toSorted();
  return Promise.all(
    zones.map(async (zone) => {
      const inside = [...names].filter((name) => knownZone(name, dns.zones).name === zone);
      const questions = inside.flatMap((name) => questionsOf(name, dns));
      return { zone, ...(await readZone(zone, questions, dns, signal)) };
    }),
  );
}

/** Name servers are asked for where some are kept; those of a delegated name answer for it, not these. */
function questionsOf(name: string, { kept }: Pick<DnsConfig, "kept">): DnsQuestion[] {
  const hasServers = kept.some((record) => record.name === name && record.type === "NS");
  return [...types, ...(hasServers ? (["NS"] as const) : [])].map((type) => ({ name, type }));
}

async function readZone(
  zone: string,
  questions: readonly DnsQuestion[],
  { resolvers, authorities }: Pick<DnsConfig, "resolvers" | "authorities">,
  signal: AbortSignal,
): Promise<Omit<ZoneImage, "zone">> {
  const unreadAll = (problem: string): Omit<ZoneImage, "zone"> => ({
    records: [],
    unread: questions.map((question) => ({ ...question, problem })),
  });
  let servers: readonly string[];
  try {
    servers = authorities ?? (await authoritiesOf(zone, { resolvers, zone }, signal));
  } catch (error) {
    signal.throwIfAborted();
    return unreadAll(messageOf(error));
  }
  const read = await Promise.all(questions.map((question) => readOne(servers, question, signal)));
  return {
    records: read.flatMap(({ records }) => records).toSorted(inOrder),
    unread: read.flatMap(({ unread }) => unread).toSorted(inOrder),
  };
}

/** What the first server says that answers at all. */
async function readOne(
  servers: readonly string[],
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<Omit<ZoneImage, "zone">> {
  let problem = "no name server is known";
  for (const server of servers) {
    try {
      const { code, authoritative, records } = await askAgain(server, question, signal, false);
      if (code !== "NOERROR" && code !== "NXDOMAIN") problem = `${server}: ${code}`;
      else if (!authoritative) problem = `${server}: not in charge of ${question.name}`;
      else return { records: recordsOf(question, records), unread: [] };
    } catch (error) {
      signal.throwIfAborted();
      problem = `${server}: ${messageOf(error)}`;
    }
  }
  return { records: [], unread: [{ ...question, problem }] };
}

function recordsOf(
  { name, type }: DnsQuestion,
  records: readonly { name: string; type: string; ttl: number; data: string }[],
): AnsweredRecord[] {
  return records
    .filter((record) => record.type === type && record.name === name)
    .map(({ ttl, data }) => ({ name, type, content: data, ttlSeconds: ttl }));
}

function inOrder(a: AnsweredRecord | UnreadAnswer, b: AnsweredRecord | UnreadAnswer): number {
  const text = (entry: AnsweredRecord | UnreadAnswer): string =>
    JSON.stringify([entry.name, entry.type, "content" in entry ? entry.content : entry.problem]);
  return text(a) < text(b) ? -1 : 1;
}

/**
 * The images as fragments of zone files (RFC 1035, 5.1), one zone after the other, with comments on what could not be
 * read and on names that a proxy answers for: their records hold another content than DNS tells.
 */
export function zoneText(
  images: readonly ZoneImage[],
  dns: Pick<DnsConfig, "zones" | "names">,
): string {
  const proxied = proxiedNames(dns);
  return images
    .map(({ zone, records, unread }) => {
      const hidden = Object.entries(proxied).filter(
        ([host]) => knownZone(host, dns.zones).name === zone,
      );
      return [
        `$ORIGIN ${zone}.`,
        ...hidden.map(
          ([host, reason]) =>
            `; ${host} is proxied (${oneLine(reason)}): these are its proxy's answers`,
        ),
        ...records.map(
          ({ name, type, content, ttlSeconds }) =>
            `${name}. ${ttlSeconds} IN ${type} ${namesThings.has(type) ? `${oneLine(content)}.` : content}`,
        ),
        ...unread.map(
          ({ name, type, problem }) => `; not read: ${name}. ${type} (${oneLine(problem)})`,
        ),
        "",
      ].join("\n");
    })
    .join("\n");
}

/** Types whose data ends with a name. */
const namesThings: ReadonlySet<string> = new Set(["CNAME", "MX", "NS"]);

/** What comes from elsewhere must not become lines of its own in the file. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
