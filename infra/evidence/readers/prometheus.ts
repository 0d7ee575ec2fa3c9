import { z } from "zod";
import type { Reader } from "../reader.ts";
import {
  checkUnique,
  cut,
  fitFacts,
  fitShape,
  list,
  readShape,
  record,
  unreadable,
  utcTime,
} from "./shared.ts";

const what = "answer of the Prometheus HTTP API";

const envelope = z.object({
  status: z.string(),
  data: z.unknown().optional(),
  errorType: z.string().optional(),
  error: z.string().optional(),
  warnings: list(z.string()).nullish(),
  /** How VictoriaMetrics says that some of its storage did not answer. */
  isPartial: z.boolean().optional(),
});

/** A number as Prometheus writes it, as a text: JSON has no infinity and no NaN. */
const value = z
  .string()
  .regex(/^(?:[+-]?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?|NaN|[+-]?Inf)$/i, "no number")
  .transform((text) => {
    const number = Number(text);
    // Adding zero takes the sign from a zero, which JSON does not keep.
    return Number.isFinite(number) ? number + 0 : null;
  });

const sample = z.tuple([z.number(), value]);

const metric = record(z.string());

/** Strict, so that histograms, which stand beside the samples, are not left out without a word. */
const answer = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("matrix"),
    result: list(z.strictObject({ metric, values: list(sample) })),
  }),
  z.object({
    resultType: z.literal("vector"),
    result: list(
      z
        .strictObject({ metric, value: sample })
        .transform((one) => ({ metric: one.metric, values: [one.value] })),
    ),
  }),
]);

/**
 * Reads what the Prometheus HTTP API answers to `/api/v1/query_range`, or to `/api/v1/query` with one sample a series.
 * A series is called by its labels, sorted: `code=500,job=api`; by the name of its metric where it has none, and `value`
 * where it has no name either. What is no number (NaN, +Inf) was not measured. It was measured when its newest sample
 * was.
 */
export const prometheus: Reader<"series"> = {
  format: "prometheus",
  title: "answer of the Prometheus HTTP API to a query",
  predicate: "series",
  read(bytes) {
    const { status, data, errorType, error, warnings, isPartial } = readShape(
      envelope,
      bytes,
      what,
    );
    if (status !== "success") {
      throw unreadable(`the query failed: ${error ?? errorType ?? `its status is ${status}`}`);
    }
    const [warning, ...others] = warnings ?? [];
    if (warning !== undefined) {
      const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
      throw unreadable(`it may be incomplete, it warns: ${warning.slice(0, 300)}${more}`);
    }
    if (isPartial === true) throw unreadable("it is incomplete: a part of the storage was away");
    const { result } = fitShape(z.object({ data: answer }), { data }, what).data;
    const named = result.map((one) => [nameOf(one.metric), one.values] as const);
    checkUnique(named.map(([name]) => name));
    const newest = named.reduce(
      (most, [, samples]) => samples.reduce((time, [at]) => Math.max(time, at), most),
      -Infinity,
    );
    if (newest === -Infinity) {
      throw unreadable("it holds no samples; let the query answer 0 where there is nothing");
    }
    return {
      facts: fitFacts("series", { series: Object.fromEntries(named) }),
      producedAt: utcTime(newest * 1000),
    };
  },
};

function nameOf({ __name__: ofMetric = "", ...labels }: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([label, text]) => `${label}=${text}`);
  const name = cut(pairs.length === 0 ? ofMetric : pairs.join(","));
  // A record cannot hold an entry of this name.
  if (name === "__proto__") throw unreadable("it has a series called __proto__");
  return name === "" ? "value" : name;
}
