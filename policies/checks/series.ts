import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import type { Predicate } from "../contract/predicates.ts";
import { durationText } from "../evidence/age.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { counted, name, own, shownName } from "./names.ts";
import { quantity, type Quantity } from "./quantity.ts";

type Samples = Predicate<"series">["series"][string];

/** Reasons about series that one gate gives; with a thousand series the rest is a count. */
const mostReasons = 6;

/** What a checklist may ask of the samples of series, whatever they are judged by. */
export const samplesAsked = {
  series: name.optional().describe("name of the series; every series of the report without it"),
  over: duration.describe("how long the samples must span at least, such as 1h"),
  every: duration.describe("how far apart two samples may lie, such as 1m"),
};

/** What a checklist asks of the samples of series, parsed; lengths of time in seconds. */
export interface SamplesAsked {
  readonly series?: string | undefined;
  readonly over: number;
  readonly every: number;
}

/** Whether two samples at the allowed distance can span the time that is asked for. */
export function fitsSpan({ over, every }: SamplesAsked): boolean {
  return every <= over;
}

/** What is said of a checklist for which `fitsSpan` does not hold. */
export const spanMisfit = { message: "every is longer than over", path: ["every"] };

/** What of a series is judged. */
export const ofNames = ["every", "last", "mean", "highest"] as const;

/** What of a series is judged: each sample, or one number for all of them. */
export type Of = (typeof ofNames)[number];

/** What of a series is judged, as the subject of a sentence. */
export const ofWords: Readonly<Record<Of, string>> = {
  every: "every sample",
  last: "the last sample",
  mean: "the mean",
  highest: "the highest sample",
};

/** One measurement. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** One series, as far as it was measured. */
export interface Measured {
  readonly name: string;
  /** Why its samples do not show the whole time that is asked for; with one, nothing in it counts as fine. */
  readonly problems: readonly Reason[];
  /** Its samples in order, parted where one is missing or has no value. Never an empty part. */
  readonly parts: readonly (readonly Sample[])[];
}

/**
 * The series that are asked for, and what is wrong with the report as a whole. No data is not health: no series, no
 * samples, a gap, a short span and a sample without a value are each a problem.
 */
export function measured(
  report: Readonly<Record<string, Samples>>,
  { series, over, every }: SamplesAsked,
): { readonly problems: readonly Reason[]; readonly series: readonly Measured[] } {
  const names = series === undefined ? Object.keys(report) : [series];
  if (names.length === 0) return { problems: [inconclusive("it holds no series")], series: [] };
  const newest = newestOf(Object.values(report));
  return {
    problems: [],
    series: names.map((one) => measuredOne(one, own(report, one), { over, every }, newest)),
  };
}

function measuredOne(
  series: string,
  samples: Samples | undefined,
  { over, every }: SamplesAsked,
  newest: number,
): Measured {
  const shown = shownName(series);
  const nothing = (found: string): Measured => ({
    name: series,
    problems: [inconclusive(found)],
    parts: [],
  });
  if (samples === undefined) return nothing(`series ${shown} is not in the report`);
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return nothing(`${shown} has no samples`);
  const steps = samples.slice(1).map(([at], index) => at - (samples[index]?.[0] ?? at));
  if (!steps.every((step) => step > 0)) {
    return nothing(`the samples of ${shown} are not in the order of their times`);
  }
  const span = last[0] - first[0];
  const problems = [
    ...samples.flatMap((sample, index) => {
      const gap = steps[index] ?? 0;
      return [
        ...valueProblems(sample),
        ...(longer(gap, every)
          ? [`has no sample for ${lengthText(gap)} after ${timeText(sample[0])}`]
          : []),
      ];
    }),
    ...(longer(over, span) ? [`spans ${lengthText(span)}, less than ${durationText(over)}`] : []),
    ...(longer(newest - last[0], every)
      ? [`ends at ${timeText(last[0])}, before the rest of the report`]
      : []),
  ];
  return {
    name: series,
    problems: asOne(problems.map((problem) => `${shown} ${problem}`)),
    parts: partsOf(samples, every),
  };
}

/** Rates, times and counts are never below zero, and some tools write -1 for what they do not know. */
function valueProblems([at, value]: Samples[number]): string[] {
  if (isKnown(value)) return [];
  return (value ?? 0) < 0
    ? [`is ${plainNumber(value ?? 0)} at ${timeText(at)}, which is below zero`]
    : [`has no value at ${timeText(at)}`];
}

