import { isDeepStrictEqual } from "node:util";
import { isIP, isIPv6 } from "node:net";
import { z } from "zod";
import { askResolver } from "./dns-lookup.ts";
import { messageOf } from "./error-text.ts";
import { bodyLimit, get, plainUrl, valueAt, type Answer } from "./http-get.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { pause } from "./pause.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const address = z.string().refine((text) => isIP(text) !== 0, "required is an IP address");

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  /** What messages call it. Default: the resource's name. */
  name: z.string().min(1).optional(),
  url: plainUrl,
  /** Connect here, whatever DNS says; `Host` stays the URL's. */
  address: address.optional(),
  /** Ask these, as `address:port`, in place of the system's resolver. All must agree. */
  resolvers: z
    .array(z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[\d.]+):\d{1,5}$/, "required is address:port"))
    .min(1)
    .optional(),
  /** The one address that the URL's host must have. */
  expectAddress: address.optional(),
  expect: z.strictObject({
    /** Default 200. */
    status: z.number().int().optional(),
    /** Value by header name. */
    header: z.record(z.string(), z.string()).optional(),
    /** Value by path into the body, keys and list indexes joined with dots. */
    json: z.record(z.string(), z.unknown()).optional(),
    /** Short for `json: { version }`. */
    version: z.string().optional(),
  }),
  deadlineSeconds: z.number().positive(),
  /** Between two attempts. Default 1000. */
  intervalMs: z.number().positive().optional(),
  /** How many attempts in a row must succeed. Default 1. */
  successes: z.number().int().positive().optional(),
});

/** Inputs of a probe. */
type ProbeInputs = Readonly<z.infer<typeof inputs>>;

/**
 * Asks a service over HTTP until it answers as required. Its failure stops whatever stands behind it; it changes
 * nothing, so it can be repeated.
 */
