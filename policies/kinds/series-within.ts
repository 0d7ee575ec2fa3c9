import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import { durationText } from "../evidence/age.ts";
import { fail, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { shownName } from "../checks/names.ts";
import {
  fitsSpan,
  furthest,
  holdAndAsk,
  holds,
  judgedValues,
  lengthText,
  limit,
  limitKeys,
  limitText,
  measured,
  ofNames,
  ofWords,
  oneLimit,
  overlap,
  rollBack,
  runsOf,
  samplesAsked,
  samplesOf,
  seriesWords,
  shortened,
  spanMisfit,
  spanOf,
  spanWords,
  timeText,
  valueText,
  type Measured,
  type Of,
} from "../checks/series.ts";

const rollbackLimit = z
  .strictObject({
    ...limitKeys,
    for: duration
      .optional()
      .describe("how long it must hold without a break; one sample is enough without it"),
  })
  .refine(oneLimit, "exactly one of atMost, below, atLeast, above, beside for");

type Limit = z.infer<typeof limit>;
type RollbackLimit = z.infer<typeof rollbackLimit>;

/**
 * What was measured over time is fine all along. Past a second limit it is a reason to roll back; between the two a
 * person must decide. No data, a gap and an end that comes too early are never fine.
 */
export const seriesWithin = evidenceKind({
  kind: "series-within",
  title: "What was measured over time is within its limit, for long enough and without a gap.",
  judges: "series",
  requires: z
    .strictObject({
      ...samplesAsked,
      of: z
        .enum(ofNames)
        .default("every")
        .describe("what of the series must be fine: every sample, or the last, mean or highest"),
      fine: limit.describe("what is fine: exactly one of atMost, below, atLeast, above"),
      rollback: rollbackLimit
        .optional()
        .describe("what is a reason to roll back, with for: how long it must hold"),
    })
    .refine(fitsSpan, spanMisfit)
    .refine(({ fine, rollback }) => rollback === undefined || !overlap(fine, rollback), {
      message: "some numbers are both fine and a reason to roll back",
      path: ["rollback"],
    })
    .refine(({ over, rollback }) => (rollback?.for ?? 0) <= over, {
      message: "it is longer than over, so the samples need not show it",
      path: ["rollback", "for"],
    }),
  required: ({ of, fine, rollback, ...asked }) =>
    `${ofWords[of]} of ${seriesWords(asked)} ${limitText(fine)}, ${spanWords(asked)}` +
    (rollback === undefined ? "" : `; a rollback when it is ${rollbackText(rollback)}`),
  judge: (predicate, { of, fine, rollback, ...asked }) => {
    const { problems, series } = measured(predicate.series, asked);
    return shortened([
      ...problems,
      ...series.flatMap((one) => judgeSeries(one, of, fine, rollback)),
    ]);
  },
});

function judgeSeries(
  series: Measured,
  of: Of,
  fine: Limit,
  rollback: RollbackLimit | undefined,
): readonly Reason[] {
  const name = shownName(series.name);
  const past = rollback === undefined ? undefined : judgeRollback(series, of, rollback);
  if (past !== undefined) return [past];
  if (series.problems.length > 0) return series.problems;
  const wrong = judgedValues(samplesOf(series), of).filter((value) => !holds(value, fine));
  if (wrong.length === 0) return [];
  const worst = `${name} is ${valueText(furthest(wrong, fine, "out"), fine)}`;
  return [rollback === undefined ? fail(`${worst}, not ${limitText(fine)}`) : holdAndAsk(worst)];
}

/** The reason to go back, where the samples that there are show one; a gap elsewhere does not undo it. */
function judgeRollback(series: Measured, of: Of, rollback: RollbackLimit): Reason | undefined {
  const name = shownName(series.name);
  const least = rollback.for;
  if (of !== "every" && least === undefined) {
    const [value] = series.problems.length > 0 ? [] : judgedValues(samplesOf(series), of);
    if (value === undefined || !holds(value, rollback)) return undefined;
    return rollBack(`${name} was ${valueText(value, rollback)}, ${rollbackText(rollback)}`);
  }
  const run = runsOf(series, (value) => holds(value, rollback)).find(
    (samples) => spanOf(samples) >= (least ?? 0),
  );
  if (run === undefined) return undefined;
  const values = run.map(({ value }) => value);
  const worst = valueText(furthest(values, rollback, "within"), rollback);
  const when =
    least === undefined
      ? ` at ${timeText(run[0]?.at ?? 0)}`
      : ` for ${lengthText(spanOf(run))} from ${timeText(run[0]?.at ?? 0)}`;
  return rollBack(`${name} was ${worst}, ${limitText(rollback)},${when}`);
}

function rollbackText(rollback: RollbackLimit): string {
  const long = rollback.for === undefined ? "" : ` for ${durationText(rollback.for)}`;
  return `${limitText(rollback)}${long}`;
}
