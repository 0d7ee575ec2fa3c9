import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { comparison } from "../../../../infra/evidence/readers/comparison.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const good = sample("comparison/invoices.json");

describe("comparison", () => {
  test("reads both numbers of each fixture, and when they were computed", () => {
    expect(readWith(comparison, good)).toEqual({
      facts: {
        fixtures: [
          { name: "invoice 1", expected: 10.5, actual: 10.504, tolerance: 0.01 },
          { name: "credit note", expected: -3, actual: -3, tolerance: 0 },
        ],
      },
      producedAt: "2026-01-31T12:00:00.000Z",
    });
  });

  const fixture = { name: "invoice", expected: 1, actual: 1, tolerance: 0 };
  const withFixture = (changed: object) => ({ fixtures: [{ ...fixture, ...changed }] });

  test("without a time it has none", () => {
    expect(readWith(comparison, { fixtures: [fixture] }).producedAt).toBeNull();
  });

  test.each([
    ["no fixtures", { fixtures: [] }, /see fixtures/],
    ["fixtures left out", {}, /see fixtures/],
    ["a name that stands twice", { fixtures: [fixture, fixture] }, "it names invoice twice"],
    [
      "a tolerance below zero",
      withFixture({ tolerance: -0.01 }),
      /no comparison, see fixtures\.0\.tolerance/,
    ],
    [
      "no tolerance",
      withFixture({ tolerance: undefined }),
      /no comparison, see fixtures\.0\.tolerance/,
    ],
    ["a number that is a text", withFixture({ actual: "1" }), /see fixtures\.0\.actual/],
    ["a number that is null", withFixture({ expected: null }), /see fixtures\.0\.expected/],
    ["an empty name", withFixture({ name: "" }), /see fixtures\.0\.name/],
    ["a key that it does not know", withFixture({ unit: "EUR" }), /see fixtures\.0: .*unit/],
    ["another key", { fixtures: [fixture], rounding: 2 }, /rounding/],
    ["a time that is none", { fixtures: [fixture], measuredAt: "" }, /has a time that is none/],
    [
      "a number beyond a double",
      '{"fixtures":[{"name":"x","expected":1e400,"actual":1,"tolerance":0}]}',
      /too large/,
    ],
    [
      "infinity",
      '{"fixtures":[{"name":"x","expected":Infinity,"actual":1,"tolerance":0}]}',
      /no JSON/,
    ],
    [
      "more fixtures than evidence holds",
      {
        fixtures: Array.from({ length: 50_001 }, (_value, index) => ({
          ...fixture,
          name: `${index}`,
        })),
      },
      /see fixtures: .*50000/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(comparison, report)).toMatch(message);
  });

  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

  property.prop([
    fc.array(fc.tuple(number, number, number.map(Math.abs)), { minLength: 1, maxLength: 20 }),
  ])("gives the numbers that were put in", (numbers) => {
    const fixtures = numbers.map(([expected, actual, tolerance], index) => ({
      name: `fixture ${index}`,
      expected,
      actual,
      tolerance,
    }));
    expect(readWith(comparison, { fixtures }).facts.fixtures).toEqual(fixtures);
  });

  describeBadBytes(comparison, good);
  describeBadJson(comparison, good);
});
