import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { prometheus } from "../../../../infra/evidence/readers/prometheus.ts";
import {
  attempt,
  describeBadBytes,
  describeBadJson,
  readWith,
  refusal,
  sample,
} from "./samples.ts";

type Labels = Readonly<Record<string, string>>;

const matrix = (...result: unknown[]) => ({
  status: "success",
  data: { resultType: "matrix", result },
});
const one = (metric: unknown, values: unknown = [[1769860800, "1"]]) => matrix({ metric, values });
const namesOf = (report: unknown) => Object.keys(readWith(prometheus, report).facts.series);

describe("prometheus", () => {
  test("reads every sample of a range by the labels of its series; what is no number is null", () => {
    expect(readWith(prometheus, sample("prometheus/query-range.json"))).toEqual({
      facts: {
        series: {
          "code=500,service=api": [
            [1769860800, 0],
            [1769860815.123, 0.0015],
            [1769860830, null],
          ],
          "code=500,service=web": [
            [1769860800, 0.00001],
            [1769860815.123, null],
            [1769860830, -3.5],
          ],
        },
      },
      producedAt: "2026-01-31T12:00:30.000Z",
    });
  });

  test("reads the one sample of an instant, which is called value without a name", () => {
    expect(readWith(prometheus, sample("prometheus/query.json"))).toEqual({
      facts: { series: { value: [[1769860800.781, 3]] } },
      producedAt: "2026-01-31T12:00:00.781Z",
    });
  });

  test("it was measured when the newest sample of any series was, wherever it stands", () => {
    const report = matrix(
      { metric: { a: "1" }, values: [[1769860830, "1"]] },
      {
        metric: { a: "2" },
        values: [
          [1769860890, "1"],
          [1769860860, "1"],
        ],
      },
    );
    expect(readWith(prometheus, report).producedAt).toBe("2026-01-31T12:01:30.000Z");
  });

  test.each<[string, Labels, string]>([
    ["its labels, sorted", { b: "2", a: "1" }, "a=1,b=2"],
    ["its labels alone where it has a name too", { __name__: "up", job: "api" }, "job=api"],
    ["the name of its metric where it has no labels", { __name__: "up" }, "up"],
    ["value where it has nothing", {}, "value"],
    ["value where it has an empty name", { __name__: " " }, "value"],
    ["a label that every object has", { constructor: "x" }, "constructor=x"],
    ["an empty label", { job: "" }, "job="],
    ["a hostile label", { job: "a\nTo do: nothing" }, "job=a\nTo do: nothing"],
    ["a label that is very long", { job: "x".repeat(9000) }, `job=${"x".repeat(507)}…`],
  ])("a series is called by %s", (_, labels, name) => {
    expect(namesOf(one(labels))).toEqual([name]);
  });

  test.each([
    ["a whole number", "44", 44],
    ["a small one", "1.5e-09", 1.5e-9],
    ["a large one", "1e+21", 1e21],
    ["zero below zero", "-0", 0],
    ["no number", "NaN", null],
    ["infinity", "+Inf", null],
    ["infinity below zero", "-Inf", null],
    ["a number beyond a double", "1e999", null],
  ])("reads %s", (_, text, value) => {
    expect(readWith(prometheus, one({}, [[1769860800, text]])).facts.series).toEqual({
      value: [[1769860800, value]],
    });
  });

  test("notes and statistics do not matter, nor an empty list of warnings", () => {
    const report = {
      ...one({}),
      infos: ["PromQL info"],
      warnings: [],
      stats: {},
      isPartial: false,
    };
    expect(namesOf(report)).toEqual(["value"]);
    expect(namesOf({ ...one({}), warnings: null })).toEqual(["value"]);
  });

  const good = one({ job: "api" });
  test.each([
    [
      "a query that failed",
      { status: "error", errorType: "timeout", error: "query timed out" },
      "the query failed: query timed out",
    ],
    [
      "a query that failed without a reason",
      { ...good, status: "error" },
      "the query failed: its status is error",
    ],
    [
      "a warning",
      { ...good, warnings: ["store-1 did not answer", "another"] },
      "it may be incomplete, it warns: store-1 did not answer (and 1 more)",
    ],
    ["a warning of control characters", { ...good, warnings: ["\u001B[2J"] }, /it warns: \?\[2J$/],
    ["a part of an answer", { ...good, isPartial: true }, /it is incomplete/],
    ["warnings that are a text", { ...good, warnings: "none" }, /see warnings/],
    ["another status", { ...good, status: "ok" }, "the query failed: its status is ok"],
    ["no data", { status: "success" }, /see data/],
    [
      "a scalar",
      { status: "success", data: { resultType: "scalar", result: [1, "1"] } },
      /see data\.resultType/,
    ],
    ["a range that holds an instant", matrix({ metric: {}, value: [1, "1"] }), /result\.0/],
    [
      "native histograms",
      matrix({ metric: {}, values: [[1, "1"]], histograms: [] }),
      /see data\.result\.0: .*histograms/,
    ],
    ["a value that is a number", one({}, [[1, 1]]), /values\.0\.1/],
    ["a value that is null", one({}, [[1, null]]), /values\.0\.1/],
    ["a value in words", one({}, [[1, "many"]]), /values\.0\.1: no number/],
    ["an empty value", one({}, [[1, ""]]), /values\.0\.1: no number/],
    ["a value in hex", one({}, [[1, "0x10"]]), /values\.0\.1: no number/],
    ["a time that is a text", one({}, [["1", "1"]]), /values\.0\.0/],
    ["a sample of three", one({}, [[1, "1", "1"]]), /values\.0/],
    ["a label that is a number", one({ code: 500 }), /metric\.code/],
    ["labels that are a list", one([]), /result\.0\.metric/],
    ["a time before 1970", one({}, [[-1, "1"]]), /time that is none/],
    ["a time in milliseconds", one({}, [[1e15, "1"]]), /time that is none/],
    ["no series", matrix(), /holds no samples; let the query answer 0/],
    ["series without samples", one({}, []), /holds no samples/],
    ["a series called __proto__", one({ __name__: "__proto__" }), /called __proto__/],
    [
      "two series of the same labels",
      matrix(
        { metric: { __name__: "a", job: "api" }, values: [[1, "1"]] },
        { metric: { __name__: "b", job: "api" }, values: [[1, "1"]] },
      ),
      "it names job=api twice",
    ],
    [
      "two series whose labels read the same",
      matrix(
        { metric: { a: "1,b=2" }, values: [[1, "1"]] },
        { metric: { a: "1", b: "2" }, values: [[1, "1"]] },
      ),
      "it names a=1,b=2 twice",
    ],
    [
      "more samples than evidence holds",
      one(
        {},
        Array.from({ length: 20_001 }, (_value, index) => [index + 1, "1"]),
      ),
      /see series\.value: .*20000/,
    ],
    [
      "more series than evidence holds",
      matrix(
        ...Array.from({ length: 1001 }, (_value, index) => ({
          metric: { a: String(index) },
          values: [[1, "1"]],
        })),
      ),
      /no more than 1000 series/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(prometheus, report)).toMatch(message);
  });

  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const label = fc.stringMatching(/^[a-z_]\w{0,10}$/).filter((text) => text !== "__proto__");
  const labels = fc.dictionary(label, fc.string({ unit: "binary" }), { noNullPrototype: true });
  const samples = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 2_000_000_000 }), fc.option(number)),
    { minLength: 1, maxLength: 20 },
  );
  const written = (value: number | null) => (value === null ? "NaN" : String(value));

  property.prop([
    fc.uniqueArray(fc.tuple(fc.nat({ max: 99 }), samples), {
      minLength: 1,
      maxLength: 8,
      selector: ([id]) => id,
    }),
  ])("gives the samples that were put in, in their order, and the newest time", (all) => {
    const report = matrix(
      ...all.map(([id, values]) => ({
        metric: { id: String(id) },
        values: values.map(([at, value]) => [at, written(value)]),
      })),
    );
    const { facts, producedAt } = readWith(prometheus, report);
    expect(facts.series).toEqual(
      Object.fromEntries(all.map(([id, values]) => [`id=${id}`, values])),
    );
    const newest = Math.max(...all.flatMap(([, values]) => values.map(([at]) => at)));
    expect(producedAt).toBe(new Date(newest * 1000).toISOString());
  });

  property.prop([fc.array(labels, { minLength: 1, maxLength: 4 })])(
    "any labels are read or refused, and no series is lost",
    (all) => {
      const outcome = attempt(
        prometheus,
        matrix(...all.map((metric) => ({ metric, values: [[1, "1"]] }))),
      );
      if (typeof outcome === "string") expect(outcome).toMatch(/twice|__proto__/);
      else expect(Object.keys(outcome.facts.series)).toHaveLength(all.length);
    },
  );

  property.prop([labels])("the order of labels changes nothing", (metric) => {
    const turned = Object.fromEntries(Object.entries(metric).toReversed());
    expect(attempt(prometheus, one(turned))).toEqual(attempt(prometheus, one(metric)));
  });

  for (const name of ["query-range", "query"]) {
    describe(`answer to ${name}`, () => {
      describeBadBytes(prometheus, sample(`prometheus/${name}.json`));
      describeBadJson(prometheus, sample(`prometheus/${name}.json`));
    });
  }
});
