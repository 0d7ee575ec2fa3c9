import { z } from "zod";
import type { Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { count } from "../checks/limits.ts";
import { counted, shownName } from "../checks/names.ts";
import { quantity, type Quantity } from "../checks/quantity.ts";
import {
  fitsSpan,
  measured,
  rollBack,
  runsOf,
  samplesAsked,
  seriesWords,
  shortened,
  spanMisfit,
  spanWords,
  timeText,
  type Measured,
} from "../checks/series.ts";

/** A probe did not fail too often in a row. One that failed now and then is no outage; a gap is no success. */
export const streakWithin = evidenceKind({
  kind: "streak-within",
  title: "A probe that was repeated over time did not fail too often in a row.",
  judges: "series",
  requires: z
    .strictObject({
      ...samplesAsked,
      good: quantity.prefault(1).describe("what a good sample is, such as 1 for a probe"),
      mostInARow: count.describe("how many samples in a row may be something else"),
    })
    .refine(fitsSpan, spanMisfit),
  required: ({ good, mostInARow, ...asked }) =>
    `no more than ${counted(mostInARow, "sample")} in a row of ${seriesWords(asked)} ` +
    `other than ${good.text}, ${spanWords(asked)}`,
  judge: (predicate, { good, mostInARow, ...asked }) => {
    const { problems, series } = measured(predicate.series, asked);
    return shortened([
      ...problems,
      ...series.flatMap((one) => judgeStreak(one, good, mostInARow) ?? one.problems),
    ]);
  },
});

function judgeStreak(series: Measured, good: Quantity, most: number): Reason[] | undefined {
  const longest = runsOf(series, (value) => value !== good.number).reduce(
    (one, other) => (other.length > one.length ? other : one),
    [],
  );
  const [first] = longest;
  if (first === undefined || longest.length <= most) return undefined;
  const found =
    `${counted(longest.length, "sample")} in a row of ${shownName(series.name)} ` +
    `${longest.length === 1 ? "was" : "were"} not ${good.text}, from ${timeText(first.at)}`;
  return [rollBack(found)];
}