export const probe: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:${call.name}`, outputs: await ask(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await ask(parseInputs(inputs, news), call) };
  },
};

/** What was found in place of what was required, or as required when it is all well. */
type Finding = { readonly address: string } | { readonly found: string; readonly required: string };

const attemptMilliseconds = 5000;
const resolverMilliseconds = 2000;

async function ask(
  parsed: ProbeInputs,
  call: Call,
): Promise<{ at: string; attempts: number; address: string; release: string }> {
  const { name = call.name, deadlineSeconds, intervalMs = 1000, successes = 1 } = parsed;
  const began = performance.now();
  const remaining = (): number => began + deadlineSeconds * 1000 - performance.now();
  let row = 0;
  for (let attempts = 1; ; attempts += 1) {
    call.signal.throwIfAborted();
    // The last attempt gets a second as well, or it would fail for nothing but lack of time.
    const time = Math.max(1000, Math.min(attemptMilliseconds, remaining()));
    const finding = await attempt(parsed, Math.ceil(time), call.signal);
    // An attempt that was cut off says nothing about the service.
    call.signal.throwIfAborted();
    row = "address" in finding ? row + 1 : 0;
    if ("address" in finding && row >= successes) {
      const { release } = parsed;
      return { at: new Date().toISOString(), attempts, address: finding.address, release };
    }
    if (remaining() <= 0) {
      throw new RefusedError(
        failureText(name, parsed, finding, row, attempts, (performance.now() - began) / 1000),
      );
    }
    await pause(Math.min(intervalMs, Math.max(0, remaining())), call.signal);
  }
}

async function attempt(
  parsed: ProbeInputs,
  milliseconds: number,
  signal: AbortSignal,
): Promise<Finding> {
  const url = new URL(parsed.url);
  const resolved = await resolveHost(parsed, url, signal);
  if (resolved !== undefined && "found" in resolved) return resolved;
  const target = parsed.address ?? resolved?.address;
  let answer: Answer;
  try {
    answer = await get(url, target, milliseconds, signal);
  } catch (error) {
    const at = target === undefined ? "" : ` from ${target}`;
    return { found: `no answer${at}: ${messageOf(error)}`, required: requiredText(parsed) };
  }
  const { expectAddress } = parsed;
  if (expectAddress !== undefined && target === undefined && answer.address !== expectAddress) {
    return { found: `an answer from ${answer.address}`, required: `one from ${expectAddress}` };
  }
  return judge(answer, parsed);
}

/** What the resolvers say; undefined when none is asked. They must all say the same, or all the expected address. */
async function resolveHost(
  parsed: ProbeInputs,
  url: URL,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const { resolvers, expectAddress } = parsed;
  if (resolvers === undefined) return undefined;
  const family = isIPv6(expectAddress ?? "") ? 6 : 4;
  const answers = await Promise.all(
    resolvers.map(async (resolver) => {
      try {
        const found = await askResolver(
          resolver,
          url.hostname,
          family,
          resolverMilliseconds,
          signal,
        );
        return { resolver, text: found.length === 0 ? "no address" : found.join(" and "), found };
      } catch (error) {
        return { resolver, text: messageOf(error), found: [] };
      }
    }),
  );
  const [first] = answers[0]?.found ?? [];
  const required = expectAddress === undefined ? answers[0]?.found : [expectAddress];
  const agree = answers.every((answer) => isDeepStrictEqual(answer.found, required));
  if (agree && first !== undefined) return { address: expectAddress ?? first };
  return {
    found: answers.map(({ resolver, text }) => `${text} (${resolver})`).join(", "),
    required: `every resolver answers ${expectAddress ?? "the same address"} for ${url.hostname}`,
  };
}

function judge(answer: Answer, { expect }: ProbeInputs): Finding {
  const { status = 200, header = {}, json = {}, version } = expect;
  if (answer.status !== status) {
    return { found: `status ${String(answer.status)}`, required: `status ${String(status)}` };
  }
  for (const [name, required] of Object.entries(header)) {
    const found = answer.headers[name.toLowerCase()];
    if (found !== required) {
      return {
        found: found === undefined ? `no header ${name}` : `header ${name}: ${short(found)}`,
        required: `header ${name}: ${required}`,
      };
    }
  }
  const values = Object.entries(version === undefined ? json : { version, ...json });
  if (values.length === 0) return { address: answer.address };
  const body = parsedBody(answer);
  if ("problem" in body) return { found: body.problem, required: "JSON" };
  for (const [path, required] of values) {
    const found = valueAt(body.value, path.split("."));
    if (!isDeepStrictEqual(found, required)) {
      return { found: `${path} ${shown(found)}`, required: `${path} ${shown(required)}` };
    }
  }
  return { address: answer.address };
}

function parsedBody({ body, isCut }: Answer): { value: unknown } | { problem: string } {
  if (isCut) return { problem: `an answer of more than ${String(bodyLimit)} bytes` };
  try {
    return { value: JSON.parse(body) as unknown };
  } catch {
    return { problem: `no JSON: ${short(body)}` };
  }
}

function failureText(
  name: string,
  parsed: ProbeInputs,
  finding: Finding,
  row: number,
  attempts: number,
  seconds: number,
): string {
  const { origin, pathname } = new URL(parsed.url);
  const place = parsed.address === undefined ? "" : ` at ${parsed.address}`;
  const { found, required } =
    "found" in finding
      ? finding
      : {
          found: `${String(row)} good answers in a row`,
          required: `${String(parsed.successes ?? 1)} in a row`,
        };
  return [
    `probe ${name} failed: ${origin}${pathname}${place} is not as required`,
    `found:    ${found}`,
    `required: ${required}`,
    `after:    ${String(attempts)} ${attempts === 1 ? "attempt" : "attempts"} in ${seconds.toFixed(1)} s`,
  ].join("\n");
}

function requiredText({ expect }: ProbeInputs): string {
  return `status ${String(expect.status ?? 200)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : short(JSON.stringify(value));
}

/** So much of a text that an error stays readable. */
function short(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
