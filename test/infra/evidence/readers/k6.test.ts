import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { k6 } from "../../../../infra/evidence/readers/k6.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const read = (report: unknown) => readWith(k6, report).facts;

const duration = { avg: 104.25, min: 80.5, med: 101, max: 310.75, "p(90)": 140, "p(95)": 180.5 };
const failed = { rate: 0.016666666666666666, passes: 1, fails: 59 };
const vus = { value: 2, min: 2, max: 2 };

describe("k6", () => {
  test.each(["handle-summary", "summary-export"])("reads the shape of %s", (name) => {
    expect(readWith(k6, sample(`k6/${name}.json`))).toEqual({
      facts: {
        tool: { name: "k6" },
        metrics: {
          http_req_duration: duration,
          http_req_failed: failed,
          http_reqs: { count: 60, rate: 1.9985677 },
          vus,
          balance: { avg: -1.5, min: -3, med: -1.5, max: 0, "p(90)": -0.5, "p(95)": -0.25 },
        },
        thresholds: [
          { metric: "http_req_duration", expression: "p(95)<500", passed: true },
          { metric: "http_req_duration", expression: "avg<100", passed: false },
          { metric: "http_req_failed", expression: "rate<0.05", passed: true },
        ],
      },
      producedAt: null,
    });
  });

  test("reads the shape of version 1.0.0, which says nothing of thresholds", () => {
    expect(readWith(k6, sample("k6/machine-readable.json"))).toEqual({
      facts: {
        tool: { name: "k6", version: "1.4.0" },
        metrics: {
          http_req_duration: duration,
          http_req_failed: failed,
          http_reqs: { count: 60 },
          vus,
          checks_total: { count: 60 },
          checks_failed: failed,
          checks_succeeded: { rate: 0.9833333333333333, passes: 59, fails: 1 },
        },
        thresholds: [],
      },
      producedAt: "2026-01-31T12:00:30.123Z",
    });
  });

  test("a summary without metrics has none", () => {
    expect(read({ metrics: {} })).toEqual({ tool: { name: "k6" }, metrics: {}, thresholds: [] });
  });

  test("a metric may be called as what every object has", () => {
    const { metrics } = read('{"metrics":{"constructor":{"value":1,"min":0,"max":1}}}');
    expect(metrics["constructor"]).toEqual({ value: 1, min: 0, max: 1 });
  });

  const full = (metric: object, name = "m") => ({ metrics: { [name]: metric } });
  const trend = { type: "trend", contains: "time", values: { avg: 1, "p(99.9)": 2 } };
  const rate = { type: "rate", contains: "default", values: { rate: 1, passes: 1, fails: 0 } };
  const counter = { type: "counter", contains: "data", values: { count: 1, rate: 0.5 } };

  test.each([
    ["a trend", trend],
    ["a trend of one statistic", { ...trend, values: { count: 3 } }],
    ["a trend below zero that is no time", { ...trend, contains: "default", values: { min: -1 } }],
    ["a rate of nothing", { ...rate, values: { rate: 0, passes: 0, fails: 0 } }],
    ["a counter", counter],
    ["a counter of nothing", { ...counter, values: { count: 0, rate: 0 } }],
    [
      "a gauge below zero",
      { type: "gauge", contains: "default", values: { value: -1, min: -2, max: 0 } },
    ],
  ])("reads %s", (_, metric) => {
    expect(read(full(metric)).metrics).toEqual({ m: metric.values });
  });

  test.each([
    [
      "a count below zero",
      full({ ...counter, values: { count: -1, rate: 0 } }),
      /metrics\.m\.values\.count/,
    ],
    ["a rate below zero", full({ ...counter, values: { count: 1, rate: -1 } }), /values\.rate/],
    [
      "a share above one",
      full({ ...rate, values: { rate: 1.1, passes: 1, fails: 0 } }),
      /values\.rate/,
    ],
    ["a share without its counts", full({ ...rate, values: { rate: 1 } }), /values\.passes/],
    [
      "half a count",
      full({ ...rate, values: { rate: 1, passes: 0.5, fails: 0 } }),
      /values\.passes/,
    ],
    ["a time below zero", full({ ...trend, values: { avg: -1 } }), /see metrics\.m: .*below zero/],
    ["a statistic that is null", full({ ...trend, values: { avg: null } }), /values\.avg/],
    ["a statistic that is a text", full({ ...trend, values: { avg: "NaN" } }), /values\.avg/],
    [
      "an unknown statistic",
      full({ ...trend, values: { p95: 1 } }),
      /metrics\.m\.values: .*does not know/,
    ],
    ["an unknown type", full({ ...trend, type: "histogram" }), /metrics\.m\.type/],
    ["an unknown content", full({ ...trend, contains: "bytes" }), /metrics\.m\.contains/],
    ["no values", full({ ...trend, values: null }), /metrics\.m\.values/],
    ["a threshold without a verdict", full({ ...trend, thresholds: { "avg<1": {} } }), /avg<1\.ok/],
    [
      "a threshold whose verdict is a text",
      full({ ...trend, thresholds: { "avg<1": { ok: "true" } } }),
      /avg<1\.ok/,
    ],
    [
      "thresholds that are a list",
      full({ ...trend, thresholds: ["avg<1"] }),
      /metrics\.m\.thresholds/,
    ],
    ["metrics that are a list", { metrics: [] }, /see metrics/],
    ["no metrics", { root_group: {} }, /see metrics/],
    ["a name that is too long", full(trend, "m".repeat(513)), /see metrics\.m/],
  ])("of handleSummary, %s is refused", (_, report, message) => {
    expect(refusal(k6, report)).toMatch(message);
  });

  test.each([
    ["a count below zero", full({ count: -1, rate: 0 }), /metrics\.m\.values\.count/],
    ["a share above one", full({ value: 2, passes: 1, fails: 0 }), /values\.rate/],
    ["a share that is told twice", full({ value: 1, rate: 0, passes: 1, fails: 0 }), /metrics\.m/],
    ["a time below zero", full({ avg: -1 }, "http_req_waiting"), /see metrics.http_req_waiting/],
    ["a time of a part below zero", full({ avg: -1 }, "iteration_duration{a:b}"), /below zero/],
    ["a statistic that is null", full({ avg: null }), /values\.avg/],
    ["an unknown statistic", full({ mean: 1 }), /does not know/],
    ["a gauge without its ends", full({ value: 1 }), /values\.min/],
    ["a threshold that is null", full({ avg: 1, thresholds: { "avg<1": null } }), /avg<1\.ok/],
    ["thresholds that are a truth", full({ avg: 1, thresholds: true }), /metrics\.m\.thresholds/],
  ])("of --summary-export, %s is refused", (_, report, message) => {
    expect(refusal(k6, report)).toMatch(message);
  });

  test.each([
    ["metrics", { metrics: { a: trend, b: { avg: 1 } } }, "b"],
    ["a metric and its threshold", full({ ...trend, thresholds: { "avg<1": false } }), "m"],
    [
      "a metric and its threshold, the other way",
      full({ avg: 1, thresholds: { "avg<1": { ok: true } } }),
      "m",
    ],
    [
      "thresholds",
      { metrics: { a: { avg: 1, thresholds: { "avg<1": true, "avg<2": { ok: true } } } } },
      "a",
    ],
  ])("%s of both shapes are refused", (_, report, name) => {
    expect(refusal(k6, report)).toBe(
      `it mixes the shapes of handleSummary and --summary-export, see metric ${name}`,
    );
  });

  const metric = { name: "m", type: "counter", contains: "default", values: { count: 1 } };
  const versioned = (metrics: unknown, changed: object = {}) => ({
    version: "1.0.0",
    metadata: { generatedAt: "2026-01-31T12:00:00Z", k6Version: "1.4.0" },
    config: { execution: "local", duration: 1 },
    results: { metrics },
    ...changed,
  });

  test.each([
    ["another version", versioned([], { version: "1.1.0" }), /see version/],
    ["no version", versioned([], { version: undefined }), /see version/],
    ["no time", versioned([], { metadata: { k6Version: "1.4.0" } }), /metadata\.generatedAt/],
    [
      "a time that is none",
      versioned([], { metadata: { generatedAt: "now", k6Version: "1.4.0" } }),
      /has a time that is none/,
    ],
    [
      "thresholds, which this version does not have",
      versioned([], { results: { metrics: [], thresholds: [] } }),
      /see results: .*thresholds/,
    ],
    ["metrics of another shape", versioned({ m: trend }), /see results\.metrics/],
    ["metrics of another shape beside its own", versioned([], { metrics: {} }), /metrics/],
    ["a metric that stands twice", versioned([metric, metric]), "it names m twice"],
    [
      "a metric called __proto__",
      versioned([{ ...metric, name: "__proto__" }]),
      /metrics\.0\.name/,
    ],
    [
      "a count below zero",
      versioned([{ ...metric, values: { count: -1 } }]),
      /metrics\.m\.values\.count/,
    ],
    [
      "more matches than there were",
      versioned([{ ...metric, type: "rate", values: { rate: 1, matches: 2, total: 1 } }]),
      /metrics\.m\.values\.fails/,
    ],
    [
      "a share without its counts",
      versioned([{ ...metric, type: "rate", values: { rate: 1 } }]),
      /values\.passes/,
    ],
    ["a time below zero", versioned([{ ...trend, name: "m", values: { avg: -1 } }]), /below zero/],
    [
      "thresholds of a metric",
      versioned([{ ...metric, thresholds: {} }]),
      /metrics\.0: .*thresholds/,
    ],
  ])("of version 1.0.0, %s is refused", (_, report, message) => {
    expect(refusal(k6, report)).toMatch(message);
  });

  test("more metrics or statistics than evidence holds are refused", () => {
    const many = Array.from({ length: 50_001 }, (_, index) => [`m${index}`, 1] as const);
    const metrics = Object.fromEntries(many.map(([key]) => [key, { avg: 1 }]));
    expect(refusal(k6, { metrics })).toMatch(/see metrics: it has more than 50000 entries/);
    const report = full(Object.fromEntries(many));
    expect(refusal(k6, report)).toMatch(/see metrics\.m: it has more than 50000 entries/);
  });

  test("the stream of --out json is refused", () => {
    expect(refusal(k6, '{"type":"Metric"}\n{"type":"Point"}\n')).toMatch(/no JSON, on line 2/);
  });

  const number = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
  const statistic = fc.constantFrom("avg", "min", "med", "max", "p(90)", "p(99.9)");
  const name = fc.stringMatching(/^[a-z]\w{0,20}$/).filter((text) => text !== "__proto__");

  property.prop([
    fc.dictionary(
      name,
      fc.record({
        values: fc.dictionary(statistic, number, { minKeys: 1, noNullPrototype: true }),
        verdicts: fc.dictionary(fc.constantFrom("avg<1", "max<2"), fc.boolean(), {
          noNullPrototype: true,
        }),
      }),
      { noNullPrototype: true },
    ),
  ])("both shapes give the numbers and verdicts that were put in", (metrics) => {
    const entries = Object.entries(metrics);
    const asFull = entries.map(([key, { values, verdicts }]) => [
      key,
      {
        type: "trend",
        contains: "time",
        values,
        thresholds: Object.fromEntries(Object.entries(verdicts).map(([of, ok]) => [of, { ok }])),
      },
    ]);
    const asExport = entries.map(([key, { values, verdicts }]) => [
      key,
      {
        ...values,
        thresholds: Object.fromEntries(Object.entries(verdicts).map(([of, ok]) => [of, !ok])),
      },
    ]);
    const facts = read({ metrics: Object.fromEntries(asFull) as unknown });
    expect(facts.metrics).toEqual(
      Object.fromEntries(entries.map(([key, { values }]) => [key, values])),
    );
    expect(facts.thresholds).toEqual(
      entries.flatMap(([key, { verdicts }]) =>
        Object.entries(verdicts).map(([expression, passed]) => ({
          metric: key,
          expression,
          passed,
        })),
      ),
    );
    expect(read({ metrics: Object.fromEntries(asExport) as unknown })).toEqual(facts);
  });

  for (const shape of ["handle-summary", "summary-export", "machine-readable"]) {
    describe(`shape of ${shape}`, () => {
      describeBadBytes(k6, sample(`k6/${shape}.json`));
      describeBadJson(k6, sample(`k6/${shape}.json`));
    });
  }
});
