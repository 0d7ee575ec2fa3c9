import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { askAgain, authoritiesOf, chainOf } from "../../provider/dns-authorities.ts";
import type { DnsAnswer, DnsQuestion } from "../../provider/dns-lookup.ts";
import { messageOf } from "../../provider/error-text.ts";
import { ReadingError, readingKind, type ReadingContext } from "../reading.ts";

const server = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[\d.]+):\d{1,5}$/, "required is address:port");

/** A full name: at most 253 characters, 63 in each part (RFC 1035, 2.3.4). */
const name = z
  .string()
  .max(253)
  .regex(
    /^([A-Za-z0-9_]([\w-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    {
      error: "required is a full name as in app.example.com",
    },
  );

const target = z.strictObject({
  names: z.array(name).min(1).max(16).meta({
    description: "the names to look up, 1 to 16",
    example: "[app.example.com]",
  }),
  type: z.enum(["A", "AAAA", "CNAME"]).default("A").meta({
    description: "the type of record: A, AAAA or CNAME",
    example: "A",
  }),
  resolvers: z.array(server).min(1).max(16).meta({
    description: "the resolvers to ask, as address:port, 1 to 16",
    example: "[192.0.2.53:53, 203.0.113.53:53]",
  }),
  zone: name.optional().meta({
    description: "the zone that the names are in; absent: found by asking for name servers",
    example: "example.com",
  }),
  authorities: z.array(server).min(1).max(16).optional().meta({
    description: "the name servers in charge, as address:port; absent: found in DNS",
    example: "[192.0.2.1:53]",
  }),
});

type Target = z.output<typeof target>;

/** What resolvers and the name servers in charge say of names. */
export const dnsAnswers = readingKind({
  kind: "dns-answers",
  title: "what resolvers and the name servers in charge answer",
  target,
  facts: {
    type: "the type of record that was asked for",
    agree:
      "true when every resolver and every authority gives the same records for each name, and there are some",
    answers:
      "list of those records, sorted; null unless they agree, and all names have the same ones",
    answersBefore:
      "the same, and where this very cutover has moved a name already, what it led to before; null unless they agree, and all names have the same ones",
    highestTtl:
      "seconds, the longest time for which any of them lets its answer be kept; null unless all answered with records",
    authoritativeTtl: "seconds, the same of the authorities alone",
    unanswered: "list of who gave no usable answer, and why",
    names:
      "by name, a record of `resolvers` and `authorities` (lists of what each of them said: `server`, `code`, `records`, `ttl` and `problem`) and `problem` (why the authorities could not be found; null when they were)",
  },
  subject: ({ names }) => names.join(", "),

  async read(target, { signal, moved }) {
    const names = await Promise.all(target.names.map((each) => lookUp(each, target, signal)));
    const answers = names.flatMap(({ resolvers, authorities }) => [...resolvers, ...authorities]);
    const unanswered = names.flatMap((each) => problemsOf(each));
    if (answers.every(({ records }) => records === null)) {
      throw new ReadingError(`no name server answered: ${unanswered.join("; ")}`, { again: true });
    }
    const agree = unanswered.length === 0 && names.every(agrees);
    return {
      type: target.type,
      agree,
      answers: agree ? common(names.map(recordsOf)) : null,
      answersBefore: agree ? common(names.map((each) => recordsBefore(each, moved))) : null,
      highestTtl: unanswered.length === 0 ? longest(answers) : null,
      authoritativeTtl: names.every(({ problem }) => problem === null)
        ? longest(names.flatMap(({ authorities }) => authorities))
        : null,
      unanswered,
      names: Object.fromEntries(names.map(({ name, ...said }) => [name, said])),
    };
  },
});

/** What one server said of one name. */
interface Said {
  readonly server: string;
  /** Code of the reply; null without one. */
  readonly code: string | null;
  /** Sorted; null without a usable answer. */
  readonly records: readonly string[] | null;
  /** Seconds for which all that led to the records may be kept; null without records. */
  readonly ttl: number | null;
  /** Why there is no usable answer. */
  readonly problem: string | null;
}

interface NameSaid {
  readonly name: string;
  readonly resolvers: readonly Said[];
  readonly authorities: readonly Said[];
  /** Why the authorities could not be found. */
  readonly problem: string | null;
}

async function lookUp(name: string, target: Target, signal: AbortSignal): Promise<NameSaid> {
  const question = { name, type: target.type };
  const [resolvers, authorities] = await Promise.all([
    Promise.all(target.resolvers.map((each) => say(each, question, signal))),
    askAuthorities(question, target, signal),
  ]);
  return { name, resolvers, ...authorities };
}

async function askAuthorities(
  question: DnsQuestion,
  target: Target,
  signal: AbortSignal,
): Promise<Pick<NameSaid, "authorities" | "problem">> {
  try {
    const servers = target.authorities ?? (await authoritiesOf(question.name, target, signal));
    const authorities = await Promise.all(
      servers.map((each) => say(each, question, signal, { authority: true })),
    );
    return { authorities, problem: null };
  } catch (error) {
    return { authorities: [], problem: messageOf(error) };
  }
}

async function say(
  server: string,
  question: DnsQuestion,
  signal: AbortSignal,
  { authority = false } = {},
): Promise<Said> {
  const none = { server, code: null, records: null, ttl: null };
  let answer: DnsAnswer;
  try {
    answer = await askAgain(server, question, signal, !authority);
  } catch (error) {
    return { ...none, problem: messageOf(error) };
  }
  const { code } = answer;
  const found = chainOf(answer, question);
  const records = found.filter(({ type }) => type === question.type).map(({ data }) => data);
  const problem = problemOf(answer, authority, found.length > 0 && records.length === 0);
  if (problem !== null) return { ...none, code, problem };
  const ttl = records.length === 0 ? null : Math.max(...found.map((record) => record.ttl));
  return { server, code, records: [...new Set(records)].sort(), ttl, problem };
}

function problemOf(answer: DnsAnswer, authority: boolean, onlyAlias: boolean): string | null {
  const { code, authoritative } = answer;
  if (code !== "NOERROR" && code !== "NXDOMAIN") return code;
  if (authority && !authoritative) return "it is not in charge of the zone (no AA flag)";
  return onlyAlias ? "it only knows an alias; look up type CNAME" : null;
}

type Records = readonly string[] | null;

function recordsOf({ resolvers }: NameSaid): Records {
  return resolvers[0]?.records ?? null;
}

/** Only what the stack itself wrote counts as moved; whoever else moved a name shows. */
function recordsBefore(said: NameSaid, moved: ReadingContext["moved"] = {}): Records {
  const records = recordsOf(said);
  const own = Object.hasOwn(moved, said.name) ? moved[said.name] : undefined;
  return own !== undefined && isDeepStrictEqual(records, [own.to]) ? [own.from] : records;
}

/** What all names have; null unless they have the same. */
function common(all: readonly Records[]): Records {
  const [first = null] = all;
  return all.every((each) => isDeepStrictEqual(each, first)) ? first : null;
}

function problemsOf({ name, resolvers, authorities, problem }: NameSaid): string[] {
  return [
    ...[...resolvers, ...authorities]
      .filter((said) => said.problem !== null)
      .map((said) => `${name} at ${said.server}: ${said.problem ?? ""}`),
    ...(problem === null ? [] : [`${name} at its authorities: ${problem}`]),
  ];
}

function agrees({ resolvers, authorities }: NameSaid): boolean {
  const [first, ...others] = [...resolvers, ...authorities].map(({ records }) => records);
  const some = first !== undefined && first !== null && first.length > 0;
  return some && others.every((each) => isDeepStrictEqual(each, first));
}

/** Null when one of them has none. */
function longest(said: readonly Said[]): number | null {
  const ttls = said.map(({ ttl }) => ttl);
  const known = ttls.filter((ttl) => ttl !== null);
  return known.length === 0 || known.length < ttls.length ? null : Math.max(...known);
}
