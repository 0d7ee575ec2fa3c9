import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { gatesOf } from "../../../policies/checklist-gates.ts";
import {
  ChecklistError,
  checklistGates,
  duration,
  parseChecklist,
  readChecklist,
} from "../../../policies/contract/checklist.ts";

const gate = {
  id: "unit-tests-passed",
  title: "The unit tests passed.",
  phase: "cutover",
  kind: "tests-passed",
  evidence: "unit-tests",
  maxAge: "7d",
  requires: { atLeast: 1 },
  severity: "high",
  why: "Known faults would go live.",
  remedy: "attest them",
  waivable: true,
};

const good = { system: "shop", title: "A shop", gates: [gate] };

function parsed(value: object): ReturnType<typeof parseChecklist> {
  return parseChecklist(stringify(value), "shop", "checklists/shop.yaml");
}

/** What is said of a checklist, by whoever finds it first: the schema, or the kinds. */
function problemsOf(value: object): string {
  try {
    gatesOf(parsed(value));
    return "";
  } catch (error) {
    if (error instanceof ChecklistError) return error.message;
    throw error;
  }
}

test("a good checklist is read, and the same text has the same digest", () => {
  const checklist = parsed(good);
  expect(checklist.gates[0]).toMatchObject({ id: "unit-tests-passed", maxAge: 7 * 86_400 });
  expect(parsed(good).digest).toBe(checklist.digest);
  expect(checklistGates(checklist, "cutover")).toHaveLength(1);
  expect(checklistGates(checklist, "observe")).toEqual([]);
  expect(problemsOf(good)).toBe("");
});

test.each([
  ["a number", { requires: { atLeast: 2 } }],
  ["an age", { maxAge: "8d" }],
  ["whether it can be waived", { waivable: false }],
  ["a word of its remedy", { remedy: "attest" }],
])("changing %s changes the digest", (_, change) => {
  expect(parsed({ ...good, gates: [{ ...gate, ...change }] }).digest).not.toBe(parsed(good).digest);
});

describe("a gate", () => {
  test.each([
    ["without a remedy", { remedy: undefined }, "gate unit-tests-passed, remedy:"],
    ["of an unknown phase", { phase: "launch" }, "gate unit-tests-passed, phase:"],
    ["with a key that nothing reads", { colour: "red" }, "colour"],
    ["of an unknown kind", { kind: "tests" }, "kind: found tests, required one of"],
    ["with a requirement below its bound", { requires: { atLeast: 0 } }, "requires.atLeast:"],
    ["without its requirement", { requires: {} }, "requires.atLeast:"],
    ["with an unknown requirement", { requires: { atLeast: 1, most: 2 } }, "most"],
    ["without its evidence", { evidence: undefined }, "evidence: required for tests-passed"],
    ["without an age", { maxAge: undefined }, "maxAge: required for tests-passed"],
    ["with an age without a unit", { maxAge: "7" }, "a length of time such as"],
    ["with an age of zero", { maxAge: "0d" }, "a length of time such as"],
    ["that says nothing of waivers", { waivable: undefined }, "gate unit-tests-passed, waivable:"],
    [
      "of backups that can be waived",
      { id: "backup-restored" },
      "gate backup-restored, waivable: found true, required false",
    ],
    ["with a name that is none", { id: "Unit tests" }, "a name in kebab case"],
    [
      "of a reading without its name",
      {
        kind: "reading-shows",
        requires: { fields: { agree: { is: true } } },
      },
      "reading: required for reading-shows",
    ],
  ])("%s is refused by name", (_, change, said) => {
    const problems = problemsOf({ ...good, gates: [{ ...gate, ...change }] });
    expect(problems).toContain("checklists/shop.yaml: ");
    expect(problems).toContain(said);
  });

  test("that stands there twice", () => {
    expect(problemsOf({ ...good, gates: [gate, gate] })).toContain(
      "unit-tests-passed stands there twice",
    );
  });

  test("all that is wrong is said at once, one line each", () => {
    const problems = problemsOf({
      ...good,
      gates: [
        { ...gate, kind: "tests" },
        { ...gate, id: "other", maxAge: undefined, requires: {} },
      ],
    });
    expect(problems.split("\n")).toHaveLength(3);
  });
});

test.each([
  ["of another system", { ...good, system: "other" }, "system: found other, required shop"],
  ["without gates", { ...good, gates: [] }, "gates"],
  ["that is empty", {}, "system"],
])("a checklist %s is refused", (_, value, said) => {
  expect(problemsOf(value)).toContain(said);
});

test.each([
  ["no YAML", "gates: [", /checklists\/shop\.yaml/],
  ["a key twice", "system: shop\nsystem: shop", /unique/],
  ["a key of every object", "system: shop\ngates:\n  - __proto__: {}\n", /__proto__/],
  ["aliases without end", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n".repeat(1), /./],
])("a text with %s is refused", (_, text, said) => {
  expect(() => parseChecklist(text, "shop", "checklists/shop.yaml")).toThrow(said);
});

test("a system without a file, and a name that leads elsewhere", () => {
  const folder = mkdtempSync(join(tmpdir(), "checklists-"));
  try {
    writeFileSync(join(folder, "shop.yaml"), stringify(good));
    expect(readChecklist("shop", folder).system).toBe("shop");
    expect(() => readChecklist("other", folder)).toThrow("every system needs a checklist");
    expect(() => readChecklist("../shop", folder)).toThrow("no kebab case");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ["90s", 90],
  ["30m", 1800],
  ["24h", 86_400],
  ["7d", 604_800],
])("%s is %i seconds", (text, seconds) => {
  expect(duration.parse(text)).toBe(seconds);
});

test.each(["", "7", "d", "-7d", "0d", "1.5h", "7 d", "7w", "9999999d"])(
  "%j is no length of time",
  (text) => {
    expect(duration.safeParse(text).success).toBe(false);
  },
);
