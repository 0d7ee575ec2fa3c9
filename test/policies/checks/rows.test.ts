import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  asksOfRows,
  fieldsOf,
  judgeRows,
  rowName,
  rowsAsked,
  rowsText,
} from "../../../policies/checks/rows.ts";
import { sampleNow } from "../../support/kind-tester.ts";
import { readyFacts } from "../../support/samples.ts";

const schema = z.strictObject(rowsAsked);
const words = ["alarm", "alarms"] as const;

/** What is wrong with rows, each as its verdict and what was found. */
function judged(values: readonly unknown[], asked: unknown): string[] {
  const rows = values.map((value, index) => ({ name: `a${index}`, value }));
  const context = { facts: readyFacts, now: sampleNow };
  return judgeRows(rows, schema.parse(asked), words, context).map(
    ({ verdict, found }) => `${verdict}: ${found}`,
  );
}

const where = { kind: { is: "5xx" }, region: { is: "eu" } };

describe("rows", () => {
  test.each([
    ["one row that is as it must be", [{ n: 1 }], { each: { n: { is: 1 } } }],
    ["as many as there must be", [{}, {}], { count: { atLeast: 2, atMost: 2 } }],
    [
      "none where only a highest number is asked",
      [],
      { count: { atMost: 0 }, each: { n: { is: 1 } } },
    ],
    ["none that matches", [{ n: 1 }], { where: { n: { is: 2 } }, count: { atMost: 0 } }],
    [
      "a row that is ruled out before anything else is known",
      [{ kind: "4xx" }],
      { where, count: { atMost: 0 } },
    ],
    ["a row that is ruled out later", [{ region: "us" }], { where, count: { atMost: 0 } }],
    [
      "a row that is ruled out, and another one",
      [{ kind: "4xx" }, { kind: "5xx", region: "eu" }],
      { where },
    ],
  ])("passes: %s", (_, rows, asked) => {
    expect(judged(rows, asked)).toEqual([]);
  });

  test.each([
    ["a row that is not", [{ n: 2 }], { each: { n: { is: 1 } } }, ["fail: a0: n is 2"]],
    ["none at all", [], { each: { n: { is: 1 } } }, ["inconclusive: there are 0 alarms"]],
    [
      "none that matches",
      [{ kind: "4xx", region: "eu" }],
      { where },
      ["fail: there are 0 alarms with kind is 5xx and region is eu"],
    ],
    ["too many", [{}, {}], { count: { atMost: 1 } }, ["fail: there are 2 alarms"]],
    ["too few", [{}], { count: { atLeast: 2 } }, ["fail: there is 1 alarm"]],
    [
      "a row that may match",
      [{ kind: "5xx" }],
      { where, count: { atMost: 0 } },
      ["inconclusive: a0: region is not in the alarm"],
    ],
    [
      "a row that is no record",
      ["x"],
      { where, count: { atMost: 0 } },
      [
        "inconclusive: a0: kind is not in the alarm",
        "inconclusive: a0: region is not in the alarm",
      ],
    ],
    [
      "more rows than a message holds",
      Array.from({ length: 12 }, (_value, index) => (index === 11 ? { n: 2 } : {})),
      { each: { n: { is: 1 } } },
      [
        ...Array.from(
          { length: 10 },
          (_value, at) => `inconclusive: a${at}: n is not in the alarm`,
        ),
        "fail: 2 more alarms are not as required",
      ],
    ],
  ])("closes: %s", (_, rows, asked, reasons) => {
    expect(judged(rows, asked)).toEqual(reasons);
  });

  test.each([
    [{ where: { n: { is: 1 } } }, false],
    [{ each: { n: { is: 1 } } }, true],
    [{ count: { atMost: 1 } }, true],
    [{}, false],
  ])("%j asks something that a row can fail: %s", (asked, does) => {
    expect(asksOfRows(schema.parse(asked))).toBe(does);
  });

  test.each([
    [{}, "1 alarm or more"],
    [{ count: { atLeast: 2 } }, "2 alarms or more"],
    [{ count: { atMost: 1 } }, "no more than 1 alarm"],
    [{ count: { atMost: 0 } }, "no alarm"],
    [{ count: { atLeast: 1, atMost: 1 } }, "exactly 1 alarm"],
    [{ count: { atLeast: 1, atMost: 2 } }, "1 alarm or more and no more than 2 alarms"],
    [
      { where, each: { on: { is: true } } },
      "1 alarm or more with kind is 5xx and region is eu, of each on is true",
    ],
  ])("%j as a sentence: %s", (asked, text) => {
    expect(rowsText(schema.parse(asked), words)).toBe(text);
  });

  test("the fields are those that are asked about and compared with, each once", () => {
    const asked = schema.parse({
      where: { a: { is: 1 }, "b.c": { differsFrom: "row.d.e" } },
      each: { a: { atMost: 2 }, f: { sameAs: "release.commit" }, g: { sameAs: "row.a" } },
    });
    expect(fieldsOf(asked).sort()).toEqual(["a", "b.c", "d.e", "f", "g"]);
  });

  test.each([
    [{ id: "x" }, "id", "x"],
    [{ id: 7 }, "id", "7"],
    [{ id: { x: "y" } }, "id.x", "y"],
    [{ id: null }, "id", "row 3"],
    [{}, "id", "row 3"],
    [{}, "constructor", "row 3"],
    ["x", "length", "row 3"],
    [{ id: "x" }, undefined, "row 3"],
  ])("the row %j is named by %s: %s", (value, key, name) => {
    expect(rowName(value, key, 2)).toBe(name);
  });

  const row = fc.record({ kind: fc.constantFrom("5xx", "4xx", 5, null), n: fc.nat({ max: 3 }) });
  const anyAsked = fc.record({
    where: fc.constantFrom(undefined, { kind: { is: "5xx" } }),
    each: fc.constant({ n: { atMost: 2 } }),
    count: fc.option(fc.record({ atLeast: fc.integer({ min: 1, max: 3 }) }), { nil: undefined }),
  });

  property.prop([fc.array(row), fc.array(row), anyAsked])(
    "what is open has as many good rows as asked, and no other",
    (some, more, asked) => {
      const all = [...some, ...more];
      const open = judged(all, asked).length === 0;
      const meant = all.filter(({ kind }) => asked.where === undefined || kind === "5xx");
      const unknown = asked.where !== undefined && all.some(({ kind }) => typeof kind !== "string");
      const good = meant.every(({ n }) => n <= 2) && meant.length >= (asked.count?.atLeast ?? 1);
      expect(open).toBe(good && !unknown);
    },
  );
});