function isKnown(value: number | null): boolean {
  return value !== null && Number.isFinite(value) && value >= 0;
}

function partsOf(samples: Samples, every: number): Sample[][] {
  const parts: Sample[][] = [];
  let before: number | undefined;
  for (const [at, value] of samples) {
    if (value === null || !isKnown(value)) before = undefined;
    else {
      const goesOn = before !== undefined && !longer(at - before, every);
      if (goesOn) parts.at(-1)?.push({ at, value });
      else parts.push([{ at, value }]);
      before = at;
    }
  }
  return parts;
}

/** The first of them and how many more: a hundred gaps are one thing to say. */
function asOne(problems: readonly string[]): Reason[] {
  const [first, ...others] = problems;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : `, and ${counted(others.length, "more fault")}`;
  return [inconclusive(`${first}${more}`)];
}

function newestOf(all: readonly Samples[]): number {
  return all.reduce((most, samples) => Math.max(most, samples.at(-1)?.[0] ?? most), -Infinity);
}

/** Compared in milliseconds, which is how exactly times are written. */
function longer(one: number, other: number): boolean {
  return Math.round(one * 1000) > Math.round(other * 1000);
}

/** All samples of a series in order; to be used where it has no problems. */
export function samplesOf({ parts }: Measured): readonly Sample[] {
  return parts.flat();
}

/** One number for values, of which there is at least one. */
const aggregates: Readonly<Record<Exclude<Of, "every">, (values: readonly number[]) => number>> = {
  last: (values) => values.at(-1) ?? Number.NaN,
  mean: meanOf,
  highest: (values) => values.reduce((most, value) => Math.max(most, value)),
};

/** The numbers of samples that are judged: all of them, or the one that they come to. There is at least one sample. */
export function judgedValues(samples: readonly Sample[], of: Of): readonly number[] {
  const values = samples.map(({ value }) => value);
  return of === "every" ? values : [aggregates[of](values)];
}

/** Rounded as limits are, because the mean of 0.2 and 0.4 is no 0.3 of a double. */
function meanOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value, index) => sum + (value - sum) / (index + 1), 0);
  return Number(mean.toPrecision(12));
}

/** The samples in a row for which something holds. What lies on both sides of a gap is not in a row. */
export function runsOf({ parts }: Measured, holds: (value: number) => boolean): Sample[][] {
  return parts.flatMap((part) => {
    const runs: Sample[][] = [];
    let running = false;
    for (const sample of part) {
      const goesOn = running;
      running = holds(sample.value);
      if (running && goesOn) runs.at(-1)?.push(sample);
      else if (running) runs.push([sample]);
    }
    return runs;
  });
}

/** Seconds from the first sample of a run to its last, exact to the millisecond. */
export function spanOf(run: readonly Sample[]): number {
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined) return 0;
  return Math.round((last.at - first.at) * 1000) / 1000;
}

/** The reasons of many series: failures first, and a count in place of the last ones. */
export function shortened(reasons: readonly Reason[]): Reason[] {
  const sorted = [
    ...reasons.filter(({ verdict }) => verdict === "fail"),
    ...reasons.filter(({ verdict }) => verdict !== "fail"),
  ];
  if (sorted.length <= mostReasons) return sorted;
  const rest = sorted.slice(mostReasons - 1);
  return [
    ...sorted.slice(0, mostReasons - 1),
    { ...(rest[0] as Reason), found: `${rest.length} more series are not as they must be` },
  ];
}

/** The words for each limit, and when a number is within it. */
const limitTable = {
  atMost: {
    words: (text: string) => `${text} or less`,
    holds: (value: number, number: number) => value <= number,
    lower: false,
  },
  below: {
    words: (text: string) => `below ${text}`,
    holds: (value: number, number: number) => value < number,
    lower: false,
  },
  atLeast: {
    words: (text: string) => `${text} or more`,
    holds: (value: number, number: number) => value >= number,
    lower: true,
  },
  above: {
    words: (text: string) => `above ${text}`,
    holds: (value: number, number: number) => value > number,
    lower: true,
  },
} as const;

type LimitName = keyof typeof limitTable;

const limitNames = Object.keys(limitTable) as LimitName[];

