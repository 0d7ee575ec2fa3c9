import { z } from "zod";
import { durationText } from "../evidence/age.ts";
import { duration } from "../contract/checklist.ts";
import type { GuardFacts } from "../contract/facts.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { requirements } from "../requirements.ts";
import { isNumber, shown } from "../values.ts";
import { areDifferent, factAt, factProblem, isSame } from "./fact-path.ts";
import { byName, counted, joined, shownName, uniqueList } from "./names.ts";
import { at, isRecord } from "../contract/path.ts";
import { matchesWhole, patternProblem } from "./pattern.ts";
import { quantity } from "./quantity.ts";
import { isStampForm, timeIn } from "./stamp.ts";

const plain = z.union([z.string().min(1), z.number(), z.boolean()]);

type Plain = z.infer<typeof plain>;

/** What a check may know beside the field's value. */
export interface CheckContext {
  readonly facts: GuardFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the field is a part of. */
  readonly whole: unknown;
}

/** One way to judge a field. What is wrong with it begins with a verb: the field's name goes before it. */
interface Check<Wanted> {
  readonly wants: z.ZodType<Wanted>;
  /** What is required, behind the field's name. */
  words(wanted: Wanted): string;
  judge(value: unknown, wanted: Wanted, context: CheckContext): Reason | undefined;
}

/** Only gives its parameters their types. */
function check<Wanted>(definition: Check<Wanted>): Check<Wanted> {
  return definition;
}

