import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readChecklist } from "../../policies/contract/checklist.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

const checklists = join(import.meta.dirname, "..", "..", "policies", "checklists");
const systems = readdirSync(checklists)
  .filter((file) => file.endsWith(".yaml") && file !== "flagship.yaml")
  .map((file) => file.replace(/\.yaml$/, ""));

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Kinds that this stack satisfies by itself, or partly: what it declares, and what it says of itself. */
const ownKinds = ["steps-in-order", "facts-show", "gates-declared", "resources-show"];

describe.each(systems)("a stack of the system %s", (system) => {
  test.each(["preview", "up --skip-preview"])("%s meets its checklist", async (command) => {
    // The flagship has evidence of the same names, which would open these gates too.
    const evidence = "examples/flagship/evidence/none";
    await stack.set({ system, evidence, phase: "cutover", release: "v1.0.0" });
    const result =
      command === "preview"
        ? await stack.preview(...withPack)
        : await stack.up(...withPack, "--skip-preview");
    expect(result.exitCode, told(result)).not.toBe(0);
    const closed = result.violations
      .filter(({ level, gate }) => level === "mandatory" && gate.includes("/"))
      .map(({ gate }) => gate);
    const asked = readChecklist(system)
      .gates.filter(({ phase, guard }) => guard === "entry" && phase.includes("cutover"))
      .filter(({ kind }) => !ownKinds.includes(kind))
      .map(({ id }) => `${system}/${id}`);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((gate) => !closed.includes(gate))).toEqual([]);
    expect(closed.filter((gate) => !gate.startsWith(`${system}/`))).toEqual([]);
    expect(await stack.ledger()).toBeUndefined();
  });
});
