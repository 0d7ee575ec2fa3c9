import { z } from "zod";
import type { Facts } from "../../../policies/contract/predicates.ts";
import type { Reader } from "../reader.ts";
import {
  checkUnique,
  count,
  fitFacts,
  fitShape,
  isObject,
  isoTime,
  list,
  readShape,
  record,
  unreadable,
} from "./shared.ts";

const what = "k6 summary";

const atLeastZero = z.number().min(0);
const share = atLeastZero.max(1);

const contains = z.enum(["default", "time", "data"]);
const thresholds = record(z.strictObject({ ok: z.boolean() })).optional();

const trendStatistic = /^(avg|min|med|max|count|p\(\d{1,3}(\.\d+)?\))$/;

/** A metric as `handleSummary` is given it; the other shapes are brought into this one. */
const metricSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("counter"),
    contains,
    values: z.strictObject({ count: atLeastZero, rate: atLeastZero.exactOptional() }),
    thresholds,
  }),
  z.strictObject({
    type: z.literal("gauge"),
    contains,
    values: z.strictObject({ value: z.number(), min: z.number(), max: z.number() }),
    thresholds,
  }),
  z.strictObject({
    type: z.literal("rate"),
    contains,
    values: z.strictObject({ rate: share, passes: count, fails: count }),
    thresholds,
  }),
  z
    .strictObject({
      type: z.literal("trend"),
      contains,
      values: record(z.number()).refine(
        (values) => Object.keys(values).every((name) => trendStatistic.test(name)),
        "it has a statistic that k6 does not know",
      ),
      thresholds,
    })
    .refine(
      ({ contains: unit, values }) =>
        unit === "default" || Object.values(values).every((value) => value >= 0),
      "it has a time or an amount of data below zero",
    ),
]);

const fullSchema = z.object({ metrics: record(metricSchema) });

/** What `--summary-export` and `handleSummary` have in common. */
const plainSchema = z.object({ metrics: record(record(z.unknown())) });

type PlainMetric = Readonly<Record<string, unknown>>;

const versionedMetric = z.strictObject({
  name: z.string().refine((name) => name !== "__proto__", "it is no name of a metric"),
  type: z.string(),
  contains: z.string(),
  category: z.string().optional(),
  values: record(z.number()),
});

/** https://github.com/grafana/k6-summary; strict, so that a later shape does not lose its thresholds here. */
const versionedSchema = z.strictObject({
  version: z.literal("1.0.0"),
  metadata: z.object({ generatedAt: z.string(), k6Version: z.string() }),
  config: z.unknown(),
  results: z.strictObject({
    metrics: list(versionedMetric),
    checks: z
      .strictObject({ metrics: list(versionedMetric).optional(), results: z.unknown() })
      .partial()
      .optional(),
  }),
});

/**
 * Reads the summary that k6 makes at the end of a test, in each of its three shapes: what `handleSummary` is given, what
 * `--summary-export` writes, and version 1.0.0 of what `--new-machine-readable-summary` makes of both. Statistics are
 * called as in `handleSummary`; times are milliseconds. Of the three, only the last says when it was measured, and it
 * says nothing of thresholds.
 */
export const k6: Reader<"metrics"> = {
  format: "k6",
  title: "end-of-test summary of k6",
  predicate: "metrics",
  read(bytes) {
    const document = readShape(z.looseObject({}), bytes, what);
    if ("version" in document || "results" in document) return readVersioned(document);
    const { metrics } = fitShape(plainSchema, document, what);
    const full = looksFull(metrics);
    return {
      facts: factsOf(full ? metrics : mapValues(metrics, fromExport), { name: "k6" }),
      producedAt: null,
    };
  },
};

function readVersioned(document: unknown): ReturnType<typeof k6.read> {
  const { metadata, results } = fitShape(versionedSchema, document, what);
  const metrics = [...results.metrics, ...(results.checks?.metrics ?? [])];
  checkUnique(metrics.map(({ name }) => name));
  return {
    facts: factsOf(Object.fromEntries(metrics.map(fromVersioned)), {
      name: "k6",
      version: metadata.k6Version,
    }),
    producedAt: isoTime(metadata.generatedAt),
  };
}

/** Makes the predicate of metrics that have the shape of `handleSummary`. */
function factsOf(document: unknown, tool: Facts<"metrics">["tool"]): Facts<"metrics"> {
  const { metrics } = fitShape(fullSchema, { metrics: document }, what);
  return fitFacts("metrics", {
    tool,
    metrics: mapValues(metrics, ({ values }) => ({ ...values })),
    thresholds: Object.entries(metrics).flatMap(([metric, one]) =>
      Object.entries(one.thresholds ?? {}).map(([expression, { ok }]) => ({
        metric,
        expression,
        passed: ok,
      })),
    ),
  });
}

/**
 * Whether metrics have the shape of `handleSummary`, and not that of `--summary-export`.
 *
 * @throws UnreadableError when some have the one and some the other: a threshold's `true` means passed in the one and
 *   failed in the other
 */
function looksFull(metrics: Readonly<Record<string, PlainMetric>>): boolean {
  const marks = Object.entries(metrics).flatMap(([name, metric]) =>
    marksOf(metric).map((full) => ({ name, full })),
  );
  const [first] = marks;
  const other = marks.find(({ full }) => full !== first?.full);
  if (other !== undefined) {
    throw unreadable(
      `it mixes the shapes of handleSummary and --summary-export, see metric ${other.name}`,
    );
  }
  return first?.full ?? false;
}

/** For each part by which the two shapes differ, whether it is as in `handleSummary`. */
function marksOf(metric: PlainMetric): boolean[] {
  const judged = isObject(metric["thresholds"]) ? Object.values(metric["thresholds"]) : [];
  return ["values" in metric, ...judged.map(isObject)];
}

/** What k6 itself measures in milliseconds; `--summary-export` does not say what a metric contains. */
const ownTimes =
  /^(http_req_(?!failed)|(group|iteration|grpc_req|ws_session)_duration|ws_connecting)/;

/** Brings a metric of `--summary-export` into the shape of `handleSummary`. */
function fromExport(metric: PlainMetric, name: string): unknown {
  const { thresholds: judged, ...values } = metric;
  const { value, ...others } = values;
  const isRate = "passes" in values && !("rate" in values);
  return {
    type: isRate ? "rate" : "value" in values ? "gauge" : "rate" in values ? "counter" : "trend",
    contains: ownTimes.test(name) ? "time" : "default",
    values: isRate ? { ...others, rate: value } : values,
    // In this shape true means that the threshold was crossed.
    thresholds: isObject(judged)
      ? mapValues(judged, (crossed) => ({ ok: typeof crossed === "boolean" ? !crossed : crossed }))
      : judged,
  };
}

/** Brings a metric of version 1.0.0 into the shape of `handleSummary`, and names it. */
function fromVersioned(metric: z.output<typeof versionedMetric>): [string, unknown] {
  const { name, type, contains: unit, values } = metric;
  const { matches, total, ...others } = values;
  const counts =
    type === "rate" && matches !== undefined && total !== undefined
      ? { ...others, passes: matches, fails: total - matches }
      : values;
  return [name, { type, contains: unit, values: counts }];
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
