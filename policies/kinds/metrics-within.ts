import { z } from "zod";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { byName, countedNames, joined, own, shownName } from "../checks/names.ts";

const range = z
  .strictObject({
    most: z.number().min(0).optional().describe("the highest allowed, in the unit of the report"),
    least: z.number().min(0).optional().describe("the lowest allowed, in the unit of the report"),
  })
  .refine(({ most, least }) => most !== undefined || least !== undefined, "most, least or both")
  .refine(({ most = Infinity, least = 0 }) => least <= most, "least may not be more than most");

type Range = z.infer<typeof range>;

/**
 * Measured metrics lie within their limits, and the tool's own thresholds held. Metrics are times, rates and counts:
 * one below zero was not measured.
 */
export const metricsWithin = evidenceKind({
  kind: "metrics-within",
  title: "Measured metrics are within their limits.",
  judges: "metrics",
  requires: z.strictObject({
    metrics: byName(byName(range)).describe(
      "limits by metric and statistic, such as http_req_duration and p(95)",
    ),
    thresholdsPassed: z
      .boolean()
      .default(true)
      .describe("whether the tool itself must have judged thresholds, and all of them passed"),
  }),
  required: ({ metrics, thresholdsPassed }) =>
    joined([
      ...limitsIn(metrics).map(
        ([metric, statistic, limits]) =>
          `${shownName(metric)} ${shownName(statistic)} of ${rangeText(limits)}`,
      ),
      ...(thresholdsPassed ? ["every threshold of the tool passed"] : []),
    ]),
  judge: (predicate, { metrics, thresholdsPassed }) => {
    const reasons = limitsIn(metrics).flatMap(([metric, statistic, limits]) =>
      judgeMetric(
        `${shownName(metric)} ${shownName(statistic)}`,
        own(own(predicate.metrics, metric), statistic),
        limits,
      ),
    );
    const failed = predicate.thresholds
      .filter(({ passed }) => !passed)
      .map(({ metric, expression }) => `${metric} ${expression}`);
    if (!thresholdsPassed) return reasons;
    // Nothing judged is nothing passed; not every tool writes its thresholds into its summary.
    if (predicate.thresholds.length === 0) {
      const remedy = "give the tool thresholds, or set requires.thresholdsPassed to false";
      return [...reasons, inconclusive("the report judges no threshold", { remedy })];
    }
    if (failed.length === 0) return reasons;
    return [...reasons, fail(countedNames(failed, "failed threshold"))];
  },
});

function judgeMetric(name: string, value: number | undefined, { most, least }: Range): Reason[] {
  if (value === undefined) return [inconclusive(`${name} is not in the report`)];
  if (value < 0) return [inconclusive(`${name} is ${value}, which is below zero`)];
  if (most !== undefined && value > most) return [fail(`${name} is ${value}, over ${most}`)];
  if (least !== undefined && value < least) return [fail(`${name} is ${value}, under ${least}`)];
  return [];
}

function rangeText({ most, least }: Range): string {
  if (most === undefined) return `${least ?? 0} or more`;
  return least === undefined ? `${most} or less` : `${least} to ${most}`;
}

function limitsIn(
  metrics: Readonly<Record<string, Readonly<Record<string, Range>>>>,
): (readonly [metric: string, statistic: string, limits: Range])[] {
  return Object.entries(metrics).flatMap(([metric, statistics]) =>
    Object.entries(statistics).map(([statistic, limits]) => [metric, statistic, limits] as const),
  );
}
