import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { dotenv } from "../../../../infra/evidence/readers/dotenv.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const example = sample("dotenv/env.example");
const namesOf = (report: unknown) => readWith(dotenv, report).facts.entries.map(({ name }) => name);

describe("dotenv", () => {
  test("reads the names in a file, and none of its values", () => {
    const read = readWith(dotenv, example);
    expect(read).toEqual({
      facts: {
        entries: ["PORT", "LOG_LEVEL", "DATABASE_URL", "SESSION_KEY", "EMPTY", "BANNER"].map(
          (name) => ({ name }),
        ),
      },
      producedAt: null,
    });
    expect(JSON.stringify(read)).not.toMatch(/password|8080|a#b|FAKE/);
  });

  test.each([
    ["nothing", "", []],
    ["comments only", "# A=1\n  # B=2\n", []],
    ["blanks around the sign", "A = 1\n  B=2", ["A", "B"]],
    ["a name twice", "A=1\nA=2", ["A"]],
    ["lines that end otherwise", "A=1\r\nB=2\rC=3", ["A", "B", "C"]],
    ["a name with dots and dashes", "a.b-c=1", ["a.b-c"]],
    ["a quote within a value", "A=it's\nB=1", ["A", "B"]],
    ["a quote within other quotes", `A="it's"\nB='say "x"'\nC=1`, ["A", "B", "C"]],
    ["a value over lines", "A='1\n2\n3'\nB=1", ["A", "B"]],
    ["an assignment within quotes", 'A="\nB=1\n"\nC=1', ["A", "C"]],
    ["names that objects inherit", "constructor=1\ntoString=2", ["constructor", "toString"]],
    ["a mark of the byte order", "\uFEFFA=1", ["A"]],
  ])("takes %s", (_, report, names) => {
    expect(namesOf(report)).toEqual(names);
  });

  const wrong = (at: number) => `line ${at} is no NAME=value`;

  test.each([
    ["a text", "All is well.", wrong(1)],
    ["a name without a value", "A=1\nB", wrong(2)],
    ["an export without a value", "export A", wrong(1)],
    ["JSON", '{"DB_PASSWORD": "x"}', wrong(1)],
    ["YAML", "A: 1", wrong(1)],
    ["a name that begins with a number", "1A=1", wrong(1)],
    ["a name with a sign", "A$=1", wrong(1)],
    ["a value after the quotes that end it", 'A="1\n2" B=3', wrong(2)],
    ["a quote that never ends", "A='1\nB=2", "a quote in it never ends"],
    ["a name that no object takes", "__proto__=1\nA=1", /in one way only/],
    ["a quote whose end is escaped", 'A="1\\"\nB=2"', /in one way only|no NAME=value/],
    ["invalid UTF-8", Buffer.from([0x41, 0x3d, 0xc3, 0x28]), /UTF-8/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(dotenv, report)).toMatch(message);
  });

  test("a refusal quotes no line", () => {
    expect(refusal(dotenv, "hunter2")).not.toContain("hunter2");
  });

  property.prop([fc.string({ unit: "binary" })])("a text makes no other error", (text) => {
    attempt(dotenv, text);
  });

  const marks = ["A", "B", "=", "'", '"', "`", "\\", "#", "\n", " ", "export ", "x", ":"];
  property.prop([fc.array(fc.constantFrom(...marks), { maxLength: 40 })])(
    "a name that stands alone on its line is told or the file is refused",
    (parts) => {
      const outcome = attempt(dotenv, `${parts.join("")}\nSECRET=1\n`);
      if (typeof outcome === "string") return;
      const names = outcome.facts.entries.map(({ name }) => name);
      const quotes = parts.filter((part) => /["'`]/.test(part)).length;
      if (quotes === 0) expect(names).toContain("SECRET");
    },
  );

  const name = fc.stringMatching(/^[A-Z_]{1,10}$/);
  property.prop([fc.uniqueArray(name), fc.stringMatching(/^[a-z0-9 ]*$/)])(
    "what is written is read",
    (names, value) => {
      expect(namesOf(names.map((one) => `${one}="${value}"`).join("\n"))).toEqual(names);
    },
  );
});
