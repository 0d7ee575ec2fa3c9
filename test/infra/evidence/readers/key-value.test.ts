import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { keyValue } from "../../../../infra/evidence/readers/key-value.ts";
import { wanting } from "./rows.ts";
import { attempt, readWith, refusal, sample } from "./samples.ts";

const units = sample("key-value/systemctl-show.txt");

const rowsOf = (report: unknown, ...fields: string[]) =>
  readWith(wanting(keyValue, fields), report).facts.rows;

describe("key-value", () => {
  test("reads a row for each unit, with the wanted keys and no others", () => {
    const reader = wanting(keyValue, ["ActiveState", "NRestarts", "Restart", "Missing"]);
    expect(readWith(reader, units)).toEqual({
      facts: {
        rows: [
          { ActiveState: "active", NRestarts: 0, Restart: "on-failure" },
          { ActiveState: "inactive", NRestarts: 3, Restart: "no" },
        ],
      },
      producedAt: null,
    });
  });

  test.each([
    ["a value with signs", "a=b=c", [{ a: "b=c" }]],
    ["an empty value", "a=", [{ a: "" }]],
    ["a value with blanks", "a= b ", [{ a: " b " }]],
    ["true", "a=true", [{ a: true }]],
    ["yes", "a=yes", [{ a: "yes" }]],
    ["lines that end otherwise", "a=1\r\nb=2\r\n", [{ a: 1 }]],
    ["empty lines around it", "\n\na=1\n\n\n", [{ a: 1 }]],
    ["another key twice", "b=1\na=1\nb=2", [{ a: 1 }]],
    ["nothing that is wanted", "b=1", [{}]],
    ["a key in other letters", "A=1", [{}]],
    ["the same key in two units", "a=1\n\na=2", [{ a: 1 }, { a: 2 }]],
  ])("takes %s", (_, report, rows) => {
    expect(rowsOf(report, "a", "__proto__")).toEqual(rows);
  });

  test.each([
    ["nothing", "", "it is empty; required is KEY=value on each line"],
    ["blanks", "\n \n", /it is empty/],
    ["a text", "Unit orders.service could not be found.", "line 1 is no KEY=value"],
    ["a line without a sign", "a=1\nb", "line 2 is no KEY=value"],
    ["a line without a key", "=1", "line 1 is no KEY=value"],
    ["a key with blanks", "a b=1", "line 1 is no KEY=value"],
    ["a key that is a number", "1=1", "line 1 is no KEY=value"],
    ["a comment", "# a=1", "line 1 is no KEY=value"],
    ["a wanted key twice", "a=1\na=1", "it has the key a twice"],
    ["invalid UTF-8", Buffer.from([0x61, 0x3d, 0xc3, 0x28]), /UTF-8/],
    ["more units than evidence holds", "a=1\n\n".repeat(50_001), /see rows: .*50000/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(wanting(keyValue, ["a"]), report)).toMatch(message);
  });

  test("a path within it is refused, and so is a report that no gate asks for", () => {
    expect(refusal(wanting(keyValue, ["a"], "x"), "a=1")).toBe(
      "it is one list of keys, so it has no x",
    );
    expect(refusal(keyValue, units)).toMatch(/no gate of the checklist asks for its rows/);
  });

  test("a refusal quotes no line", () => {
    expect(refusal(wanting(keyValue, ["a"]), "the password is hunter2")).not.toContain("hunter2");
  });

  property.prop([fc.string()])("a text makes no other error and no misfit", (text) => {
    attempt(wanting(keyValue, ["a"]), text);
  });

  const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
  property.prop([fc.dictionary(key, fc.stringMatching(/^[a-z =]{0,10}$/), { minKeys: 1 })])(
    "what is written is read",
    (values) => {
      const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`);
      const read = rowsOf(lines.join("\n"), ...Object.keys(values));
      expect(
        read.map((row) =>
          Object.entries(row).map(([name, value]) => [name, `${value as string | number}`]),
        ),
      ).toEqual([Object.entries(values)]);
    },
  );
});
