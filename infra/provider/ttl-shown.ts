import { z } from "zod";
import { askAgain, authoritiesOf, chainOf } from "./dns-authorities.ts";
import { messageOf } from "./error-text.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { pause } from "./pause.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const server = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[\d.]+):\d{1,5}$/, "required is address:port");

const inputs = z.strictObject({
  stack: z.string().min(1),
  /** The zone of each name, by the name. */
  names: z
    .record(z.string().min(1), z.string().min(1))
    .refine((names) => Object.keys(names).length > 0, "required is at least one name"),
  /** The TTL that answers live by from now on. */
  ttlSeconds: z.number().int().positive(),
  /** The longest that answers from before can live on. */
  previousSeconds: z.number().int().positive(),
  /** Who is asked as clients ask, as `address:port`. */
  resolvers: z.array(server).min(1),
  /** The name servers in charge, as `address:port`. Default: found in DNS. */
  authorities: z.array(server).min(1).nullish(),
  /** How much faster than the wall the clock runs that TTLs count in. Default 1. */
  clockScale: z.number().min(1).nullish(),
  /** Seconds of patience beyond what answers from before can live. */
  probeSeconds: z.number().positive(),
  /** Milliseconds between two rounds of questions, at least. Default 1000. */
  intervalMs: z.number().positive().nullish(),
});

/** Inputs of a shown TTL. */
type ShownInputs = Readonly<z.infer<typeof inputs>>;

/** Who does not show the TTL yet. */
interface Late {
  /** What was found, as the end of a sentence. */
  readonly found: string;
  /** Seconds of the answer beyond what they must be; undefined where there was no answer to wait for. */
  readonly excess?: number;
}

/** More would be impolite to resolvers that belong to others. */
const longestPauseMs = 30_000;

/** So many findings are enough to see what is wrong. */
const shownFindings = 8;

/**
 * The moment from which on everybody can only be told the new TTL, as the output `shownAt`. From then, the answers from
 * before run out in the time that they were given: the dwell.
 *
 * What is certain, and why it is asked in this order:
 *
 * 1. Every name server in charge answers every name with at most the new TTL. From here on nobody can fetch an answer
 *    that lives longer, so anything longer is in a cache already, and was given at most the TTL before.
 * 2. Only then, every resolver does. An answer with little time left may still be an old one; but who holds it must
 *    fetch again when it runs out, and then gets the new one. So one question is enough. It is no proof for the caches
 *    that were not asked, many of which stand behind one address: those are what the dwell is for.
 *
 * A resolver that is asked too early would fetch the old answer anew and keep it for the whole TTL before, so no resolver
 * is asked before all authorities have answered.
 *
 * It is asked again when the TTL or the names change, and when a run was stopped before it was shown. It changes
 * nothing, so it can be repeated. Delete does nothing.
 */
