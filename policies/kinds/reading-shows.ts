import { z } from "zod";
import { ageProblems, durationText } from "../evidence/age.ts";
import { duration } from "../contract/checklist.ts";
import type { CoverFacts } from "../contract/facts.ts";
import type { Reading } from "../contract/readings.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { readingKind } from "../kind.ts";
import { nouns } from "../nouns.ts";
import { requirements } from "../requirements.ts";
import { isNumber, isRecord, shown } from "../values.ts";
import { byName, counted, joined, shownName, uniqueList } from "./names.ts";

/**
 * Seconds that a reading may be old. The run that judges it reads it at its start, so an older one is from another run;
 * a quarter of an hour leaves room for slow answers and for asking again.
 */
const mostAgeSeconds = 15 * 60;

const coverNouns = [
  "databases",
  "backups",
  "buckets",
  "archives",
  "services",
] as const satisfies readonly (keyof CoverFacts)[];

const plain = z.union([z.string().min(1), z.number(), z.boolean()]);
const limit = z.number().min(0);

type Plain = z.infer<typeof plain>;

/** One way to judge a field. What is wrong with it begins with a verb: the field's name goes before it. */
interface Check<Wanted> {
  readonly wants: z.ZodType<Wanted>;
  /** What is required, behind the field's name. */
  words(wanted: Wanted): string;
  judge(value: unknown, wanted: Wanted, now: number): Reason | undefined;
}

/** Only gives its parameters their types. */
function check<Wanted>(definition: Check<Wanted>): Check<Wanted> {
  return definition;
}

const checks = {
  is: check({
    wants: plain.describe("what the field must be"),
    words: (wanted) => `is ${plainText(wanted)}`,
    judge: (value, wanted) => judgePlain(value, [wanted]),
  }),
  oneOf: check({
    wants: uniqueList(plain).describe("what the field must be one of"),
    words: (wanted) => `is one of ${joined(wanted.map(plainText))}`,
    judge: judgePlain,
  }),
  atLeast: check({
    wants: limit.describe("the lowest that the field may be"),
    words: (least) => `is ${least} or more`,
    judge: (value, least) => judgeNumber(value, (number) => number >= least),
  }),
  atMost: check({
    wants: limit.describe("the highest that the field may be"),
    words: (most) => `is ${most} or less`,
    judge: (value, most) => judgeNumber(value, (number) => number <= most),
  }),
  within: check({
    wants: duration.describe("how long ago the field's time may be, such as 24h"),
    words: (seconds) => `is within the last ${durationText(seconds)}`,
    judge: (value, seconds, now) => {
      const time = timeOf(value);
      if (time === undefined) return unlike(value, "a time");
      const age = now - time;
      if (age < -requirements.clockSkewSeconds * 1000) return inconclusive("is in the future");
      return age > seconds * 1000 ? fail(`is ${new Date(time).toISOString()}`) : undefined;
    },
  }),
  includes: check({
    wants: z.string().min(1).describe("a text that the field's list must hold"),
    words: (wanted) => `includes ${shownName(wanted)}`,
    judge: (value, wanted) => {
      if (!Array.isArray(value)) return unlike(value, "a list");
      return value.includes(wanted) ? undefined : fail(`does not include ${shownName(wanted)}`);
    },
  }),
  empty: check({
    wants: z.literal(true).describe("that the field's list or record holds nothing"),
    words: () => "is empty",
    judge: (value) => {
      if (!Array.isArray(value) && !isRecord(value)) return unlike(value, "a list");
      const { length } = Object.keys(value);
      return length === 0 ? undefined : fail(`holds ${counted(length, "entry", "entries")}`);
    },
  }),
};

type CheckName = keyof typeof checks;

const checkNames = Object.keys(checks) as CheckName[];

const field = z.union(
  checkNames.map((name) => z.strictObject({ [name]: checks[name].wants as z.ZodType })),
  `one of ${checkNames.join(", ")}`,
);

