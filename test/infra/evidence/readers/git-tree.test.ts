import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { gitTree } from "../../../../infra/evidence/readers/git-tree.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const tree = sample("git-tree/tree.txt");
const digest = "a".repeat(40);
const blob = (path: string): string => `100644 blob ${digest}\t${path}`;

describe("git-tree", () => {
  test("reads the files of a commit", () => {
    const { facts, producedAt } = readWith(gitTree, tree);
    expect(producedAt).toBeNull();
    expect(facts.entries.map(({ name, executable }) => [name, executable])).toEqual([
      ["README.md", false],
      ["scripts/freeze.sh", true],
      ["current", false],
      ["vendor/lib", false],
      ['docs/ä "b"\t\\.md', false],
      ["app/orders/[id]/a page.tsx", false],
    ]);
    expect(facts.entries[1]?.digest).toBe("1".repeat(40));
  });

  test.each([
    ["a long digest", `100644 blob ${"b".repeat(64)}\ta`, "a"],
    ["lines that end otherwise", `${blob("a")}\r\n`, "a"],
    ["a name with other letters", blob("ä/日本.md"), "ä/日本.md"],
    ["a name with blanks", blob(" a  b "), " a  b "],
    ["a name with an end of a line", blob(String.raw`"a\nb"`), "a\nb"],
    ["a name that wants to be more", blob("__proto__"), "__proto__"],
  ])("takes %s", (_, report, name) => {
    expect(readWith(gitTree, report).facts.entries.map((entry) => entry.name)).toEqual([name]);
  });

  const notTree = (at: number) => `line ${at} is not from git ls-tree -r --full-tree`;

  test.each([
    ["nothing", "", notTree(1)],
    ["an empty line", `${blob("a")}\n\n${blob("b")}`, notTree(2)],
    ["an error", "fatal: Not a valid object name v9", notTree(1)],
    ["names only", "README.md", notTree(1)],
    ["a folder", `040000 tree ${digest}\tsrc`, notTree(1)],
    ["sizes", `100644 blob ${digest}    1234\ta`, notTree(1)],
    ["another mode", blob("a").replace("100644", "100664"), notTree(1)],
    ["a submodule that is a file", `160000 blob ${digest}\ta`, notTree(1)],
    ["a file that is a submodule", `100644 commit ${digest}\ta`, notTree(1)],
    ["a short digest", "100644 blob aaaa\ta", notTree(1)],
    ["no path", `100644 blob ${digest}\t`, notTree(1)],
    ["the output of -z", `${blob("a")}\0${blob("b")}\0`, "it has a path that Git does not write"],
    ["a path twice", `${blob("a")}\n${blob("a")}`, "it names a twice"],
    ["a path twice, once in quotes", `${blob("a")}\n${blob('"a"')}`, "it names a twice"],
    ["a path from the top of the machine", blob("/a"), /that Git does not write/],
    ["a path outside", blob("../a"), /that Git does not write/],
    ["a folder's path", blob("a/"), /that Git does not write/],
    ["a quote that never ends", blob('"a'), /that Git does not write/],
    ["an unknown escape", blob(String.raw`"\x41"`), /that Git does not write/],
    ["a quote within quotes", blob('"a"b"'), /that Git does not write/],
    ["a path that is no UTF-8", blob(String.raw`"a\377"`), /UTF-8/],
    ["a path that is too long", blob("a".repeat(9000)), "it has a path that is too long"],
    ["a long path", blob("a".repeat(2000)), /see entries\.0\.name/],
    ["invalid UTF-8", Buffer.from([0xc3, 0x28]), /UTF-8/],
    [
      "more files than evidence holds",
      Array.from({ length: 50_001 }, (_value, at) => blob(`${at}`)).join("\n"),
      /see entries: .*50000/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(gitTree, report)).toMatch(message);
  });

  property.prop([fc.uint8Array({ maxLength: 200 })])("noise is refused", (bytes) => {
    refusal(gitTree, Buffer.from(bytes));
  });

  property.prop([fc.nat(tree.length - 1), fc.integer({ min: 0, max: 255 })])(
    "a changed byte makes no other error and no misfit",
    (at, byte) => {
      const changed = Buffer.from(tree);
      changed[at] = byte;
      attempt(gitTree, changed);
    },
  );

  const part = fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .filter((text) => !/[/\0\p{Cs}]|^\.{1,2}$/u.test(text));

  property.prop([
    fc.uniqueArray(
      fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      { minLength: 1 },
    ),
  ])("what Git writes in quotes is read", (paths) => {
    const lines = paths.map((path) => blob(quotedByGit(path)));
    const { entries } = readWith(gitTree, lines.join("\n")).facts;
    expect(entries.map(({ name }) => name)).toEqual(paths);
  });
});

/** A path as Git quotes it: every byte that is no plain letter as a number. */
function quotedByGit(path: string): string {
  const bytes = [...Buffer.from(path)].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[\w ./-]/.test(letter) ? letter : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${bytes.join("")}"`;
}
