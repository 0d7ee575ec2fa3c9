import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { json } from "../../../../infra/evidence/readers/json.ts";
import { wanting } from "./rows.ts";
import { attempt, describeBadBytes, readWith, refusal, sample } from "./samples.ts";

const issues = sample("json/issues.json");
const journal = sample("json/journal.jsonl");

/** The rows of a report, with these fields only. */
const rowsOf = (report: unknown, fields: readonly string[], of?: string) =>
  readWith(wanting(json, fields, of), report).facts.rows;

describe("json", () => {
  test("reads a list of objects, each with the wanted fields and no others", () => {
    const reader = wanting(json, ["number", "state", "author.login", "milestone"]);
    expect(readWith(reader, issues)).toEqual({
      facts: {
        rows: [
          {
            number: 412,
            state: "OPEN",
            "author.login": "developer",
            milestone: { title: null },
          },
          { number: 398, state: "CLOSED", "author.login": "developer", milestone: null },
        ],
      },
      producedAt: null,
    });
  });

  test("reads an object on each line", () => {
    expect(rowsOf(journal, ["PRIORITY", "_SYSTEMD_UNIT", "MESSAGE"])).toEqual([
      { PRIORITY: "6", _SYSTEMD_UNIT: "orders-api.service", MESSAGE: "listening on 8080" },
      { PRIORITY: "3", _SYSTEMD_UNIT: "orders-api.service", MESSAGE: [72, 105] },
    ]);
  });

  test.each([
    ["an object alone, which is one row", { a: 1, b: 2 }, undefined, [{ a: 1 }]],
    ["a list that is empty", [], undefined, []],
    ["a list within", { x: { list: [{ a: 1 }, {}] } }, "x.list", [{ a: 1 }, {}]],
    ["a list under a name with dots", { "x.list": [{ a: 1 }] }, "x.list", [{ a: 1 }]],
    ["a line alone", '{"a":1,"b":2}\n', undefined, [{ a: 1 }]],
    ["lines that end otherwise", '{"a":1}\r\n{"a":2}\r\n', undefined, [{ a: 1 }, { a: 2 }]],
    ["lines with empty ones between", '{"a":1}\n\n{"a":2}', undefined, [{ a: 1 }, { a: 2 }]],
    ["an object over several lines", '{\n"a":1\n}\n', undefined, [{ a: 1 }]],
    ["an empty object on a line", '{}\n{"a":2}', undefined, [{}, { a: 2 }]],
  ])("takes %s", (_, report, of, rows) => {
    expect(rowsOf(report, ["a"], of)).toEqual(rows);
  });

  test("keeps of lists and records only what a check looks at", () => {
    const deep = {
      list: ["x", 1, true, null, { key: "secret" }, ["secret"]],
      record: { a: "secret" },
    };
    expect(rowsOf([deep], ["list", "record"])).toEqual([
      { list: ["x", 1, true, null, null, null], record: { a: null } },
    ]);
  });

  test("keeps nothing where nothing is wanted", () => {
    expect(rowsOf(issues, [])).toEqual([{}, {}]);
    expect(rowsOf([{ a: 1 }], ["__proto__", "constructor", "toString", "a.b"])).toEqual([{}]);
  });

  test("is refused where no gate asks for rows", () => {
    expect(refusal(json, issues)).toBe(
      "no gate of the checklist asks for its rows, so nothing may be kept",
    );
  });

  test.each([
    ["nothing", "", undefined, "it is empty; an export that lists nothing is written as []"],
    ["blanks", " \n\n", undefined, /it is empty/],
    ["no JSON", "no rows", undefined, "it is no JSON, on line 1"],
    ["a path that leads nowhere", { x: [] }, "y", "it has no list at y"],
    ["a path to no list", { x: { a: 1 } }, "x", "it has no list at x"],
    ["a path to null", { x: null }, "x", "it has no list at x"],
    ["a path in a list", [{ a: 1 }], "a", "it has no list at a"],
    ["a path in lines", journal, "a", "it is an object on each line, so it has no a"],
    ["a list of texts", ["a"], undefined, "row 1 is no object"],
    ["a list in a list", [{ a: 1 }, []], undefined, "row 2 is no object"],
    ["a text", '"a"', undefined, "row 1 is no object"],
    ["a number", "1", undefined, "row 1 is no object"],
    ["a line that is no JSON", '{"a":1}\n{"a":1}\n{"a":', undefined, "it is no JSON, on line 3"],
    ["a line that is no object", '{"a":1}\n[]', undefined, "row 2 is no object"],
    ["a key twice", '[{"a":1,"a":2}]', undefined, "it has a key twice, on line 1"],
    ["a key twice on a line", '{"a":1}\n{"a":1,"a":2}', undefined, "it has a key twice, on line 2"],
    ["__proto__", '[{"__proto__":{"a":1}}]', undefined, /__proto__/],
    ["two objects on a line", '{"a":1}{"a":2}', undefined, /no JSON/],
    [
      "an answer of GraphQL with errors",
      { data: { a: { nodes: [{ a: 1 }] } }, errors: [{ message: "x" }] },
      "data.a.nodes",
      "it may be incomplete: it has errors beside the list",
    ],
    [
      "a page of GraphQL with more behind it",
      { data: { a: { nodes: [{ a: 1 }], pageInfo: { hasNextPage: true } } } },
      "data.a.nodes",
      "it is incomplete: it says that there is more; export all pages",
    ],
    [
      "a first page of GitHub",
      { total_count: 31, items: [{ a: 1 }] },
      "items",
      "it claims 31 entries and holds 1",
    ],
    [
      "a search of GitHub that timed out",
      { total_count: 1, incomplete_results: true, items: [{ a: 1 }] },
      "items",
      /incomplete/,
    ],
    [
      "more rows than evidence holds",
      Array.from({ length: 50_001 }, () => ({})),
      undefined,
      /see rows: .*50000/,
    ],
  ])("%s is refused", (_, report, of, message) => {
    expect(refusal(wanting(json, ["a"], of), report)).toMatch(message);
  });

  test.each([
    ["all of GitHub", { total_count: 1, incomplete_results: false, items: [{ a: 1 }] }, "items"],
    [
      "the last page of GraphQL",
      { data: { nodes: [{ a: 1 }], pageInfo: { hasNextPage: false } }, errors: [] },
      "data.nodes",
    ],
    ["a list of errors", { errors: [{ a: 1 }] }, "errors"],
  ])("%s is read", (_, report, of) => {
    expect(readWith(wanting(json, ["a"], of), report).facts.rows).toEqual([{ a: 1 }]);
  });

  property.prop([fc.jsonValue(), fc.array(fc.string({ minLength: 1 })), fc.boolean()])(
    "of any JSON only wanted fields are kept",
    (value, fields, within) => {
      const report = within ? { list: value } : value;
      const outcome = attempt(wanting(json, fields, within ? "list" : undefined), report);
      if (typeof outcome === "string") return;
      for (const row of outcome.facts.rows)
        expect(fields).toEqual(expect.arrayContaining(Object.keys(row)));
    },
  );

  property.prop([
    fc.array(
      fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
    ),
  ])("a list and its lines are the same rows", (rows) => {
    expect(rowsOf(rows, ["a", "b"])).toEqual(rows);
    if (rows.length > 1) {
      const lines = rows.map((row) => JSON.stringify(row)).join("\n");
      expect(rowsOf(lines, ["a", "b"])).toEqual(rows);
    }
  });

  describeBadBytes(wanting(json, ["number", "state"]), issues);
});