/** Live facts are as they must be, about what this release covers, and were read just now. */
export const readingShows = readingKind({
  kind: "reading-shows",
  title: "What was read of the live system just now is as it must be.",
  judges: "reading",
  requires: z.strictObject({
    about: z
      .enum(coverNouns)
      .optional()
      .describe("what the reading must be about: one of these that the release covers"),
    fields: byName(field).describe("what each field must be, by its dotted path"),
  }),
  required: ({ about, fields }) =>
    (about === undefined ? "" : `a ${nouns[about].one} of this release, of which `) +
    joined(
      Object.entries(fields).flatMap(([path, wanted]) =>
        checksIn(wanted).map(([one, value]) => `${shownName(path)} ${one.words(value)}`),
      ),
    ),
  judge: (reading, { about, fields }, { facts, now }) => {
    const { value } = reading;
    if (reading.problem !== undefined || !isRecord(value)) {
      return [inconclusive("it could not be read", again)];
    }
    const old = judgeAge(reading, now);
    if (old.length > 0) return old;
    if (about !== undefined && !facts.covers[about].includes(reading.subject)) {
      const found = `it is about ${shownName(reading.subject)}, which this release does not cover`;
      return [inconclusive(found)];
    }
    return Object.entries(fields).flatMap(([path, wanted]) => {
      const entry = at(value, path);
      const name = shownName(path);
      if (entry === undefined || entry === null) {
        return [inconclusive(`${name} is not in the reading`)];
      }
      return checksIn(wanted).flatMap(([one, asked]) => {
        const reason = one.judge(entry, asked, now);
        return reason === undefined ? [] : [{ ...reason, found: `${name} ${reason.found}` }];
      });
    });
  },
});

const again = { remedy: "run it again" };

/** What is wrong with when it was read. */
function judgeAge({ at }: Reading, now: number): Reason[] {
  if (timeOf(at) === undefined) return [inconclusive("it does not say when it was read", again)];
  return ageProblems(at, mostAgeSeconds, now).map((problem) =>
    inconclusive(problem, {
      required: `a reading of the last ${durationText(mostAgeSeconds)}`,
      ...again,
    }),
  );
}

function checksIn(
  wanted: Readonly<Record<string, unknown>>,
): (readonly [one: Check<unknown>, asked: unknown])[] {
  return checkNames
    .filter((name) => Object.hasOwn(wanted, name))
    .map((name) => [checks[name] as Check<unknown>, wanted[name]] as const);
}

/**
 * The entry at a dotted path; undefined where there is none. A key may have dots itself, as hosts and alarms do: the
 * longest key that leads somewhere counts.
 */
function at(value: unknown, path: string): unknown {
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const key = path.slice(0, dot);
    const entry = Object.hasOwn(value, key) ? at(value[key], path.slice(dot + 1)) : undefined;
    if (entry !== undefined) return entry;
  }
  return undefined;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
};

function judgePlain(value: unknown, wanted: readonly Plain[]): Reason | undefined {
  if (wanted.some((one) => one === value)) return undefined;
  const types = [...new Set(wanted.map((one) => typeof one))];
  if (!types.some((type) => type === typeof value)) {
    return unlike(value, types.map((type) => typeWords[type] ?? type).join(" or "));
  }
  const harmless = wanted.filter((one) => typeof one === "string");
  return fail(`is ${shown(value, harmless)}`);
}

/** Only counts, sizes and lengths of time have limits, and clouds give -1 for one that they do not know. */
function judgeNumber(value: unknown, holds: (number: number) => boolean): Reason | undefined {
  if (!isNumber(value)) return unlike(value, "a number");
  if (value < 0) return inconclusive(`is ${value}, which is below zero`);
  return holds(value) ? undefined : fail(`is ${value}`);
}

function unlike(value: unknown, wanted: string): Reason {
  return inconclusive(`is ${shown(value)}, where ${wanted} is required`);
}

function plainText(value: Plain): string {
  return typeof value === "string" ? shownName(value) : String(value);
}

const time = z.iso.datetime({ offset: true });

/** Milliseconds since 1970. */
function timeOf(value: unknown): number | undefined {
  return time.safeParse(value).success ? Date.parse(String(value)) : undefined;
}
