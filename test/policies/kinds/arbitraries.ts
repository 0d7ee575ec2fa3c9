import fc from "fast-check";
import type { EvidencePredicate, Facts } from "../../../policies/contract/predicates.ts";
import { ago, hostileNames } from "../../support/kind-tester.ts";

/** Names that often are the same, so that reports hold what checklists ask for. */
const commonNames = ["orders", "refund", "orders > refund"];

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...commonNames) },
  fc.constantFrom(...Object.values(hostileNames)),
  fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
);
const names = fc.array(name, { maxLength: 6 });
const number = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 5 }) },
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const time = fc.constantFrom(ago(0), ago(3600), ago(-3600), "2026-03-02T12:00:00+01:00");
const operation = fc.constantFrom("GET /orders", "PUT /orders/{id}", "HEAD /");
const tool = fc.record({ name }, { requiredKeys: ["name"] });

function recordOf<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc.dictionary(name, value, { maxKeys: 4 });
}

const measure = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, 1, 1, 1) },
  fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
);

/** Samples a minute apart. */
const regular = fc
  .array(measure, { maxLength: 6 })
  .map((values) =>
    values.map((value, index): [number, number | null] => [1_772_449_200 + index * 60, value]),
  );
const irregular = fc.array(
  fc.tuple(fc.integer({ min: 1_772_449_200, max: 1_772_450_000 }), measure),
);

