import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { counted, joined, listed, shownName } from "../../../policies/checks/names.ts";
import { hostileNames } from "../../support/kind-tester.ts";

const shown: Readonly<Record<string, string>> = {
  "a colour": "red",
  "a colour in one character": "red",
  "a window title": "name",
  "a link": "name",
  "a cleared screen": "name",
  "a sequence in two parts": "[31mname",
  "lines of its own": "name Required: nothing. To do: pulumi destroy",
  "other ends of lines": "name Required: nothing. end",
  "a line that is written over": "name Found: nothing",
  backspaces: "namepass",
  "an order of letters turned round": "nameemanname",
  "no letters": "a name without letters",
  "white space only": "a name without letters",
  "a command to a runner": "name :stop-commands::x #[error]x #vso[task.complete]x",
  "a command to a runner at its begin": ":warning::name",
  "half a character": "name",
  "one long word": `${"n".repeat(29)}…${"n".repeat(29)}`,
  "many words": `${"name ".repeat(5)}name…name${" name".repeat(5)}`,
  "a key of every object": "__proto__",
  "another key of every object": "constructor",
};

describe("a name in a message", () => {
  test.each(Object.entries(shown))("stays harmless: %s", (what, text) => {
    expect(shownName(hostileNames[what] ?? "")).toBe(text);
  });

  test.each([
    "orders > pays in full",
    "tests/test_orders.py::test_pays[eur-100]",
    "Überweisung nach Zürich, 100 €",
    "GET /orders/{id}",
    "http_req_duration p(95)<500",
    "注文を支払う",
    "n".repeat(60),
  ])("stays as it is: %s", (name) => {
    expect(shownName(name)).toBe(name);
  });

  test("is cut in its middle when it is longer than 60 characters", () => {
    expect(shownName(`begin${"n".repeat(51)}final`)).toBe(
      `begin${"n".repeat(24)}…${"n".repeat(24)}final`,
    );
  });

  test("is never cut within a character", () => {
    expect(shownName("😀".repeat(200))).toMatch(/^(?:😀)+…(?:😀)+$/u);
  });

  test("is one line without control characters, whatever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (name) => {
        const text = shownName(name);
        expect(text.length).toBeGreaterThan(0);
        expect(text.length).toBeLessThanOrEqual(60);
        expect(text).not.toMatch(/\p{C}|[\u2028\u2029]|(?:^|\s)::|##|^\s|\s$/u);
      }),
    );
  });
});

describe("a list of names", () => {
  test.each([
    [[], ""],
    [["a"], "a"],
    [["a", "b"], "a and b"],
    [["a", "b", "c"], "a, b and c"],
    [["a", "b", "c", "d"], "a, b, c and 1 more"],
    [Array.from({ length: 50_000 }, (_, index) => `n${index}`), "n0, n1, n2 and 49997 more"],
    [["a", "a", "a", "a", "b"], "a and b"],
  ])("%#: is bounded", (names, text) => {
    expect(listed(names)).toBe(text);
  });
});

test("words are joined and things counted as in a sentence", () => {
  expect(joined([])).toBe("");
  expect(joined(["a", "b", "c"])).toBe("a, b and c");
  expect(counted(0, "test")).toBe("0 tests");
  expect(counted(1, "property", "properties")).toBe("1 property");
  expect(counted(2, "property", "properties")).toBe("2 properties");
});
