import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { format, resolveConfig } from "prettier";
import { kinds } from "../../policies/kinds.ts";
import { checklistJsonSchema } from "../support/checklist-schema.ts";

const folder = join(import.meta.dirname, "..", "..", "policies", "checklists");
const file = join(folder, "checklist.schema.json");
const schema = checklistJsonSchema(kinds);
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
const checklists = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test("the schema for editors is that of the pack", async () => {
  const options = await resolveConfig(file);
  const text = await format(JSON.stringify(schema), { ...options, filepath: file });
  await expect(text).toMatchFileSnapshot(file);
});

test.each(checklists)("%s is as the schema says, and names it for editors", (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  validate(parse(text));
  expect(validate.errors ?? []).toEqual([]);
  expect(text).toMatch(/^# yaml-language-server: \$schema=checklist\.schema\.json\n/);
});

const flagship = parse(readFileSync(join(folder, "flagship.yaml"), "utf8")) as {
  gates: Record<string, unknown>[];
};

test.each<readonly [string, (gate: Record<string, unknown>) => unknown]>([
  ["an unknown kind", (gate) => ({ ...gate, kind: "tests-pass" })],
  ["an unknown key", (gate) => ({ ...gate, reason: "none" })],
  ["a phase that there is none of", (gate) => ({ ...gate, phase: "freeze" })],
  ["a severity in capitals", (gate) => ({ ...gate, severity: "HIGH" })],
  ["a requirement of another kind", (gate) => ({ ...gate, requires: { most: 3 } })],
  ["no remedy", ({ remedy: _left, ...gate }) => gate],
])("the schema refuses %s", (_, change) => {
  const [, gate = {}, ...rest] = flagship.gates;
  expect(validate({ ...flagship, gates: [change(gate), ...rest] })).toBe(false);
});

test("the schema takes a requirement that the document leaves open", () => {
  const [, gate = {}] = flagship.gates;
  const open = { least: { asks: "How many are enough?", value: 3 } };
  const gates = [{ ...gate, requires: { atLeast: { open: "least" } } }];
  expect(validate({ ...flagship, open, gates })).toBe(true);
});
