import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { names } from "../../../../infra/evidence/readers/names.ts";
import { describeBadBytes, readWith, refusal, sample } from "./samples.ts";

const list = sample("names/names.json");
const namesOf = (report: unknown) => readWith(names, report).facts.entries.map(({ name }) => name);

describe("names", () => {
  test("reads a list of names", () => {
    expect(readWith(names, list)).toEqual({
      facts: { entries: [{ name: "orders" }, { name: "invoices" }, { name: "GET /health" }] },
      producedAt: null,
    });
    expect(namesOf([])).toEqual([]);
    expect(namesOf([" __proto__ ", "constructor"])).toEqual(["__proto__", "constructor"]);
  });

  test.each([
    ["nothing", "", /no JSON/],
    ["lines", "orders\ninvoices", /no JSON/],
    ["an object", { a: "b" }, /it is no JSON list of names/],
    ["a number in it", ["a", 1], /see 1/],
    ["a list in it", [["a"]], /see 0/],
    ["null in it", [null], /see 0/],
    ["an empty name", ["a", " "], /see 1/],
    ["a long name", ["x".repeat(1025)], /see 0/],
    ["a name twice", ["a", "b", "a"], "it names a twice"],
    ["a name twice but for blanks", ["a", "a "], "it names a twice"],
    [
      "more names than evidence holds",
      Array.from({ length: 50_001 }, (_value, at) => `${at}`),
      /see entries: .*50000/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(names, report)).toMatch(message);
  });

  property.prop([fc.uniqueArray(fc.string().map((text) => `${text}.`.trim()))])(
    "what is written is read",
    (written) => {
      expect(namesOf(written)).toEqual(written);
    },
  );

  describeBadBytes(names, list);
});
