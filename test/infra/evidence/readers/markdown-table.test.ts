import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { markdownTable } from "../../../../infra/evidence/readers/markdown-table.ts";
import { wanting } from "./rows.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const runbook = sample("markdown-table/runbook.md");

const rowsOf = (report: unknown, fields: readonly string[], of?: string) =>
  readWith(wanting(markdownTable, fields, of), report).facts.rows;

const freeze = { Step: "Freeze writes", Who: "release manager", Minutes: 2, Done: "yes" };
const up = { Step: "pulumi up", Who: "release manager", Minutes: 11.5, Done: "yes" };
const totals = { Step: "Check totals | counts", Who: "database owner", Minutes: 4, Done: "" };
const warm = { Step: "Warm the cache", Who: "developer", Minutes: 1, Done: "no" };
const choose = {
  Step: "Choose the release before",
  Who: "release manager",
  Minutes: 3,
  Done: "yes",
};
const columns = ["Step", "Who", "Minutes", "Done"];

describe("markdown-table", () => {
  test("reads the rows of all tables that have the wanted columns", () => {
    expect(readWith(wanting(markdownTable, columns), runbook)).toEqual({
      facts: { rows: [freeze, up, totals, warm, choose] },
      producedAt: null,
    });
    expect(rowsOf(runbook, ["Owner"])).toEqual([{ Owner: "payments" }]);
    expect(rowsOf(runbook, [])).toHaveLength(6);
  });

  test.each([
    ["Rollback", [choose]],
    ["rehearsal", [freeze, up, totals, warm]],
    ["Findings", [warm]],
    ["Runbook of orders", [freeze, up, totals, warm, choose]],
  ])("reads the rows under the heading %s", (of, rows) => {
    expect(rowsOf(runbook, columns, of)).toEqual(rows);
  });

  const head = "| a | b |\n|---|---|\n";

  test.each([
    ["marks in a cell", "| **x** [y](z) `w` ~~v~~ |", "x y w v"],
    ["an end of a line in a cell", "| x<br>y<br/>z |", "x y z"],
    ["HTML in a cell", "| <b>x</b> <!-- y --> |", "x"],
    ["an escaped mark", String.raw`| x \| y \* |`, "x | y *"],
    ["a sign of HTML, as it is written", "| &lt; 5 |", "&lt; 5"],
    ["a number in bold", "| **5** |", 5],
    ["a box", "| [x] |", "[x]"],
    ["an address", "| <https://example.com> |", "https://example.com"],
    ["no cell", "| |", ""],
  ])("reads %s as plain text", (_, row, text) => {
    expect(rowsOf(`${head}${row}`, ["a"])).toEqual([{ a: text }]);
  });

  test.each([
    ["a heading in bold", "| **a** | b |\n|---|---|\n| 1 | 2 |", [{ a: 1 }]],
    ["a row that is too short", `${head}| 1 |`, [{ a: 1 }]],
    ["a table without rows", head, []],
    ["bars in a sentence", `a | b, or || c\n\n${head}| 1 | 2 |`, [{ a: 1 }]],
    [
      "a table in an item of a list",
      `- x\n\n  ${head.replace("\n", "\n  ")}  | 1 | 2 |`,
      [{ a: 1 }],
    ],
    ["another column twice", "| a | b | b |\n|-|-|-|\n| 1 | 2 | 3 |", [{ a: 1 }]],
    ["lines that end otherwise", `${head}| 1 | 2 |`.replaceAll("\n", "\r\n"), [{ a: 1 }]],
  ])("takes %s", (_, report, rows) => {
    expect(rowsOf(report, ["a"])).toEqual(rows);
  });

  test.each([
    ["nothing", "", undefined, "it has no table with a column a"],
    ["prose", "a | b", undefined, "it has no table with a column a"],
    [
      "a table with other columns",
      "| A | b |\n|-|-|\n| 1 | 2 |",
      undefined,
      /no table with a column a/,
    ],
    ["a table in a fence", `\`\`\`\n${head}| 1 | 2 |\n\`\`\``, undefined, /no table/],
    ["a table in a comment", `<!--\n${head}| 1 | 2 |\n-->`, undefined, /no table/],
    ["a table in a quote", `> | a | b |\n> |-|-|\n> | 1 | 2 |`, undefined, /no table/],
    [
      "a row after an empty line",
      `${head}| 1 | 2 |\n\n| 3 | 4 |\n`,
      undefined,
      "it has a row that belongs to no table: its line begins with |",
    ],
    [
      "a table whose line of dashes does not fit",
      `${head}| 1 | 2 |\n\n| a | b |\n|-|-|-|\n| 3 | 4 |\n`,
      undefined,
      /belongs to no table/,
    ],
    [
      "such a row in an item of a list",
      `${head}| 1 | 2 |\n\n- x\n\n  | 3 | 4 |\n`,
      undefined,
      /belongs to no table/,
    ],
    [
      "a heading that is not there",
      `# x\n${head}| 1 | 2 |`,
      "y",
      "it has no table with a column a under the heading y",
    ],
    ["a table before the heading", `${head}| 1 | 2 |\n\n# y`, "y", /no table/],
    ["a table under the next heading", `# y\n\n# z\n${head}| 1 | 2 |`, "y", /no table/],
    [
      "a wanted column twice",
      "| a | a |\n|-|-|\n| 1 | 2 |",
      undefined,
      "it has the column a twice",
    ],
    ["a cell without end", `${head}| ${"*x".repeat(3000)} |`, undefined, /more text with marks/],
    ["invalid UTF-8", Buffer.from([0x23, 0x20, 0xc3, 0x28]), undefined, /UTF-8/],
    ["a text beyond the limit", Buffer.alloc(1024 * 1024 + 1, "x"), undefined, /larger than 1 MiB/],
    ["lists in lists", `${"- ".repeat(17)}a`, undefined, /nests deeper than 32 columns/],
    ["an item of many lines", `- a\n${"b\n".repeat(201)}`, undefined, /longer than 200 lines/],
    [
      "many columns and rows",
      `|${"a|".repeat(2000)}\n|${"-|".repeat(2000)}\n${"|\n".repeat(1000)}`,
      undefined,
      /more than 1000000 cells/,
    ],
  ])("%s is refused", (_, report, of, message) => {
    expect(refusal(wanting(markdownTable, ["a"], of), report)).toMatch(message);
  });

  test("a table with only some of the wanted columns is refused", () => {
    const report = `${head}| 1 | 2 |\n\n| a | c |\n|-|-|\n| 1 | 2 |`;
    expect(refusal(wanting(markdownTable, ["a", "b"]), report)).toBe("it has no column b");
  });

  test("is refused where no gate asks for rows", () => {
    expect(refusal(markdownTable, runbook)).toMatch(/no gate of the checklist asks/);
  });

  test.each([
    ["cells of marks", `${head}${`| ${"*a_**b".repeat(600)} |\n`.repeat(250)}`],
    ["quotes in quotes", "> ".repeat(100_000)],
    ["brackets", `${head}${`| ${"[a](".repeat(1000)} |\n`.repeat(200)}`],
    ["bars", `${"|".repeat(300_000)}\n${"|-".repeat(150_000)}`],
    ["rows", `${head}${"|1|2|\n".repeat(100_000)}`],
    ["tables", "|a|\n|-|\n|1|\n\n".repeat(60_000)],
    ["headings", "# a\n".repeat(200_000)],
  ])("ends soon with %s", (_, report) => {
    const started = performance.now();
    attempt(wanting(markdownTable, ["a"]), report);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  const marks = [
    "#",
    "- ",
    "> ",
    "|",
    "|-|-|\n",
    "| a | b |\n",
    "*",
    "`",
    "\n",
    "\n\n",
    "  ",
    "a",
    "<b>",
  ];
  property.prop([fc.array(fc.constantFrom(...marks), { maxLength: 60 })])(
    "marks make no other error and no misfit",
    (parts) => {
      attempt(wanting(markdownTable, ["a"]), parts.join(""));
    },
  );

  const word = fc.stringMatching(/^[a-z]{1,10}$/);
  property.prop([fc.array(fc.tuple(word, word))])("what is written is read", (cells) => {
    const lines = cells.map(([a, b]) => `| ${a} | **${b}** |\n`).join("");
    expect(rowsOf(`# x\n\n${head}${lines}`, ["a", "b"])).toEqual(
      cells.map(([a, b]) => ({ a: a === "true" ? true : a, b })),
    );
  });
});
