import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { gitDiff } from "../../../../infra/evidence/readers/git-diff.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const namesOf = (report: unknown) =>
  readWith(gitDiff, report).facts.entries.map(({ name }) => name);

describe("git-diff", () => {
  test("reads the names of the files that differ", () => {
    expect(readWith(gitDiff, sample("git-diff/names.txt"))).toEqual({
      facts: {
        entries: [
          { name: "README.md" },
          { name: "prisma/migrations/2_totals/migration.sql" },
          { name: "docs/ä.md" },
        ],
      },
      producedAt: null,
    });
  });

  test.each([
    ["nothing, where nothing differs", "", []],
    ["lines that end otherwise", "a\r\nb\r\n", ["a", "b"]],
    ["a name in quotes", String.raw`"a\tb"`, ["a\tb"]],
    ["a name with blanks", "a b", ["a b"]],
    ["a name that wants to be more", "constructor", ["constructor"]],
  ])("takes %s", (_, report, names) => {
    expect(namesOf(report)).toEqual(names);
  });

  const notNames = (at: number) => `line ${at} is not from git diff --name-only`;

  test.each([
    ["an error", "fatal: bad revision 'v1..v2'", notNames(1)],
    ["a shell without Git", "bash: line 1: git: command not found", notNames(1)],
    ["a warning", "a\nwarning: inexact rename detection was skipped", notNames(2)],
    ["a whole difference", "diff --git a/a b/a\nindex 1..2", notNames(1)],
    ["figures", " a | 3 +--\n 1 file changed", notNames(1)],
    ["an empty line", "a\n\nb", notNames(2)],
    ["states of files", "M\ta", "it has a path that Git does not write"],
    ["the output of -z", "a\0b\0", /that Git does not write/],
    ["a path from the top of the machine", "/a", /that Git does not write/],
    ["a path outside", "a/../../b", /that Git does not write/],
    ["a path twice", "a\na", "it names a twice"],
    ["a colour", "\u001B[31ma", /that Git does not write/],
    ["a path that is no UTF-8", String.raw`"\377"`, /UTF-8/],
    ["invalid UTF-8", Buffer.from([0xc3, 0x28]), /UTF-8/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(gitDiff, report)).toMatch(message);
  });

  property.prop([fc.string({ unit: "binary" })])("a text makes no other error", (text) => {
    attempt(gitDiff, text);
  });

  property.prop([fc.uniqueArray(fc.stringMatching(/^[a-z]{1,5}(\/[a-z.]{1,5}x){0,3}$/))])(
    "what is written is read",
    (names) => {
      expect(namesOf(names.join("\n"))).toEqual(names);
    },
  );
});