/** The keys of a limit in a checklist; exactly one of them is given, see `oneLimit`. */
export const limitKeys = {
  atMost: quantity.optional().describe("it is this or less, such as 0.1%"),
  below: quantity.optional().describe("it is less than this, such as 500ms"),
  atLeast: quantity.optional().describe("it is this or more, such as 99.9%"),
  above: quantity.optional().describe("it is more than this, such as 5%"),
};

type Limits = Readonly<Partial<Record<LimitName, Quantity | undefined>>>;

/** Whether exactly one limit is given. */
export function oneLimit(limits: Limits): boolean {
  return limitNames.filter((one) => limits[one] !== undefined).length === 1;
}

/** A limit in a checklist: exactly one of `atMost`, `below`, `atLeast` and `above`. */
export const limit = z
  .strictObject(limitKeys)
  .refine(oneLimit, `exactly one of ${limitNames.join(", ")}`);

function limitIn(limits: Limits): readonly [name: LimitName, quantity: Quantity] {
  const given = limitNames.find((one) => limits[one] !== undefined) ?? "atMost";
  return [given, limits[given] ?? { number: 0, text: "0" }];
}

/** Whether a number is within a limit. */
export function holds(value: number, limits: Limits): boolean {
  const [given, { number }] = limitIn(limits);
  return limitTable[given].holds(value, number);
}

/** A limit as a sentence says it: `0.1% or less`. */
export function limitText(limits: Limits): string {
  const [given, { text }] = limitIn(limits);
  return limitTable[given].words(text);
}

/** Whether some number is within both limits. */
export function overlap(one: Limits, other: Limits): boolean {
  const [first, second] = [limitIn(one), limitIn(other)];
  const [low, high] = isLower(first[0]) ? [first, second] : [second, first];
  // Two limits of the same side share everything beyond the further one.
  if (isLower(high[0]) || !isLower(low[0])) return true;
  if (low[1].number !== high[1].number) return low[1].number < high[1].number;
  return low[0] === "atLeast" && high[0] === "atMost";
}

function isLower(given: LimitName): boolean {
  return limitTable[given].lower;
}

/** The number of a list that is furthest within a limit, or furthest out of it; the list is not empty. */
export function furthest(
  values: readonly number[],
  limits: Limits,
  side: "within" | "out",
): number {
  const up = isLower(limitIn(limits)[0]) === (side === "within");
  return values.reduce((most, value) => (up ? Math.max(most, value) : Math.min(most, value)));
}

/** A number in the unit of its limit, with up to six significant digits: `6%`. */
export function valueText(value: number, limits: Limits): string {
  const { text } = limitIn(limits)[1];
  const unit = text.replace(/^[\d.e+-]+/, "");
  const inUnit = value / (unit === "" ? 1 : quantity.parse(`1${unit}`).number);
  const short = `${plainNumber(inUnit)}${unit}`;
  // What only looks like its limit would leave the reader at a loss.
  return short === text ? `${inUnit}${unit}` : short;
}

/** A number with up to six significant digits. */
export function plainNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Seconds since 1970 as a time; as they are where no calendar has such a time. */
export function timeText(seconds: number): string {
  const time = new Date(Math.floor(seconds) * 1000);
  if (Number.isNaN(time.getTime())) return `second ${plainNumber(seconds)}`;
  return time.toISOString().replace(".000Z", "Z");
}

/** Seconds as a length of time, without a fraction. */
export function lengthText(seconds: number): string {
  const whole = Math.floor(seconds);
  return whole === 0 ? "0 seconds" : durationText(whole);
}

/** What must be measured, as the end of a sentence. */
export function spanWords({ over, every }: SamplesAsked): string {
  return `over ${durationText(over)} or more, with a sample every ${durationText(every)}`;
}

/** How a sentence names the series that are asked for. */
export function seriesWords({ series }: SamplesAsked): string {
  return series === undefined ? "each series" : shownName(series);
}

/** What to do where a person must decide. */
const decide = {
  remedy: "decide now: roll back, or go on with a signed waiver where the gate allows one",
};

/** A measured reason to go back. */
export function rollBack(found: string): Reason {
  return fail(`roll back: ${found}`);
}

/** What is neither fine nor a reason to go back: a person decides. */
export function holdAndAsk(found: string): Reason {
  return inconclusive(
    `hold and ask: ${found}, which is neither fine nor a reason to roll back`,
    decide,
  );
}
