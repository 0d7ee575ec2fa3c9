import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { coverage } from "../../../../infra/evidence/readers/coverage.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const good = sample("coverage/routes.json");

describe("coverage", () => {
  test("reads which entries were proven, and when", () => {
    expect(readWith(coverage, good)).toEqual({
      facts: {
        result: "FAILED",
        configuration: [],
        passedTests: ["GET /orders"],
        warnedTests: [],
        failedTests: ["POST /orders"],
        skippedTests: ["DELETE /orders/{id}"],
      },
      producedAt: "2026-01-31T12:00:00.000Z",
    });
  });

  test.each([
    ["all passed", ["passed", "passed"], "PASSED"],
    ["one was skipped", ["passed", "skipped"], "PASSED"],
    ["one failed", ["passed", "failed"], "FAILED"],
    ["all were skipped", ["skipped"], "FAILED"],
    ["nothing was required", [], "FAILED"],
  ])("where %s the result is told", (_, statuses, result) => {
    const items = statuses.map((status, index) => ({ name: `item ${index}`, status }));
    expect(readWith(coverage, { items }).facts.result).toBe(result);
  });

  test("without a time it has none", () => {
    expect(readWith(coverage, { items: [] }).producedAt).toBeNull();
  });

  const item = { name: "GET /orders", status: "passed" };

  test.each([
    ["a name that stands twice", { items: [item, item] }, "it names GET /orders twice"],
    [
      "a name that stands twice but for blanks",
      { items: [item, { ...item, name: " GET /orders" }] },
      "it names GET /orders twice",
    ],
    ["no items", {}, /see items/],
    ["items that are no list", { items: item }, /see items/],
    ["an empty name", { items: [{ ...item, name: " " }] }, /see items\.0\.name/],
    ["a long name", { items: [{ ...item, name: "x".repeat(513) }] }, /see items\.0\.name/],
    ["no status", { items: [item, { name: "x" }] }, /see items\.1\.status/],
    ["an unknown status", { items: [{ ...item, status: "ok" }] }, /see items\.0\.status/],
    ["a key that it does not know", { items: [{ ...item, role: "x" }] }, /see items\.0: .*role/],
    ["a time that is none", { items: [], measuredAt: "yesterday" }, /has a time that is none/],
    ["a day that is none", { items: [], measuredAt: "2026-02-30T00:00:00Z" }, /time that is none/],
    ["a time that is a number", { items: [], measuredAt: 0 }, /see measuredAt/],
    [
      "more items than evidence holds",
      { items: Array.from({ length: 50_001 }, (_value, index) => ({ ...item, name: `${index}` })) },
      /see passedTests: .*50000/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(coverage, report)).toMatch(message);
  });

  test("a message holds no control character of the report", () => {
    const items = [1, 2].map(() => ({ ...item, name: "a\u001B[31m" }));
    expect(refusal(coverage, { items })).toBe("it names a?[31m twice");
  });

  property.prop([
    fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1 }).map((name) => `${name}.`.trim()),
        status: fc.constantFrom("passed", "failed", "skipped"),
      }),
      { selector: ({ name }) => name },
    ),
  ])("each item stands in the list of its status", (items) => {
    const { facts } = readWith(coverage, { items });
    const named = (status: string) =>
      items.filter((one) => one.status === status).map(({ name }) => name);
    expect(facts.passedTests).toEqual(named("passed"));
    expect(facts.failedTests).toEqual(named("failed"));
    expect(facts.skippedTests).toEqual(named("skipped"));
  });

  describeBadBytes(coverage, good);
  describeBadJson(coverage, good);
});
