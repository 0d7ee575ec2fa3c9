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
import { phases } from "../../../policies/contract/phase.ts";

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

describe("what is wrong is said in one line, word for word", () => {
  const rowKeys =
    "id, title, phase, guard, kind, evidence, maxAge, after, afterBy, reading, requires, severity, " +
    "why, remedy, source, waivable";
  const phaseWords =
    "a phase, a list of phases, or always; the phases are " +
    "prepare, lower-ttl, cutover, observe, finalize, decommission";
  const steps =
    "a step of the release (enter, data, check-data, restore-test, legacy, announce, freeze, " +
    "snapshot, upgrade, migrate, data-jobs, services, check-jobs, probe, check-switch, switch, " +
    "ttl-shown, verify, lift, retire, publish, record) or a service";
  const kebabCase = "a name in kebab case, 2 to 63 characters";

  test.each<readonly [string, object, string]>([
    ["an unknown key", { colour: "red" }, `: found the key colour, required are only ${rowKeys}`],
    [
      "two unknown keys",
      { colour: "red", step: "freeze" },
      `: found the keys colour, step, required are only ${rowKeys}`,
    ],
    ["a wrong phase", { phase: "launch" }, `, phase: found launch, required ${phaseWords}`],
    [
      "a list with a wrong phase",
      { phase: ["cutover", "launch"] },
      `, phase: found [cutover, launch], required ${phaseWords}`,
    ],
    ["no phase", { phase: undefined }, `, phase: found nothing, required ${phaseWords}`],
    ["no phases", { phase: [] }, ", phase: found an empty list, required at least 1 entry"],
    [
      "no severity",
      { severity: undefined },
      ", severity: found nothing, required one of low, medium, high, critical",
    ],
    [
      "a text for requirements",
      { requires: "all" },
      ", requires: found all, required a group of keys",
    ],
    [
      "a list for requirements",
      { requires: [{}] },
      ", requires: found a list, required a group of keys",
    ],
    [
      "an age without a unit",
      { maxAge: 7 },
      ", maxAge: found 7, required a length of time such as 30m, 24h or 7d",
    ],
    ["yes for true", { waivable: "yes" }, ", waivable: found yes, required true or false"],
    ["a number for a title", { title: 5 }, ", title: found 5, required a sentence"],
    ["an empty title", { title: " " }, ", title: found an empty text, required a sentence"],
    [
      "a guard that is none",
      { guard: "dns" },
      ", guard: found dns, required one of entry, data, switch",
    ],
    [
      "a name that is none",
      { evidence: "Unit tests" },
      `, evidence: found Unit tests, required ${kebabCase}`,
    ],
    [
      "a text for a source",
      { source: "Tests" },
      ", source: found Tests, required a group of keys: document, section",
    ],
    [
      "a source of no document",
      { source: { section: "Tests" } },
      ", source.document: required where the checklist has no document",
    ],
    [
      "evidence of its own phase",
      { after: "cutover" },
      ", after: found cutover, required a phase before cutover",
    ],
    [
      "evidence of a later phase than one of its own",
      { phase: ["cutover", "decommission"], after: "finalize" },
      ", after: found finalize, required a phase before cutover",
    ],
    ["a wait after nothing", { afterBy: "1h" }, ", after: required beside afterBy"],
    [
      "a guard that its kind has no use for",
      { guard: "data" },
      ", guard: of no use for tests-passed",
    ],
    [
      "a reading that its kind has no use for",
      { reading: "dns" },
      ", reading: of no use for tests-passed",
    ],
    [
      "a resource at the entry guard",
      {
        kind: "resources-show",
        evidence: undefined,
        maxAge: undefined,
        requires: { type: "aws:rds/instance:Instance" },
      },
      ", guard: required for resources-show: data or switch",
    ],
    ["no requirement", { requires: {} }, ", requires.atLeast: found nothing, required a number"],
    [
      "a text for a number",
      { requires: { atLeast: "many" } },
      ", requires.atLeast: found many, required a number",
    ],
    [
      "half a test",
      { requires: { atLeast: 1.5 } },
      ", requires.atLeast: found 1.5, required a whole number",
    ],
    [
      "too few tests",
      { requires: { atLeast: 0 } },
      ", requires.atLeast: found 0, required 1 or more",
    ],
  ])("%s", (_, change, said) => {
    expect(problemsOf({ ...good, gates: [{ ...gate, ...change }] })).toBe(
      `checklists/shop.yaml: gate unit-tests-passed${said}`,
    );
  });

  const other = { ...gate, id: "other" };

  test.each<readonly [string, object, string]>([
    ["no gates", { gates: undefined }, "gates: found nothing, required a list"],
    ["a text for gates", { gates: "all" }, "gates: found all, required a list"],
    [
      "an empty list of gates",
      { gates: [] },
      "gates: found an empty list, required at least 1 entry",
    ],
    [
      "a text for a gate",
      { gates: ["all"] },
      `gates, row 1: found all, required a group of keys: ${rowKeys}`,
    ],
    [
      "nothing for a gate",
      { gates: [gate, null] },
      `gates, row 2: found nothing, required a group of keys: ${rowKeys}`,
    ],
    [
      "a gate without a name",
      { gates: [{ ...gate, id: undefined }] },
      `gates, row 1, id: found nothing, required ${kebabCase}`,
    ],
    [
      "a step that is none",
      { steps: [other] },
      `gate other, step: found nothing, required ${steps}`,
    ],
    [
      "a step that no service is named like",
      { steps: [{ ...other, step: "Melt it" }] },
      `gate other, step: found Melt it, required ${steps}`,
    ],
    [
      "a watch item that nothing follows",
      { watch: [other] },
      "gate other, reaction: found nothing, required one of hold, rollback",
    ],
    ["a text for steps", { steps: "all" }, "steps: found all, required a list"],
    [
      "an unknown key of the file",
      { gate: [] },
      "the file: found the key gate, required are only system, title, document, open, gates, steps, watch",
    ],
    ["no system", { system: undefined }, `system: found nothing, required ${kebabCase}`],
    [
      "a step with the name of a gate",
      { steps: [{ ...gate, step: "freeze" }] },
      "gate unit-tests-passed stands there twice",
    ],
    [
      "a backup in the steps that can be waived",
      { steps: [{ ...gate, id: "snapshot-taken", step: "snapshot" }] },
      "gate snapshot-taken, waivable: found true, required false for what protects data",
    ],
    [
      "a restore in the watch items that can be waived",
      { watch: [{ ...gate, id: "restore-tried", reaction: "hold" }] },
      "gate restore-tried, waivable: found true, required false for what protects data",
    ],
  ])("%s in the file", (_, change, said) => {
    expect(problemsOf({ ...good, ...change })).toBe(`checklists/shop.yaml: ${said}`);
  });

  test("a text of many lines and of no end stays one short line", () => {
    const title = `\u001B[31m${"long\n".repeat(100)}`;
    const problems = problemsOf({ ...good, gates: [{ ...gate, severity: title }] });
    expect(problems.split("\n")).toHaveLength(1);
    expect(problems.length).toBeLessThan(200);
    expect(problems).not.toContain("\u001B");
  });
});

