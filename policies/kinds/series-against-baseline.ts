import { z } from "zod";
import { predicates, type Predicate } from "../contract/predicates.ts";
import { subjectProblems } from "../contract/statement.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind, type KindContext } from "../kind.ts";
import { shownName } from "../checks/names.ts";
import {
  fitsSpan,
  holdAndAsk,
  judgedValues,
  measured,
  ofNames,
  ofWords,
  plainNumber,
  rollBack,
  samplesAsked,
  samplesOf,
  seriesWords,
  shortened,
  spanMisfit,
  spanWords,
  timeText,
  type Of,
  type SamplesAsked,
} from "../checks/series.ts";

const ratio = z.number().positive().max(1000);

interface Limits {
  readonly atMost: number;
  readonly rollbackAbove?: number | undefined;
}

/**
 * What was measured over time is not much more than it was in a baseline: other evidence of the same release, which ends
 * before this begins. With every sample, each one is compared with the mean of the baseline.
 */
export const seriesAgainstBaseline = evidenceKind({
  kind: "series-against-baseline",
  title: "What was measured over time is not much more than in its baseline.",
  judges: "series",
  requires: z
    .strictObject({
      ...samplesAsked,
      baseline: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,62}$/, "a name in kebab case")
        .describe("name of the evidence with the same series, as they were before"),
      of: z
        .enum(ofNames)
        .default("mean")
        .describe("what of the series is compared: every sample, or the last, mean or highest"),
      atMost: ratio.describe("how many times its baseline it may be, such as 1.2"),
      rollbackAbove: ratio
        .optional()
        .describe("above how many times its baseline it is a reason to roll back, such as 2"),
    })
    .refine(fitsSpan, spanMisfit)
    .refine(({ atMost, rollbackAbove }) => (rollbackAbove ?? atMost) >= atMost, {
      message: "some numbers are both fine and a reason to roll back",
      path: ["rollbackAbove"],
    }),
  documents: ({ baseline }) => [baseline],
  required: ({ baseline, of, atMost, rollbackAbove, ...asked }) =>
    `${ofWords[of]} of ${seriesWords(asked)} at most ${plainNumber(atMost)} times its ` +
    `baseline ${baseline}, ${spanWords(asked)}` +
    (rollbackAbove === undefined
      ? ""
      : `; a rollback when it is above ${plainNumber(rollbackAbove)} times`),
  judge: (predicate, { baseline, of, atMost, rollbackAbove, ...asked }, context) => {
    if (predicate.cutover.evidence === baseline) {
      return [inconclusive(`it is compared with itself, evidence ${baseline}`)];
    }
    const { found, problems } = baselinesOf(baseline, context);
    if (problems.length > 0) return problems;
    const reasons = found.flatMap((report) =>
      judgeReports(predicate.series, report, of, { atMost, rollbackAbove }, asked),
    );
    return shortened(reasons);
  },
});

/** The verified baselines of this release, and why one of them cannot be used. */
function baselinesOf(
  name: string,
  { attested, facts }: KindContext,
): { readonly found: readonly Predicate<"series">["series"][]; readonly problems: Reason[] } {
  const remedy = `npx cutover attest ${name} --format prometheus --report <file>`;
  const refused = attested.refused
    .filter(({ claims }) => claims === name)
    .map(({ document, why }) => `baseline ${name} (${shownName(document)}): ${why}`);
  const held = attested.evidence.filter(({ content }) => content.evidence === name);
  const found: Predicate<"series">["series"][] = [];
  const problems = held.flatMap(({ document, statement }) => {
    const where = `baseline ${name} (${shownName(document)})`;
    const others = subjectProblems(statement.subject, facts.release);
    if (others.length > 0) return others.map((problem) => `${where}: ${problem}`);
    if (statement.predicateType !== predicates.series.type) {
      return [`${where}: it is a statement of another type than ${predicates.series.type}`];
    }
    const { data } = predicates.series.schema.safeParse(statement.predicate);
    if (data === undefined) return [`${where}: its predicate has another shape`];
    found.push(data.series);
    return [];
  });
  const absent = held.length + refused.length === 0 ? [`there is no baseline ${name}`] : [];
  return {
    found,
    problems: [...absent, ...refused, ...problems].map((one) => inconclusive(one, { remedy })),
  };
}

function judgeReports(
  now: Predicate<"series">["series"],
  before: Predicate<"series">["series"],
  of: Of,
  limits: Limits,
  asked: SamplesAsked,
): Reason[] {
  const current = measured(now, asked);
  return [
    ...current.problems,
    ...current.series.flatMap((one): readonly Reason[] => {
      if (one.problems.length > 0) return one.problems;
      const name = shownName(one.name);
      const old = measured(before, { ...asked, series: one.name }).series[0];
      if (old === undefined || old.problems.length > 0) {
        return (old?.problems ?? []).map((reason) => ({
          ...reason,
          found: `in the baseline, ${reason.found}`,
        }));
      }
      const [start = 0, end = 0] = [samplesOf(one)[0]?.at, samplesOf(old).at(-1)?.at];
      // The same report under another name would be no more than its baseline, whatever it shows.
      if (end > start) {
        const found = `in the baseline, ${name} ends at ${timeText(end)}, after ${timeText(start)}`;
        return [inconclusive(found)];
      }
      const base = judgedValues(samplesOf(old), of === "every" ? "mean" : of)[0] ?? 0;
      if (!(base > 0)) {
        return [inconclusive(`in the baseline, ${name} is ${plainNumber(base)}: it has no ratio`)];
      }
      return judgeRatio(name, judgedValues(samplesOf(one), of), base, limits);
    }),
  ];
}

function judgeRatio(
  name: string,
  values: readonly number[],
  base: number,
  { atMost, rollbackAbove }: Limits,
): Reason[] {
  // Rounded, because 0.3 / 0.1 of doubles is no 3.
  const ratios = values.map((value) => Number((value / base).toPrecision(12)));
  const worst = ratios.reduce((most, value) => Math.max(most, value));
  if (worst <= atMost) return [];
  const text = `${plainNumber(worst)} times its baseline`;
  if (rollbackAbove === undefined) return [fail(`${name} is ${text}, over ${plainNumber(atMost)}`)];
  if (worst > rollbackAbove) {
    return [rollBack(`${name} was ${text}, above ${plainNumber(rollbackAbove)}`)];
  }
  return [holdAndAsk(`${name} is ${text}`)];
}