/** What a field is compared with: a fact, or another field beside it. */
const otherPath = z
  .string()
  .max(256)
  .superRefine((path, context) => {
    const problem = /^row\..+$/s.test(path) ? undefined : factProblem(path);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

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
    wants: quantity.describe("the lowest that the field may be"),
    words: ({ text }) => `is ${text} or more`,
    judge: (value, least) => judgeNumber(value, (number) => number >= least.number),
  }),
  atMost: check({
    wants: quantity.describe("the highest that the field may be"),
    words: ({ text }) => `is ${text} or less`,
    judge: (value, most) => judgeNumber(value, (number) => number <= most.number),
  }),
  above: check({
    wants: quantity.describe("what the field must be above"),
    words: ({ text }) => `is above ${text}`,
    judge: (value, limit) => judgeNumber(value, (number) => number > limit.number),
  }),
  below: check({
    wants: quantity.describe("what the field must be below"),
    words: ({ text }) => `is below ${text}`,
    judge: (value, limit) => judgeNumber(value, (number) => number < limit.number),
  }),
  within: check({
    wants: duration.describe("how long ago the field's time may be, such as 24h"),
    words: (seconds) => `is within the last ${durationText(seconds)}`,
    judge: (value, seconds, { now }) => {
      const time = timeOf(value);
      if (time === undefined) return unlike(value, "a time");
      const age = now - time;
      if (age < -requirements.clockSkewSeconds * 1000) return inconclusive("is in the future");
      return age > seconds * 1000 ? fail(`is ${new Date(time).toISOString()}`) : undefined;
    },
  }),
  includes: check({
    wants: z
      .union([z.string().min(1), uniqueList(z.string().min(1))], "a text or a list of texts")
      .describe("the texts that the field's list must hold"),
    words: (wanted) => `includes ${joined([wanted].flat().map(shownName))}`,
    judge: (value, wanted) => {
      if (!Array.isArray(value)) return unlike(value, "a list");
      const left = [wanted].flat().filter((one) => !value.includes(one));
      return left.length === 0
        ? undefined
        : fail(`does not include ${joined(left.map(shownName))}`);
    },
  }),
  exactly: check({
    wants: uniqueList(z.string().min(1)).describe(
      "the texts that the field's list must hold, and no others",
    ),
    words: (wanted) => `is exactly ${joined(wanted.map(shownName))}`,
    judge: (value, wanted) => {
      if (!Array.isArray(value)) return unlike(value, "a list");
      const left = wanted.filter((one) => !value.includes(one));
      if (left.length > 0) return fail(`does not include ${joined(left.map(shownName))}`);
      const others = value.filter((one) => !wanted.some((text) => text === one)).length;
      return others === 0
        ? undefined
        : fail(`includes ${counted(others, "other entry", "other entries")}`);
    },
  }),
  empty: check({
    wants: z
      .boolean()
      .describe(
        "whether the field's list or record holds nothing; false wants a text to say something",
      ),
    words: (wanted) => (wanted ? "is empty" : "is not empty"),
    judge: (value, wanted) => {
      if (!wanted && typeof value === "string") {
        return /^[\p{C}\s]*$/u.test(value) ? fail("is empty") : undefined;
      }
      // A cell of a table that says 200 says something.
      if (!wanted && (isNumber(value) || typeof value === "boolean")) return undefined;
      if (!Array.isArray(value) && !isRecord(value)) return unlike(value, "a list");
      const { length } = Object.keys(value);
      if ((length === 0) === wanted) return undefined;
      return fail(wanted ? `holds ${counted(length, "entry", "entries")}` : "is empty");
    },
  }),
  matches: check({
    wants: z
      .string()
      .min(1)
      .max(512)
      .superRefine((pattern, context) => {
        const problem = patternProblem(pattern);
        if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
      })
      .describe("a regular expression that the whole field must match"),
    words: (pattern) => `matches ${shownName(pattern)}`,
    judge: (value, pattern) => {
      if (typeof value !== "string") return unlike(value, "a text");
      if (value.length > mostTextLength) return tooLong;
      const matches = matchesWhole(pattern, value);
      if (matches === undefined) return inconclusive("takes too long to compare with its pattern");
      return matches ? undefined : fail("does not match");
    },
  }),
  stamped: check({
    wants: z
      .string()
      .min(1)
      .max(256)
      .refine(isStampForm, "required is a form with YYYYMMDD once, and HHMMSS no more than once")
      .describe(
        "the form of a text with a date or version: vX.Y.Z-YYYYMMDD, dump_YYYYMMDD_HHMMSS.sql",
      ),
    words: (form) => `has the form ${shownName(form)} with a real date`,
    judge: (value, form) => {
      if (typeof value !== "string") return unlike(value, "a text");
      if (value.length > mostTextLength) return tooLong;
      return timeIn(value, form) === undefined
        ? fail("has another form, or no real date")
        : undefined;
    },
  }),
  sameAs: check({
    wants: otherPath.describe(
      "the fact that the field must equal: release.commit, declared.dns.ttl.lowered",
    ),
    words: (path) => `is the same as ${shownName(path)}`,
    judge: (value, path, context) => judgeSame(value, path, context, true),
  }),
  differsFrom: check({
    wants: otherPath.describe("the fact that the field may not equal: release.images.api"),
    words: (path) => `is another one than ${shownName(path)}`,
    judge: (value, path, context) => judgeSame(value, path, context, false),
  }),
};

type CheckName = keyof typeof checks;

const checkNames = Object.keys(checks) as CheckName[];

/** What a checklist may ask of one field: one check or several, which must all hold. */
export const fieldChecks = z
  .strictObject(
    Object.fromEntries(
      checkNames.map((name) => [name, (checks[name].wants as z.ZodType).optional()]),
    ),
  )
  .refine((asked) => Object.keys(asked).length > 0, `required is one of ${checkNames.join(", ")}`);

/** What a checklist asks of one field, parsed. */
export type FieldChecks = z.infer<typeof fieldChecks>;

/** Checks by the dotted path of their field. */
export const fields = byName(fieldChecks);

/** What is required of fields, as a sentence lists it. */
export function fieldWords(asked: Readonly<Record<string, FieldChecks>>): string[] {
  return Object.entries(asked).flatMap(([path, wanted]) =>
    checksIn(wanted).map(([one, value]) => `${shownName(path)} ${one.words(value)}`),
  );
}

