import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fail, inconclusive } from "../../../policies/gate.ts";
import {
  holds,
  judgedValues,
  lengthText,
  limit,
  limitText,
  measured,
  overlap,
  plainNumber,
  runsOf,
  samplesOf,
  shortened,
  spanOf,
  timeText,
  valueText,
} from "../../../policies/checks/series.ts";

const at = (value: number, index: number) => ({ at: index * 60, value });
const parsed = (text: object) => limit.parse(text);

describe("limits", () => {
  test.each([
    [{ atMost: 2 }, "2 or less", [true, true, false]],
    [{ below: 2 }, "below 2", [true, false, false]],
    [{ atLeast: 2 }, "2 or more", [false, true, true]],
    [{ above: 2 }, "above 2", [false, false, true]],
  ])("%o holds %s", (text, words, expected) => {
    const asked = parsed(text);
    expect(limitText(asked)).toBe(words);
    expect([1, 2, 3].map((value) => holds(value, asked))).toEqual(expected);
  });

  const side = fc.constantFrom("atMost", "below", "atLeast", "above");
  const anyLimit = fc.tuple(side, fc.nat({ max: 4 })).map(([name, to]) => parsed({ [name]: to }));

  test("overlap when some number is within both", () => {
    // Halves lie between the limits that are drawn, and 100 beyond all of them.
    const numbers = [...Array.from({ length: 13 }, (_, half) => half / 2 - 1), 100];
    fc.assert(
      fc.property(anyLimit, anyLimit, (one, other) => {
        const both = numbers.some((value) => holds(value, one) && holds(value, other));
        expect(overlap(one, other)).toBe(both);
        expect(overlap(other, one)).toBe(both);
      }),
    );
  });

  test.each([
    [0.06, { atMost: "5%" }, "6%"],
    [0.003, { atMost: "0.1%" }, "0.3%"],
    [0.612345678, { below: "500ms" }, "612.346ms"],
    [90, { atMost: "1m" }, "1.5m"],
    [3, { atMost: 2 }, "3"],
    [0, { above: 0 }, "0"],
    [2.00000001, { atMost: 2 }, "2.00000001"],
    [1e-7, { atMost: 1e-8 }, "1e-7"],
    [1e300, { atMost: 2 }, "1e+300"],
  ])("%s is told with the unit of %o", (value, text, words) => {
    expect(valueText(value, parsed(text))).toBe(words);
  });
});

describe("texts", () => {
  test.each([
    [1_772_452_800, "2026-03-02T12:00:00Z"],
    [1_772_452_800.9, "2026-03-02T12:00:00Z"],
    [0, "1970-01-01T00:00:00Z"],
    [1e300, "second 1e+300"],
  ])("%s is told as a time", (seconds, text) => {
    expect(timeText(seconds)).toBe(text);
  });

  test.each([
    [0, "0 seconds"],
    [0.4, "0 seconds"],
    [59.9, "59 seconds"],
    [3600.4, "1 hour"],
  ])("%s is told as a length of time", (seconds, text) => {
    expect(lengthText(seconds)).toBe(text);
  });

  test.each([
    [1 / 3, "0.333333"],
    [1_234_567, "1234570"],
    [-0, "0"],
  ])("%s is told with six digits", (value, text) => {
    expect(plainNumber(value)).toBe(text);
  });
});

describe("samples", () => {
  const asked = { over: 120, every: 60 };
  const values = fc.array(fc.option(fc.integer({ min: -1, max: 3 })), { maxLength: 12 });
  const timed = (all: readonly (number | null)[]) =>
    all.map((value, index): [number, number | null] => [index * 60, value]);

  test("a series has a problem, or every sample of it is known, close to the next and long enough", () => {
    const step = fc.integer({ min: -1, max: 100 });
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.option(fc.integer({ min: -1, max: 3 })))), (steps) => {
        let time = 0;
        const samples = steps.map(([by, value]): [number, number | null] => [(time += by), value]);
        const [series] = measured({ a: samples }, asked).series;
        const gaps = samples.slice(1).map(([time], index) => time - (samples[index]?.[0] ?? 0));
        const whole =
          (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0) >= 120 &&
          samples.every(([, value]) => value !== null && value >= 0) &&
          gaps.every((gap) => gap > 0 && gap <= 60);
        expect(series?.problems).toHaveLength(whole ? 0 : 1);
        if (series === undefined || !whole) return;
        expect(samplesOf(series)).toEqual(samples.map(([at, value]) => ({ at, value })));
        expect(series.parts).toHaveLength(1);
      }),
    );
  });

  test("runs are the longest rows of samples, none of them across one that is not known", () => {
    fc.assert(
      fc.property(values, (all) => {
        const [series] = measured({ a: timed(all) }, asked).series;
        const runs = runsOf(series as never, (value) => value > 1);
        const text = all.map((value) => (value !== null && value > 1 ? "x" : ".")).join("");
        expect(runs.map((run) => run.length)).toEqual(
          [...text.matchAll(/x+/g)].map(([found]) => found.length),
        );
        for (const run of runs) expect(spanOf(run)).toBe((run.length - 1) * 60);
      }),
    );
  });

  test("a gap parts a run", () => {
    const samples = [0, 60, 180, 240, 300].map((time): [number, number] => [time, 2]);
    const [series] = measured({ a: samples }, asked).series;
    expect(runsOf(series as never, () => true).map(spanOf)).toEqual([60, 120]);
  });

  test("every series is judged, or the one that is named", () => {
    const report = { a: timed([1, 1, 1]), b: timed([1]) };
    expect(measured(report, asked).series.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(measured(report, { ...asked, series: "b" }).series.map(({ name }) => name)).toEqual([
      "b",
    ]);
    expect(measured({}, asked)).toEqual({
      problems: [inconclusive("it holds no series")],
      series: [],
    });
  });

  test("what is judged of them is one number, or all", () => {
    const samples = [0.2, 0.4, 0.3].map(at);
    expect(judgedValues(samples, "every")).toEqual([0.2, 0.4, 0.3]);
    expect(judgedValues(samples, "last")).toEqual([0.3]);
    expect(judgedValues(samples, "mean")).toEqual([0.3]);
    expect(judgedValues(samples, "highest")).toEqual([0.4]);
  });

  test("a mean lies between its ends, however large they are", () => {
    const value = fc.double({ min: 0, max: 1.7e308, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (all) => {
        const [mean = Number.NaN] = judgedValues(all.map(at), "mean");
        expect(mean).toBeGreaterThanOrEqual(Math.min(...all) * (1 - 1e-11));
        expect(mean).toBeLessThanOrEqual(Math.max(...all) * (1 + 1e-11));
      }),
    );
  });
});

test("many reasons become six, failures first, and none is lost in a better verdict", () => {
  const unsure = Array.from({ length: 9 }, (_, index) => inconclusive(`unsure ${index}`));
  const short = shortened([...unsure, fail("bad")]);
  expect(short).toHaveLength(6);
  expect(short[0]).toEqual(fail("bad"));
  expect(short[5]).toEqual(inconclusive("5 more series are not as they must be"));
  expect(shortened(Array.from({ length: 9 }, () => fail("bad"))).at(-1)?.verdict).toBe("fail");
  expect(shortened(unsure.slice(3))).toEqual(unsure.slice(3));
});
