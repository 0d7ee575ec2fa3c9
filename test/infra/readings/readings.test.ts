import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseChecklist } from "../../../policies/contract/checklist.ts";
import { readingKinds, readingsConfig, readWanted } from "../../../infra/readings/readings.ts";

const release = { version: "v1.0.0", digest: "d", commit: "c", images: {} };

const checklist = parseChecklist(
  `
system: shop
title: A shop
gates:
${["lower-ttl", "cutover", "observe"]
  .map(
    (phase) => `
  - id: ${phase}-quiet
    title: Quiet.
    phase: ${phase}
    kind: reading-shows
    reading: ${phase}
    requires: { fields: { longTransactions: { atMost: 0 } } }
    severity: high
    why: Not quiet.
    remedy: wait
    waivable: true`,
  )
  .join("\n")}
`,
  "shop",
  "checklists/shop.yaml",
);

const configured = readingsConfig.parse(
  Object.fromEntries(
    ["lower-ttl", "cutover", "observe", "asked-by-nobody"].map((name) => [
      name,
      { kind: "sql-activity" },
    ]),
  ),
);

describe("readWanted", () => {
  test.each([
    ["prepare", ["lower-ttl"]],
    ["lower-ttl", ["cutover", "lower-ttl"]],
    ["cutover", ["cutover", "observe"]],
    ["finalize", []],
  ] as const)("in %s reads what this phase and the next one ask for: %j", async (phase, names) => {
    const readings = await readWanted(configured, checklist, phase, {
      release,
      database: undefined,
    });
    expect(Object.keys(readings).sort()).toEqual(names);
    for (const reading of Object.values(readings)) {
      expect(reading.problem).toContain("no database yet");
      expect(reading.value).toBeUndefined();
    }
  });
});

describe("the config", () => {
  test.each([
    ["an unknown kind", { one: { kind: "sql" } }, ["one", "kind"]],
    ["no kind", { one: {} }, ["one", "kind"]],
    ["a key that its kind does not have", { one: { kind: "sql-activity", x: 1 } }, ["one"]],
    [
      "a value of another type",
      { one: { kind: "sql-activity", longSeconds: "60" } },
      ["one", "longSeconds"],
    ],
    ["a missing key", { one: { kind: "rds-instance" } }, ["one", "identifier"]],
  ])("with %s is refused at its place", (_, value, path) => {
    const { error } = readingsConfig.safeParse(value);
    expect(error?.issues.map((issue) => issue.path)).toContainEqual(path);
  });

  test("with a name that is none is refused", () => {
    expect(readingsConfig.safeParse({ "Not a name": { kind: "sql-activity" } }).success).toBe(
      false,
    );
  });
});

/** The keys of a target, or of a group of keys within it. */
function keysOf(target: unknown): readonly (readonly [name: string, type: z.ZodType])[] {
  const group = target instanceof z.ZodOptional ? target.unwrap() : target;
  return group instanceof z.ZodObject ? (Object.entries(group.shape) as [string, z.ZodType][]) : [];
}

test("every kind has a name of its own, facts, and keys that say what they are", () => {
  const names = readingKinds.map(({ kind }) => kind);
  expect(new Set(names).size).toBe(names.length);
  for (const { kind, target, facts } of readingKinds) {
    expect(Object.keys(facts), kind).not.toEqual([]);
    expect(keysOf(target), kind).not.toEqual([]);
    for (const [key, type] of keysOf(target).flatMap(([outer, each]) => [
      [outer, each] as const,
      ...keysOf(each).map(([inner, deep]) => [`${outer}.${inner}`, deep] as const),
    ])) {
      const { description, example } = type.meta() ?? {};
      expect([kind, key, typeof description, typeof example]).toEqual([
        kind,
        key,
        "string",
        "string",
      ]);
    }
  }
});

test("a fact is named so that a dotted path reaches it", () => {
  const names = readingKinds.flatMap(({ facts }) => Object.keys(facts));
  expect(names.filter((name) => !/^[a-z][A-Za-z]*$/.test(name))).toEqual([]);
});

/** The keys as a list, each group with its own below it. */
function keyLines(target: unknown, indent = ""): string[] {
  return keysOf(target).flatMap(([key, type]) => {
    const { description, example } = type.meta() ?? {};
    const must = type.safeParse(undefined).success ? "" : " Required.";
    return [
      `${indent}- \`${key}\`: ${String(description)}.${must} Example: \`${String(example)}\``,
      ...keyLines(type, `${indent}  `),
    ];
  });
}

test("docs/readings.md lists every kind with its keys and facts", async () => {
  const page = [
    "# Readings",
    "Made from `infra/readings/` by `npx vitest run test/infra/readings/readings.test.ts --update`.",
    "`cutover:readings` names each reading and says where it looks; a gate of kind `reading-shows` names the reading and says what must be seen. What cannot be read keeps its gate closed, and so does a fact that is null or absent.",
    "A gate names a fact within a record by its dotted path, as in `newest.completedAt`. The entries of a list have no path: a list can only be asked whether it is empty or includes a text. A name in it may have dots itself, as hosts and alarms do.",
    ...readingKinds.flatMap(({ kind, title, target, facts }) => [
      `## ${kind}`,
      `Reads ${title}.`,
      "The stack config says:",
      keyLines(target).join("\n"),
      "A gate can see:",
      Object.entries(facts)
        .map(([name, what]) => `- \`${name}\`: ${what}.`)
        .join("\n"),
    ]),
  ];
  const file = join(import.meta.dirname, "..", "..", "..", "docs", "readings.md");
  await expect(`${page.join("\n\n")}\n`).toMatchFileSnapshot(file);
});