describe("a gate stands", () => {
  test.each<readonly [string, unknown, readonly string[]]>([
    ["before one phase", "observe", ["observe"]],
    ["before several", ["cutover", "finalize"], ["cutover", "finalize"]],
    [
      "before all",
      "always",
      ["prepare", "lower-ttl", "cutover", "observe", "finalize", "decommission"],
    ],
  ])("%s", (_, phase, stands) => {
    const checklist = parsed({ ...good, gates: [{ ...gate, phase }] });
    const before = phases.filter((one) => checklistGates(checklist, one).length === 1);
    expect(before).toEqual(stands);
  });

  test("at the entry guard, or at the one that it names", () => {
    const guarded = { ...gate, id: "other", guard: "data" };
    const checklist = parsed({ ...good, gates: [gate, guarded] });
    const at = (guard: "entry" | "data" | "switch"): string[] =>
      checklistGates(checklist, "cutover", guard).map(({ id }) => id);
    expect([at("entry"), at("data"), at("switch")]).toEqual([[gate.id], ["other"], []]);
  });

  test("in one list with steps and watch items, in the order of the file", () => {
    const { gates } = parsed({
      ...good,
      steps: [{ ...gate, id: "writes-frozen", step: "freeze" }],
      watch: [{ ...gate, id: "errors-few", reaction: "rollback" }],
    });
    expect(gates.map(({ id, step, reaction }) => [id, step, reaction])).toEqual([
      [gate.id, undefined, undefined],
      ["writes-frozen", "freeze", undefined],
      ["errors-few", undefined, "rollback"],
    ]);
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
  [
    "a key of every object, written otherwise",
    'gates: [{ requires: { "\\x5f_proto__": {} } }]',
    /__proto__/,
  ],
  ["an alias within what it names", "system: shop\ngates: &a [*a]\n", /an alias stands within/],
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
