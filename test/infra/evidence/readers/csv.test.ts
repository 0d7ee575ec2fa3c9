import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { csv } from "../../../../infra/evidence/readers/csv.ts";
import { reportLimits } from "../../../../infra/evidence/reader.ts";
import { wanting } from "./rows.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const restores = sample("csv/restore-tests.csv");

const rowsOf = (report: unknown, ...fields: string[]) =>
  readWith(wanting(csv, fields), report).facts.rows;

describe("csv", () => {
  test("reads the rows of a table, each with the wanted columns and no others", () => {
    const reader = wanting(csv, ["database", "minutes", "verified", "checked_at"]);
    expect(readWith(reader, restores)).toEqual({
      facts: {
        rows: [
          { database: "orders", minutes: 12, verified: true, checked_at: "2026-01-31T12:00:00Z" },
          { database: "billing", minutes: 7.5, verified: true, checked_at: "2026-01-31T12:30:00Z" },
          { database: "legacy", minutes: 0, verified: false, checked_at: "2026-01-31T12:45:00Z" },
        ],
      },
      producedAt: null,
    });
  });

  test("reads quotes, commas and ends of lines in a cell", () => {
    expect(rowsOf(restores, "note").map(({ note }) => note)).toEqual([
      'one, "quoted" note',
      "",
      "two\nlines",
    ]);
  });

  test.each([
    ["0", 0],
    ["-1", -1],
    ["12", 12],
    ["0.05", 0.05],
    ["3600.000000", 3600],
    ["123456789012345", 123_456_789_012_345],
    ["1234567890123456", "1234567890123456"],
    ["007", "007"],
    ["+1", "+1"],
    ["1e3", "1e3"],
    [".5", ".5"],
    ["1.", "1."],
    ["-", "-"],
    ["1 000", "1 000"],
    ["0x10", "0x10"],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["1.2.3", "1.2.3"],
    ["true", true],
    ["false", false],
    ["True", "True"],
    ["t", "t"],
    ["", ""],
    ["null", "null"],
    [" 1", " 1"],
  ])("a cell of %j says %j", (cell, value) => {
    expect(rowsOf(`a,b\n${cell},x\n`, "a")).toEqual([{ a: value }]);
  });

  test.each([
    ["a header alone", "a,b\n", []],
    ["a mark of the byte order", "\uFEFFa,b\n1,2\n", [{ a: 1 }]],
    ["lines that end otherwise", "a,b\r\n1,2\r\n", [{ a: 1 }]],
    ["no end of the last line", "a,b\n1,2", [{ a: 1 }]],
    ["empty lines", "a,b\n\n1,2\n\n", [{ a: 1 }]],
    ["an empty line, a row of the only column", "a\nt\n\nt\n", [{ a: "t" }, { a: "" }, { a: "t" }]],
    ["blanks around a column", " a ,b\n1,2\n", [{ a: 1 }]],
    ["a column in quotes", '"a","b"\n1,2\n', [{ a: 1 }]],
  ])("takes %s", (_, report, rows) => {
    expect(rowsOf(report, "a")).toEqual(rows);
  });

  test("names that objects inherit are columns like any other", () => {
    expect(rowsOf("constructor,__proto__\n1,2\n", "constructor", "__proto__")).toEqual([
      { constructor: 1 },
    ]);
  });

  test.each([
    ["nothing", "", "it is empty; required is a header row"],
    ["empty lines", "\n\n", /it is empty/],
    ["a column that is not there", "b,c\n1,2\n", "it has no column a"],
    ["a column in other letters", "A,b\n1,2\n", "it has no column a"],
    ["a column twice", "a,b,b\n1,2,3\n", "it names b twice"],
    ["a column twice but for blanks", "a, a\n1,2\n", "it names a twice"],
    ["a row that is too short", "a,b\n1,2\n1\n", /it is no CSV .*, on line 3$/],
    ["a row that is too long", "a,b\n1,2,3\n", /it is no CSV .*, on line 2$/],
    ["a quote that never ends", 'a,b\n"1,2\n', /it is no CSV \(CSV_QUOTE_NOT_CLOSED\)/],
    ["a quote within a cell", 'a,b\n1"2,3\n', /it is no CSV \(INVALID_OPENING_QUOTE\), on line 2$/],
    ["a row without end", `a,b\n1,"${"x".repeat(2 ** 21)}"\n`, /CSV_MAX_RECORD_SIZE/],
    ["other marks between cells", "a;b\n1;2\n", "it has no column a"],
    ["invalid UTF-8", Buffer.from([0x61, 0x0a, 0xc3, 0x28]), /UTF-8/],
    ["a report beyond the limit", Buffer.alloc(reportLimits.bytes + 1, "a"), /larger than 32 MiB/],
    ["more rows than evidence holds", `a\n${"1\n".repeat(50_001)}`, /see rows: .*50000/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(wanting(csv, ["a"]), report)).toMatch(message);
  });

  test("a path within it is refused, and so is a report that no gate asks for", () => {
    expect(refusal(wanting(csv, ["a"], "x.y"), "a\n1\n")).toBe("it is one table, so it has no x.y");
    expect(refusal(csv, restores)).toMatch(/no gate of the checklist asks for its rows/);
  });

  test("a message quotes no cell", () => {
    expect(refusal(wanting(csv, ["a"]), 'a,b\nsecret"x,3\n')).not.toContain("secret");
  });

  const cell = fc.string().filter((text) => text.trim() !== "");
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  property.prop([fc.array(fc.tuple(cell, cell))])("what is written is read", (cells) => {
    const lines = cells.map((row) => row.map(quoted).join(","));
    const rows = rowsOf(`"a","b"\n${lines.map((line) => `${line}\n`).join("")}`, "b", "a");
    expect(rows.map(({ a, b }) => [`${a as Cell}`, `${b as Cell}`])).toEqual(
      cells.map((row) => row.map((text) => asRead(text))),
    );
  });

  property.prop([fc.uint8Array({ maxLength: 200 })])("noise is refused", (bytes) => {
    refusal(wanting(csv, ["a column of its own"]), Buffer.from(bytes));
  });

  property.prop([fc.nat(restores.length - 1), fc.integer({ min: 0, max: 255 })])(
    "a changed byte makes no other error and no misfit",
    (at, byte) => {
      const changed = Buffer.from(restores);
      changed[at] = byte;
      attempt(wanting(csv, ["database"]), changed);
    },
  );

  test("a report that was cut within a row is refused", () => {
    const text = restores.toString();
    const reader = wanting(csv, ["database", "minutes"]);
    const cut = text.indexOf("skipped");
    expect(refusal(reader, text.slice(0, cut))).toMatch(/it is no CSV/);
  });
});

type Cell = string | number;

/** How a number reads after it was one. */
function asRead(text: string): string {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && text.replaceAll(/\D/g, "").length <= 15
    ? String(Number(text))
    : text;
}
