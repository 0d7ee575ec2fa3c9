import type { Question, RecordType } from "dns-packet";

/** Types of records that the name server serves. */
export const servedTypes = ["A", "AAAA", "CNAME", "TXT", "CAA", "MX", "NS"] as const;

/** A record as the zone's owner set it. `ttl` 1 stands for automatic. */
export interface ZoneRecord {
  readonly name: string;
  /** One of {@link servedTypes}. */
  readonly type: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
  /** Of an MX record. */
  readonly priority?: number | undefined;
  /** The parts of a CAA record. */
  readonly data?:
    { readonly flags: number; readonly tag: string; readonly value: string } | undefined;
}

/** A record as it is sent. */
export interface SentRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  /** As dns-packet encodes it. */
  readonly data: unknown;
}

/** What a name server says. */
export interface Reply {
  readonly code: "NOERROR" | "NXDOMAIN" | "FORMERR" | "SERVFAIL" | "NOTIMP" | "REFUSED";
  readonly authoritative?: boolean;
  readonly answers?: readonly SentRecord[];
  /** The name servers of a delegated name, which is all that the zone says of it. */
  readonly referral?: readonly SentRecord[];
  /** Name of the zone whose start-of-authority record goes with an answer that there is nothing. */
  readonly zone?: string;
}

// What Cloudflare answers for automatic and for proxied records.
const automaticSeconds = 300;
const maxAliases = 8;

/** The zone that a name is in, taken to have two labels, as in `example.com`. */
export function zoneOf(name: string): string {
  return name.toLowerCase().split(".").slice(-2).join(".");
}

/**
 * Whether Cloudflare answers with the addresses behind an alias in place of it: at the zone's apex, and for a proxied one.
 * https://developers.cloudflare.com/dns/cname-flattening/
 */
export function isFlattened({ name, proxied }: ZoneRecord): boolean {
  return proxied || name.toLowerCase() === zoneOf(name);
}

/**
 * What the name server in charge of the records says. A proxied record is answered with its own content and not with
 * a proxy's address, because the rehearsal has no proxy; its TTL is a proxied one's.
 */
export function answerFromZone({ name, type }: Question, records: readonly ZoneRecord[]): Reply {
  const referral = delegationOf(name.toLowerCase(), records).map(sent);
  if (referral.length > 0) return { code: "NOERROR", authoritative: false, referral };
  const found = follow(name.toLowerCase(), type, records, maxAliases);
  if (found === undefined) return { code: "SERVFAIL", authoritative: true };
  const { answers, exists } = found;
  const code = exists || answers.length > 0 ? "NOERROR" : "NXDOMAIN";
  const isAnswered = answers.some((answer) => answer.type === type);
  return { code, authoritative: true, answers, ...(isAnswered ? {} : { zone: zoneOf(name) }) };
}

/** Name server records below the apex hand over everything at and below their name. */
function delegationOf(name: string, records: readonly ZoneRecord[]): readonly ZoneRecord[] {
  return records.filter((record) => {
    const cut = record.name.toLowerCase();
    const isAtOrAbove = name === cut || name.endsWith(`.${cut}`);
    return record.type === "NS" && cut !== zoneOf(cut) && isAtOrAbove;
  });
}

interface Found {
  readonly answers: readonly SentRecord[];
  readonly exists: boolean;
}

/** The records of a type at a name, aliases followed; undefined when they go in a circle. */
function follow(
  name: string,
  type: RecordType,
  records: readonly ZoneRecord[],
  aliasesLeft: number,
): Found | undefined {
  if (aliasesLeft === 0) return undefined;
  const here = recordsAt(name, records);
  const alias = here.find((record) => record.type === "CNAME");
  const isAddress = type === "A" || type === "AAAA";
  const flattened = alias !== undefined && isFlattened(alias);
  if (alias === undefined || (flattened && !isAddress) || (!flattened && type === "CNAME")) {
    const answers = here.filter(
      (record) => record.type === type && !(flattened && record === alias),
    );
    return { answers: answers.map(sent), exists: exists(name, records) || here.length > 0 };
  }
  const target = follow(alias.content.toLowerCase(), type, records, aliasesLeft - 1);
  if (target === undefined) return undefined;
  if (!flattened) return { answers: [sent(alias), ...target.answers], exists: true };
  const addresses = target.answers.filter((answer) => answer.type === type);
  const shortest = Math.min(ttlOf(alias), ...target.answers.map(({ ttl }) => ttl));
  const ttl = alias.proxied ? automaticSeconds : shortest;
  return { answers: addresses.map((answer) => ({ ...answer, name, ttl })), exists: true };
}

/** The records of a name, or of the wildcard that stands for it: RFC 4592, 3.3.1. */
function recordsAt(name: string, records: readonly ZoneRecord[]): readonly ZoneRecord[] {
  const owned = (owner: string): readonly ZoneRecord[] =>
    records.filter((record) => record.name.toLowerCase() === owner);
  if (exists(name, records)) return owned(name);
  let encloser = name;
  do encloser = encloser.slice(encloser.indexOf(".") + 1);
  while (encloser.includes(".") && !exists(encloser, records));
  return owned(`*.${encloser}`).map((record) => ({ ...record, name }));
}

/** A name that only has others below it exists as well. */
function exists(name: string, records: readonly ZoneRecord[]): boolean {
  return records.some((record) => {
    const owner = record.name.toLowerCase();
    return owner === name || owner.endsWith(`.${name}`);
  });
}

function sent(record: ZoneRecord): SentRecord {
  const data = dataOf[record.type] ?? (({ content }: ZoneRecord) => content);
  const type = record.type as RecordType;
  return { name: record.name, type, ttl: ttlOf(record), data: data(record) };
}

function ttlOf({ ttl, proxied }: ZoneRecord): number {
  return proxied || ttl === 1 ? automaticSeconds : ttl;
}

/** The data of types that are more than a text. */
const dataOf: Readonly<Record<string, (record: ZoneRecord) => unknown>> = {
  TXT: ({ content }) => strings(content),
  MX: ({ content, priority = 0 }) => ({ preference: priority, exchange: content }),
  CAA: ({ data }) => ({ ...data }),
};

/** Longest character string: RFC 1035, 3.3. */
const stringBytes = 255;

/** The character strings of a text: those in quotation marks, or the whole of it in pieces. */
function strings(content: string): Buffer[] {
  const quoted = [...content.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    unescaped(text),
  );
  if (content.startsWith('"') && quoted.length > 0) return quoted;
  const bytes = Buffer.from(content);
  const pieces = Math.max(1, Math.ceil(bytes.length / stringBytes));
  return Array.from({ length: pieces }, (_, index) =>
    bytes.subarray(index * stringBytes, (index + 1) * stringBytes),
  );
}

/** A backslash stands before a byte's number in three digits, or before a letter that is meant as it is. */
function unescaped(text: string): Buffer {
  const parts = [...text.matchAll(/\\(\d{3})|\\(.)|([^\\]+)/g)];
  return Buffer.concat(
    parts.map(([, number, letter, plain]) =>
      number === undefined ? Buffer.from(letter ?? plain ?? "") : Buffer.of(Number(number)),
    ),
  );
}