/** Predicates of every type, without what their evidence says of itself. */
export const anyEvidence: {
  readonly [Name in EvidencePredicate]: fc.Arbitrary<Facts<Name>>;
} = {
  records: fc.record({ rows: fc.array(recordOf(fc.oneof(name, fc.integer(), fc.boolean()))) }),
  inventory: fc.record({
    entries: fc.array(fc.record({ name, executable: fc.boolean() }, { requiredKeys: ["name"] })),
  }),
  series: fc.record({ series: recordOf(fc.oneof({ weight: 3, arbitrary: regular }, irregular)) }),
  tests: fc.record({
    result: fc.constantFrom("PASSED", "WARNED", "FAILED"),
    configuration: fc.array(fc.record({ name }), { maxLength: 2 }),
    passedTests: names,
    warnedTests: names,
    failedTests: names,
    skippedTests: names,
  }),
  vulnerabilities: fc.record({
    scanner: fc.record({
      uri: name,
      db: fc.record({ lastUpdate: time }),
      result: fc.array(
        fc.record({
          id: name,
          severity: fc.array(
            fc.record({
              method: fc.string(),
              score: fc.oneof(
                fc.constantFrom("critical", "high", "medium", "low", "negligible", "unknown"),
                fc.string(),
                name,
              ),
            }),
            { minLength: 1, maxLength: 2 },
          ),
        }),
        { maxLength: 6 },
      ),
    }),
    metadata: fc.record({ scanStartedOn: time, scanFinishedOn: time }),
  }),
  verification: fc.record({
    verifier: fc.record({ id: name }),
    timeCreated: time,
    properties: names,
  }),
  findings: fc.record({
    tool,
    result: fc.array(
      fc.record({ rule: name, level: fc.constantFrom("error", "warning", "note", "none") }),
      { maxLength: 6 },
    ),
  }),
  migrations: fc.record({
    tool,
    state: fc.constantFrom("in-sync", "pending", "failed", "diverged"),
    total: fc.option(fc.nat({ max: 3 }), { nil: null }),
    pending: names,
    failed: names,
    diverged: names,
  }),
  metrics: fc.record({
    tool,
    metrics: recordOf(recordOf(number)),
    thresholds: fc.array(fc.record({ metric: name, expression: name, passed: fc.boolean() }), {
      maxLength: 3,
    }),
  }),
  document: fc.record({
    format: fc.constantFrom("openapi", "markdown"),
    title: name,
    version: fc.option(fc.oneof(fc.constantFrom("1.1.0", "v1.1.0"), name.map(short)), {
      nil: null,
    }),
    sections: names,
    values: recordOf(fc.oneof(name, fc.string({ unit: fc.constantFrom("`", '"', " ", "a") }))),
    operations: fc.array(fc.oneof(operation, name), { maxLength: 6 }),
  }),
  comparison: fc.record({
    fixtures: fc.array(
      fc.record({
        name,
        expected: number,
        actual: number,
        tolerance: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
};

/** Readings of any value, read at any time, and such as did not come about. */
export const anyReading = fc.record({
  kind: name,
  subject: fc.oneof(fc.constant("orders"), name),
  at: fc.oneof({ weight: 9, arbitrary: fc.constant(ago(0)) }, time, name),
  value: fc.oneof(
    {
      weight: 9,
      arbitrary: recordOf(fc.oneof(fc.jsonValue(), number, time, name, names, fc.constant([]))),
    },
    fc.jsonValue(),
  ),
  problem: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.string()),
});

/** Declared resources of two types, by name, with inputs of any value. */
export const anyResources = fc.dictionary(
  name,
  fc.record({
    type: fc.constantFrom("aws:sqs/queue:Queue", "aws:s3/bucket:Bucket"),
    props: recordOf(fc.oneof(fc.jsonValue(), number, time, name, names, fc.constant([]))),
  }),
  { maxKeys: 4 },
);

const count = fc.nat({ max: 4 });
const limit = fc.oneof(count, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }));
const optionalCount = fc.option(count, { nil: undefined });
const askedName = name.map((one) => one.trim()).filter((one) => one !== "" && one !== "__proto__");
const askedNames = fc.uniqueArray(askedName, { minLength: 1, maxLength: 5 });

function askedRecord<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc.dictionary(askedName, value, { minKeys: 1, maxKeys: 4 });
}

const askedFields = askedRecord(
  fc.oneof(
    fc.record({ is: fc.oneof(askedName, number, fc.boolean()) }),
    fc.record({ oneOf: askedNames }),
    fc.record({ atLeast: limit }),
    fc.record({ atMost: limit }),
    fc.record({ within: fc.constantFrom("1s", "90m", "24h", "7d") }),
    fc.record({ includes: askedName }),
    fc.record({ empty: fc.boolean() }),
    fc.record({ above: limit, below: limit }),
    fc.record({ matches: fc.constantFrom(".*", "orders|refund", "(a+)+") }),
    fc.record({ stamped: fc.constantFrom("vX.Y.Z-YYYYMMDD", "YYYYMMDD_HHMMSS") }),
    fc.record({ sameAs: fc.constantFrom("release.version", "row.orders", "declared.orders") }),
    fc.record({ differsFrom: fc.constantFrom("release.images.api", "row.refund") }),
  ),
);

const glob = fc.constantFrom("orders", "refund", "re*", "*", "**", "x/**");
const globs = fc.uniqueArray(glob, { minLength: 1, maxLength: 2 });

function byGlob<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> {
  return fc.dictionary(glob, value, { minKeys: 1, maxKeys: 2 });
}

const askedSamples = {
  series: fc.option(fc.constantFrom(...commonNames), { nil: undefined }),
  over: fc.constantFrom("1m", "2m"),
  every: fc.constantFrom("30s", "1m"),
};
const of = fc.constantFrom("every", "last", "mean", "highest");

/** What a checklist may ask of each kind that judges evidence or readings. */
export const anyRequest: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "tests-passed": fc.record({
    atLeast: fc.integer({ min: 1, max: 4 }),
    mostSkipped: optionalCount,
    mostRetried: optionalCount,
    suitesAtLeast: fc.constantFrom(undefined, 1, 2),
  }),
  "list-covered": fc.record({ items: askedNames }),
  "vulnerabilities-within": fc.record({
    critical: optionalCount,
    high: count,
    medium: optionalCount,
    low: optionalCount,
    negligible: optionalCount,
    unknown: optionalCount,
  }),
  "findings-within": fc.record({ error: count, warning: optionalCount, note: optionalCount }),
  "migrations-in-sync": fc.record({
    total: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  }),
  "metrics-within": fc.record({
    metrics: askedRecord(
      askedRecord(
        fc.oneof(
          fc.record({ most: limit }),
          fc.record({ least: limit }),
          fc.tuple(limit, limit).map(([a, b]) => ({ least: Math.min(a, b), most: Math.max(a, b) })),
        ),
      ),
    ),
    thresholdsPassed: fc.boolean(),
  }),
  "run-passed": fc.record({
    properties: askedNames,
    verifier: fc.option(askedName, { nil: undefined }),
  }),
  "document-says": fc.record({
    sections: askedNames,
    values: fc.option(
      askedRecord(
        fc.oneof(
          fc.record({ is: fc.constantFrom("1", "`a`", "orders", "refund") }),
          fc.record({ declared: askedName }),
        ),
      ),
      { nil: undefined },
    ),
  }),
  "operations-documented": fc.record({
    operations: fc.uniqueArray(operation, {
      minLength: 1,
    }),
    version: fc.option(fc.oneof(fc.constant("release"), askedName.map(short)), { nil: undefined }),
  }),
  "comparison-within": fc.record({ fixtures: askedNames, tolerance: limit }),
  "resources-show": fc.record({
    type: fc.constant("aws:sqs/queue:Queue"),
    where: fc.option(askedFields, { nil: undefined }),
    each: fc.option(askedFields, { nil: undefined }),
    count: fc.option(
      fc.oneof(
        fc.record({ atLeast: fc.integer({ min: 1, max: 2 }) }),
        fc.record({ atMost: fc.nat({ max: 1 }) }),
      ),
      { nil: undefined },
    ),
  }),
  "records-show": fc.record({
    key: fc.option(askedName, { nil: undefined }),
    where: fc.option(askedRecord(fc.record({ differsFrom: fc.constant("row.orders") })), {
      nil: undefined,
    }),
    each: fc.option(
      askedRecord(
        fc.oneof(
          fc.record({ is: fc.oneof(askedName, number, fc.boolean()) }),
          fc.record({ atMost: limit }),
          fc.record({ sameAs: fc.constant("row.refund") }),
        ),
      ),
      { nil: undefined },
    ),
    count: fc.oneof(fc.record({ atMost: count }), fc.record({ atLeast: count.map((n) => n + 1) })),
  }),
  "inventory-holds": fc
    .uniqueArray(
      fc.oneof(
        fc.tuple(fc.constantFrom("present", "absent", "executable"), globs),
        fc.tuple(fc.constant("count"), byGlob(fc.record({ is: count }))),
        fc.tuple(fc.constant("beside"), byGlob(fc.constant(["refund"]))),
        fc.tuple(fc.constant("together"), byGlob(glob)),
      ),
      { selector: ([key]) => key, minLength: 1 },
    )
    .map(Object.fromEntries),
  "series-within": fc
    .record({
      ...askedSamples,
      of,
      limits: fc.constantFrom(
        { fine: { atMost: 1 } },
        { fine: { above: "10%" } },
        { fine: { below: 1 }, rollback: { atLeast: 1 } },
        { fine: { atMost: "500ms" }, rollback: { above: 1, for: "1m" } },
        { fine: { atLeast: 1 }, rollback: { below: 1 } },
      ),
    })
    .map(({ limits, ...rest }) => ({ ...rest, ...limits })),
  "streak-within": fc.record({
    ...askedSamples,
    good: fc.constantFrom(0, 1, "100%", undefined),
    mostInARow: count,
  }),
  "series-against-baseline": fc.record({
    ...askedSamples,
    of,
    baseline: fc.constantFrom("baseline", "sample"),
    atMost: fc.constantFrom(0.5, 1, 1.2),
    rollbackAbove: fc.constantFrom(1.2, 2, undefined),
  }),
  "reading-shows": fc.record({
    about: fc.constantFrom(undefined, "databases", "archives"),
    fields: askedFields,
  }),
};

function short(one: string): string {
  return one.slice(0, 128).trim() === "" ? "1" : one.slice(0, 128).trim();
}