export const ttlShown: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const diffs = changes(olds.inputs, news);
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:${call.name}`, outputs: await waitUntilShown(parsed, call) };
  },

  async update(_id, olds, news, call) {
    if (changes(olds.inputs, news).length === 0) return { outputs: olds.outputs };
    if (call.preview) return { outputs: {} };
    return { outputs: await waitUntilShown(parseInputs(inputs, news), call) };
  },
};

/** Whom it asks and how patiently says nothing new about the TTL. */
function changes(olds: Properties, news: Properties): string[] {
  return ["names", "ttlSeconds"].filter((name) => !sameProperty(olds[name], news[name]));
}

/** @throws RefusedError at the deadline: the life of the answers from before, in the clock's time, and some patience */
async function waitUntilShown(parsed: ShownInputs, call: Call): Promise<Properties> {
  const { previousSeconds, probeSeconds } = parsed;
  const began = performance.now();
  const patience = (previousSeconds / scaleOf(parsed) + probeSeconds) * 1000;
  for (let rounds = 1; ; rounds += 1) {
    call.signal.throwIfAborted();
    const late = await ask(parsed, call.signal);
    // A round that was cut off says nothing about the TTL.
    call.signal.throwIfAborted();
    if (late.length === 0) return { shownAt: new Date().toISOString() };
    const passed = performance.now() - began;
    if (passed >= patience) throw new RefusedError(failureText(parsed, late, rounds, passed));
    call.log(rounds === 1 ? "info" : "debug", `waits for: ${foundText(late)}`);
    await pause(Math.min(pauseMs(parsed, late), patience - passed), call.signal);
  }
}

async function ask(parsed: ShownInputs, signal: AbortSignal): Promise<readonly Late[]> {
  const names = Object.entries(parsed.names);
  const inCharge = await Promise.all(
    names.map(([name, zone]) => askAuthorities(name, zone, parsed, signal)),
  );
  if (inCharge.some((late) => late.length > 0)) return inCharge.flat();
  const resolved = await Promise.all(
    names.flatMap(([name]) =>
      parsed.resolvers.map((resolver) => askOne(resolver, name, parsed, signal, false)),
    ),
  );
  return resolved.flat();
}

async function askAuthorities(
  name: string,
  zone: string,
  parsed: ShownInputs,
  signal: AbortSignal,
): Promise<readonly Late[]> {
  let servers: readonly string[];
  try {
    servers =
      parsed.authorities ??
      (await authoritiesOf(name, { resolvers: parsed.resolvers, zone }, signal));
  } catch (error) {
    return [{ found: `nobody is known to be in charge of ${name} (${messageOf(error)})` }];
  }
  const late = await Promise.all(servers.map((each) => askOne(each, name, parsed, signal, true)));
  return late.flat();
}

/** What is wrong with the answer of one server; nothing when it shows the TTL. */
async function askOne(
  server: string,
  name: string,
  { ttlSeconds }: ShownInputs,
  signal: AbortSignal,
  inCharge: boolean,
): Promise<readonly Late[]> {
  const at = `${server} for ${name}`;
  const question = { name, type: "A" } as const;
  try {
    const answer = await askAgain(server, question, signal, !inCharge);
    const found = chainOf(answer, question);
    if (answer.code !== "NOERROR") return [{ found: `${answer.code} from ${at}` }];
    if (inCharge && !answer.authoritative) {
      return [{ found: `an answer that is not its own (no AA flag) from ${at}` }];
    }
    if (!found.some(({ type }) => type === "A")) return [{ found: `no address from ${at}` }];
    const ttl = Math.max(...found.map((record) => record.ttl));
    return ttl <= ttlSeconds ? [] : [{ found: `${ttl} s from ${at}`, excess: ttl - ttlSeconds }];
  } catch (error) {
    return [{ found: `no answer from ${at} (${messageOf(error)})` }];
  }
}

/** As long as the first of them needs to get there. */
function pauseMs(parsed: ShownInputs, late: readonly Late[]): number {
  const soonest = Math.min(...late.map(({ excess = 0 }) => excess)) * 1000;
  const interval = parsed.intervalMs ?? 1000;
  return Math.max(interval, Math.min(soonest / scaleOf(parsed), longestPauseMs));
}

function scaleOf({ clockScale }: ShownInputs): number {
  return clockScale ?? 1;
}

function failureText(
  { ttlSeconds }: ShownInputs,
  late: readonly Late[],
  rounds: number,
  milliseconds: number,
): string {
  const seconds = (milliseconds / 1000).toFixed(1);
  return [
    "the new TTL does not show everywhere. No target was changed.",
    `found:    ${foundText(late)}`,
    `required: at most ${ttlSeconds} s for every name, from every name server in charge and every resolver`,
    `after:    ${rounds} ${rounds === 1 ? "round" : "rounds"} of questions in ${seconds} s`,
    "to do:    run pulumi up again; a server that cannot be asked is set in",
    "          cutover:dns.resolvers or cutover:dns.authorities",
  ].join("\n");
}

function foundText(late: readonly Late[]): string {
  const more = late.length - shownFindings;
  return [
    ...late.slice(0, shownFindings).map(({ found }) => found),
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join(", ");
}
