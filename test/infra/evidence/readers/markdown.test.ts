import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { markdown } from "../../../../infra/evidence/readers/markdown.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const valuesOf = (text: string) => readWith(markdown, text).facts.values;
const sectionsOf = (text: string) => readWith(markdown, text).facts.sections;

describe("markdown", () => {
  test("reads a runbook: its sections in order and what it states", () => {
    expect(readWith(markdown, sample("markdown/runbook.md"))).toEqual({
      facts: {
        format: "markdown",
        title: "Runbook of orders",
        version: null,
        sections: ["Runbook of orders", "Contacts", "Rollback", "Alerts & thresholds"],
        values: {
          service: "orders",
          tier: "1.10",
          Owner: "team payments",
          "On call": "release-manager@example.com and their deputy",
          Pager: "#orders",
          Escalation: "1 | 2 hours",
          "Decision by": "release manager",
          Rehearsed: "yes",
          Time: "10:30",
          "Error rate": "1 %",
          Latency: "300 ms",
        },
        operations: [],
      },
      producedAt: null,
    });
  });

  test.each([
    ["# A *b* `c` [d](e) ![f](g) ~~h~~", ["A b c d f h"]],
    ["A\n=\n\nB\n-", ["A", "B"]],
    ["### A #", ["A"]],
    ["# A [b][c]\n\n[c]: https://example.com", ["A b"]],
    ["# \n\n#\n\n# <b></b>", []],
    ["#A", []],
    ["    # A", []],
    ["```\n# A\n```", []],
    ["<!--\n# A\n-->", []],
    ["<div>\n# A\n</div>", []],
    ["> # A", []],
    ["- # A", []],
    ["# A\r\n\r\n# B\r", ["A", "B"]],
    ["# 1 < 2 &amp; \\*", ["1 < 2 &amp; *"]],
    [`# ${"x".repeat(5000)}\n# A`, ["A"]],
  ])("of %j the sections are %j", (text, sections) => {
    expect(sectionsOf(text)).toEqual(sections);
  });

  test("the title is the first heading of the first level", () => {
    expect(readWith(markdown, "## A\n\n# B\n\n# C").facts.title).toBe("B");
    expect(readWith(markdown, "## A").facts.title).toBe("");
  });

  test.each([
    ["an item", "- Owner: payments", { Owner: "payments" }],
    ["an item with its key in bold", "* **Owner**: payments", { Owner: "payments" }],
    ["an item with its colon in bold", "+ **Owner:** payments", { Owner: "payments" }],
    ["an item with its key as code", "- `port`: `5432`", { port: "5432" }],
    ["an item with a number", "1. Owner: payments", { Owner: "payments" }],
    ["an item of an item", "- Contacts\n  - Owner: payments", { Owner: "payments" }],
    ["an item that goes on", "- Owner: payments\n  and orders", { Owner: "payments and orders" }],
    [
      "items with lines between",
      "- Owner: payments\n\n- Pager: on",
      { Owner: "payments", Pager: "on" },
    ],
    ["a task", "- [ ] Owner: payments\n- [x] Pager: on", { Owner: "payments", Pager: "on" }],
    [
      "a task with lines between",
      "- [ ] Owner: payments\n\n- [X] Pager: on",
      { Owner: "payments", Pager: "on" },
    ],
    [
      "a table in an item",
      "- Contacts\n\n  | a | b |\n  |---|---|\n  | Owner | payments |",
      { Owner: "payments" },
    ],
    ["a bold line in an item", "- Contacts\n\n  **Owner**: payments", { Owner: "payments" }],
    ["a line with its key in bold", "**Owner**: payments", { Owner: "payments" }],
    ["a line with its key in other bold", "__Owner:__ payments", { Owner: "payments" }],
    [
      "lines with keys in bold",
      "Contacts\n**Owner**: payments\n**Pager**: on",
      { Owner: "payments", Pager: "on" },
    ],
    ["a line that goes on", "**Owner**: payments\nand orders", { Owner: "payments and orders" }],
    ["a value with a colon", "- Time: 10:30: sharp", { Time: "10:30: sharp" }],
    [
      "a table",
      "| a | b |\n|---|---|\n| Owner | payments |\n| **Pager** | [on](x) |",
      { Owner: "payments", Pager: "on" },
    ],
    ["a table whose head is empty", "| | |\n|-|-|\n| Owner | payments |", { Owner: "payments" }],
    ["a table with empty cells", "| a | b |\n|---|---|\n| Owner | |\n| | payments |", {}],
    ["a table of one column", "| a |\n|---|\n| Owner |", {}],
    ["a table of three columns", "| a | b | c |\n|---|---|---|\n| Owner | payments | x |", {}],
    ["prose", "Owner: payments", {}],
    ["prose in an item", "- Contacts\n\n  Owner: payments", {}],
    ["bold prose", "**Owner** is payments: yes", {}],
    ["an item without a value", "- Owner:\n- Pager: ", {}],
    ["an item without a key", "- : payments", {}],
    ["an address", "- https://example.com", {}],
    ["a time", "- 10:30", {}],
    ["code", "```\n- Owner: payments\n```", {}],
    ["a quote", "> - Owner: payments", {}],
    ["a quote in an item", "- > Owner: payments", {}],
    ["HTML", "<ul>\n- Owner: payments\n</ul>", {}],
    ["a comment", "<!-- \n- Owner: payments\n-->", {}],
    ["HTML within a value", "- Owner: <b>payments</b> <!-- not orders -->", { Owner: "payments" }],
    ["a value that is too long", `- Owner: ${"x".repeat(4096)}\n- Pager: on`, { Pager: "on" }],
    ["one value twice", "- Owner: payments\n\n**Owner**: payments", { Owner: "payments" }],
    [
      "front matter",
      "---\nowner: payments\nport: 0080\nyes: no\nempty:\nlist: [a]\nmap: {a: b}\n---\n- Pager: on",
      { owner: "payments", port: "0080", yes: "no", Pager: "on" },
    ],
    ["front matter alone", "---\nowner: payments\n---", { owner: "payments" }],
    ["front matter that is not at the top", "\n---\nowner: payments\n---", {}],
    ["lines about prose", "---\nprose\n---\n- Pager: on", { Pager: "on" }],
    [
      "names that objects inherit",
      "- constructor: a\n- toString: b",
      { constructor: "a", toString: "b" },
    ],
  ])("of %s the values are told", (_, text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  test.each([
    [
      "a key with two values",
      "- Owner: payments\n- Owner: orders",
      "its key Owner has two values; give one of them another name",
    ],
    [
      "a key with two values in two places",
      "---\nOwner: a\n---\n| a | b |\n|---|---|\n| Owner | b |",
      /its key Owner has two values/,
    ],
    ["__proto__", "- `__proto__`: a", "it has the key __proto__"],
    ["__proto__ in front matter", "---\n__proto__: a\n---", "it has the key __proto__"],
    [
      "a doubled key in front matter",
      "---\na: 1\na: 1\n---",
      "what stands between --- at its top is no YAML",
    ],
    ["front matter that is no YAML", "---\na: [\n---", /no YAML/],
    ["an anchor in front matter", "---\na: &a b\nc: *a\n---", /no YAML/],
    ["a long section", `# ${"x".repeat(600)}`, /see title/],
    ["a long key", `- ${"x".repeat(600)}: a`, /see values/],
    ["invalid UTF-8", Buffer.from([0x23, 0x20, 0xc3, 0x28]), /UTF-8/],
    ["a text beyond the limit", Buffer.alloc(1024 * 1024 + 1, "x"), "it is larger than 1 MiB"],
    ["lists in lists", `${"- ".repeat(17)}a`, "a list nests deeper than 32 columns, on line 1"],
    [
      "lists in lists with numbers",
      `\n${"1. ".repeat(11)}a`,
      "a list nests deeper than 32 columns, on line 2",
    ],
    [
      "lists that move to the right",
      Array.from({ length: 20 }, (_value, at) => `${"  ".repeat(at)}- a`).join("\n"),
      "a list nests deeper than 32 columns, on line 17",
    ],
    ["lists that move by tabs", `${"\t".repeat(8)}- a`, /nests deeper/],
    [
      "an item of many lines",
      `- a\n${"b\n".repeat(201)}`,
      "a paragraph in a list is longer than 200 lines, on line 202",
    ],
    ["a later paragraph of many lines", `- a\n\n${"  b\n".repeat(201)}`, /longer than 200 lines/],
  ])("%s is refused", (_, text, message) => {
    expect(refusal(markdown, text)).toMatch(message);
  });

  test.each([
    ["lists as deep as they may be", `${"- ".repeat(16)}Owner: payments`],
    ["an item as long as it may be", `- a\n${"b\n".repeat(200)}\n- Owner: payments`],
    ["a long paragraph outside of lists", `${"b\n".repeat(300)}\n- Owner: payments`],
    ["a long paragraph after a list", `- a\n\n${"b\n".repeat(300)}\n- Owner: payments`],
    ["a long table", `|a|b|c|\n|-|-|-|\n${"|a|b|c|\n".repeat(300)}\n- Owner: payments`],
    ["a line of dashes", `${"- ".repeat(40)}\n\n- Owner: payments`],
    ["a mark of the byte order", "\uFEFF- Owner: payments"],
  ])("takes %s", (_, text) => {
    expect(valuesOf(text)).toEqual({ Owner: "payments" });
  });

  const lines = (count: number, line: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => line(at)).join("\n");

  test.each([
    ["quotes in quotes", "> ".repeat(100_000)],
    ["quotes that get shallower", lines(20_000, (at) => `${">".repeat(32 - (at % 32))}a`)],
    ["quotes that get deeper", lines(2000, (at) => `${"> ".repeat(at % 400)}a`)],
    ["stars", "*a **b ".repeat(100_000)],
    ["stars in a heading", `# ${"*a_**b".repeat(600)}`],
    ["brackets", "[".repeat(500_000)],
    ["brackets in headings", lines(100, () => `# ${"[a](".repeat(1000)}`)],
    ["backticks", "`a``".repeat(200_000)],
    ["tags", "<a ".repeat(300_000)],
    ["comments without end", "<!--\n\n".repeat(150_000)],
    ["bars", `${"|".repeat(300_000)}\n${"|-".repeat(150_000)}`],
    ["colons", `- ${":".repeat(1_000_000)}`],
    ["bold without end", "**a\n".repeat(200_000)],
    ["blanks", `${" ".repeat(1_000_000)}a`],
    ["rows", `a|b\n-|-\n${"a|b\n".repeat(50_000)}`],
  ])("ends soon with %s", (_, text) => {
    const started = performance.now();
    attempt(markdown, text);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  property.prop([fc.uint8Array({ maxLength: 300 })])("bytes make no other error", (bytes) => {
    attempt(markdown, Buffer.from(bytes));
  });

  const marks = [
    "#",
    "- ",
    "> ",
    "|",
    "*",
    "**",
    "`",
    "[",
    "](",
    "\n",
    "\n\n",
    "  ",
    "a",
    ": ",
    "<b>",
    "---\n",
    "1. ",
  ];
  property.prop([fc.array(fc.constantFrom(...marks), { maxLength: 80 })])(
    "marks make no other error and no misfit",
    (parts) => {
      attempt(markdown, parts.join(""));
    },
  );

  test("a text that was cut anywhere states nothing else, but for the last value", () => {
    const whole = sample("markdown/runbook.md").toString();
    const values = Object.entries(readWith(markdown, whole).facts.values);
    const body = whole.indexOf("# Runbook");
    for (let end = body; end < whole.length; end += 1) {
      const [...cut] = Object.entries(valuesOf(whole.slice(0, end)));
      cut.pop();
      expect(values).toEqual(expect.arrayContaining(cut));
    }
  });

  const word = fc.stringMatching(/^[a-z]{1,10}$/);
  property.prop([fc.dictionary(word, word, { maxKeys: 10 }), fc.uniqueArray(word)])(
    "what is written is read",
    (values, sections) => {
      const pairs = Object.entries(values);
      const items = pairs.map(([key, value]) => `- ${key}: ${value}`).join("\n");
      const rows = pairs.map(([key, value]) => `| ${key} | ${value} |`).join("\n");
      const headings = sections.map((section) => `## ${section}\n`).join("\n");
      expect(valuesOf(`${headings}\n${items}\n`)).toEqual(values);
      expect(valuesOf(`| a | b |\n|---|---|\n${rows}\n\n${headings}`)).toEqual(values);
      expect(sectionsOf(`${headings}\n${items}\n`)).toEqual(sections);
    },
  );
});
