import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { tsc } from "../../../../infra/evidence/readers/tsc.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const errors = sample("tsc/errors.txt");

const findingsOf = (report: unknown) => readWith(tsc, report).facts.result;

describe("tsc", () => {
  test("reads the errors of a compilation", () => {
    expect(readWith(tsc, errors)).toEqual({
      facts: {
        tool: { name: "tsc" },
        result: [
          { rule: "TS2322", level: "error", location: "src/orders/total.ts:12" },
          { rule: "TS2345", level: "error", location: "src/orders/[id]/page.tsx:3" },
          { rule: "TS18003", level: "error" },
        ],
      },
      producedAt: null,
    });
  });

  test.each([
    ["nothing", ""],
    ["an empty line", "\n"],
    ["a summary of nothing", "Found 0 errors.\n"],
  ])("%s is a compilation without errors", (_, report) => {
    expect(findingsOf(report)).toEqual([]);
  });

  const line = "a.ts(1,2): error TS1005: ';' expected.";
  const found = { rule: "TS1005", level: "error", location: "a.ts:1" };

  test.each([
    ["lines that end otherwise", `${line}\r\n`, [found]],
    ["a summary", `${line}\n\nFound 1 error in a.ts:1\n`, [found]],
    [
      "a summary of several files",
      `${line}\n${line}\n\nFound 2 errors in 2 files.\n`,
      [found, found],
    ],
    ["a warning", line.replace("error", "warning"), [{ ...found, level: "warning" }]],
    [
      "a file with parentheses and blanks",
      line.replace("a.ts", "app/(shop)/a b.ts"),
      [{ ...found, location: "app/(shop)/a b.ts:1" }],
    ],
    [
      "a file of the machine",
      line.replace("a.ts", "/home/a.ts"),
      [{ rule: "TS1005", level: "error" }],
    ],
    [
      "a file of another machine",
      line.replace("a.ts", "C:\\a.ts"),
      [{ rule: "TS1005", level: "error" }],
    ],
    ["a file outside", line.replace("a.ts", "../a.ts"), [{ rule: "TS1005", level: "error" }]],
    ["a long name", line.replace("a.ts", "a".repeat(2000)), [{ rule: "TS1005", level: "error" }]],
  ])("takes %s", (_, report, result) => {
    expect(findingsOf(report)).toEqual(result);
  });

  const notTsc = (at: number) => `line ${at} is not from tsc --noEmit --pretty false`;

  test.each([
    ["a text", "All is well.", notTsc(1)],
    ["a line that goes on before there is anything", "  All is well.", notTsc(1)],
    ["a line of npm", `> orders@1.0.0 typecheck\n> tsc --noEmit\n\n${line}`, notTsc(1)],
    ["a text after errors", `${line}\nAll is well.`, notTsc(2)],
    ["a pretty error", "a.ts:1:2 - error TS1005: ';' expected.", notTsc(1)],
    ["an error in colours", `\u001B[96m${line}`, notTsc(1)],
    ["an error of another tool", "a.ts(1,2): error X1005: ';' expected.", notTsc(1)],
    ["an error without a message", "a.ts(1,2): error TS1005", notTsc(1)],
    ["a summary of other errors", `${line}\nFound 2 errors.`, "it claims 2 errors and holds 1"],
    ["a summary of nothing after an error", `${line}\nFound 0 errors.`, /claims 0 errors/],
    ["a version", "Version 6.0.3", notTsc(1)],
    ["help", "tsc: The TypeScript Compiler - Version 6.0.3", notTsc(1)],
    ["JSON", "{}", notTsc(1)],
    ["invalid UTF-8", Buffer.from([0xc3, 0x28]), /UTF-8/],
    ["more errors than evidence holds", `${line}\n`.repeat(50_001), /see result: .*50000/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(tsc, report)).toMatch(message);
  });

  property.prop([fc.string({ minLength: 1 }).filter((text) => text.trim() !== "")])(
    "an arbitrary text never counts as no errors",
    (text) => {
      const outcome = attempt(tsc, text);
      if (typeof outcome !== "string") expect(outcome.facts.result).not.toEqual([]);
    },
  );

  property.prop([fc.nat(errors.length - 1), fc.integer({ min: 0, max: 255 })])(
    "a changed byte loses no error but is refused",
    (at, byte) => {
      const changed = Buffer.from(errors);
      changed[at] = byte;
      const outcome = attempt(tsc, changed);
      // A changed byte can make the line of an error one that goes on.
      if (typeof outcome !== "string") expect(outcome.facts.result.length).toBeGreaterThan(1);
    },
  );
});