/** What is wrong with the fields of a value. A field that is absent or null is not known. */
export function judgeFields(
  value: unknown,
  asked: Readonly<Record<string, FieldChecks>>,
  context: Omit<CheckContext, "whole">,
  where = "reading",
): Reason[] {
  return Object.entries(asked).flatMap(([path, wanted]) => {
    const entry = at(value, path);
    const name = shownName(path);
    if (entry === undefined || entry === null) {
      return [inconclusive(`${name} is not in the ${where}`)];
    }
    return judgeField(entry, wanted, { ...context, whole: value }).map((reason) => ({
      ...reason,
      found: `${name} ${reason.found}`,
    }));
  });
}

/** What is wrong with a value that is there. */
export function judgeField(value: unknown, wanted: FieldChecks, context: CheckContext): Reason[] {
  return checksIn(wanted).flatMap(([one, asked]) => one.judge(value, asked, context) ?? []);
}

function checksIn(
  wanted: Readonly<Record<string, unknown>>,
): (readonly [one: Check<unknown>, asked: unknown])[] {
  return checkNames
    .filter((name) => Object.hasOwn(wanted, name) && wanted[name] !== undefined)
    .map((name) => [checks[name] as Check<unknown>, wanted[name]] as const);
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

/** Only counts, sizes, shares and lengths of time have limits, and clouds give -1 for one that they do not know. */
function judgeNumber(value: unknown, holds: (number: number) => boolean): Reason | undefined {
  if (!isNumber(value)) return unlike(value, "a number");
  if (value < 0) return inconclusive(`is ${value}, which is below zero`);
  return holds(value) ? undefined : fail(`is ${value}`);
}

/** Config comes as texts, so both sides are compared as texts. */
function judgeSame(
  value: unknown,
  path: string,
  { facts, whole }: CheckContext,
  wanted: boolean,
): Reason | undefined {
  const other = comparable(otherAt(path, facts, whole));
  if (other === undefined) {
    return inconclusive(`has nothing to be compared with: ${shownName(path)} is not known`);
  }
  const one = comparable(value);
  if (one === undefined) return unlike(value, "a text, a number or true or false");
  const same = isSame(one, other);
  if (wanted) return same ? undefined : fail(`is another one than ${shownName(path)}`);
  if (same) return fail(`is the same as ${shownName(path)}`);
  return areDifferent(one, other)
    ? undefined
    : inconclusive(`may be the same as ${shownName(path)} in another form`);
}

/** A value as a text that says something; undefined for what cannot be compared. */
function comparable(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "boolean" && !isNumber(value)) return undefined;
  const text = String(value).trim();
  return text === "" ? undefined : text;
}

function otherAt(path: string, facts: GuardFacts, whole: unknown): unknown {
  return path.startsWith("row.") ? at(whole, path.slice("row.".length)) : factAt(path, facts);
}

/** Longer texts are no names, versions or states; the time that a pattern takes grows with them. */
const mostTextLength = 4096;

const tooLong = inconclusive(`is longer than ${mostTextLength} characters`);

function unlike(value: unknown, wanted: string): Reason {
  return inconclusive(`is ${shown(value)}, where ${wanted} is required`);
}

function plainText(value: Plain): string {
  return typeof value === "string" ? shownName(value) : String(value);
}

const time = z.iso.datetime({ offset: true });

/** Milliseconds since 1970 of a time as text, as ISO 8601 or PostgreSQL write it; undefined for anything else. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > 64) return undefined;
  const iso = value.replace(
    /^([\d-]{10}) ([\d:.]+)([+-]\d\d)(:\d\d)?$/,
    (_, day: string, clock: string, hours: string, minutes = ":00") =>
      `${day}T${clock}${hours}${minutes}`,
  );
  return time.safeParse(iso).success ? Date.parse(iso) : undefined;
}
