import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stepIds } from "../../../policies/contract/steps.ts";
import { readChecklist } from "../../../policies/contract/checklist.ts";
import { sequence } from "../../../infra/release/sequence.ts";

const project = join(import.meta.dirname, "..", "..", "..");
const checklists = readdirSync(join(project, "policies", "checklists"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => readChecklist(file.replace(/\.yaml$/, "")));
const ids: readonly string[] = sequence.map(({ id }) => id);

test("every step has a name of its own", () => {
  expect(new Set(ids).size).toBe(ids.length);
});

test("guards stand before what they guard, and the record is written last", () => {
  const order = ["enter", "data", "check-data", "freeze", "snapshot", "migrate", "api", "worker"];
  const rest = ["web", "probe", "check-switch", "switch", "verify", "lift", "record"];
  const others = ["legacy", "announce", "publish"];
  expect(ids.filter((id) => !others.includes(id))).toEqual([...order, ...rest]);
  expect(ids).toEqual(stepIds);
});

test("the README draws the steps in their order", () => {
  const diagram = /```mermaid\n([\s\S]*?)```/.exec(
    readFileSync(join(project, "README.md"), "utf8"),
  );
  const drawn = [
    ...(diagram?.[1] ?? "").replaceAll(/[[{].*?[\]}]+/g, "").matchAll(/[a-z-]*[a-z]/g),
  ];
  const names = [...new Set(drawn.map(([name]) => name))].filter((name) => ids.includes(name));
  expect(names).toEqual(ids);
});

test("docs/sequence.md says what every step does", async () => {
  const rows = sequence.map(({ id, title }, index) => `${index + 1}. **${id}**: ${title}`);
  const carried = sequence.flatMap(({ id }) => {
    const items = checklists.flatMap(({ system, gates }) =>
      gates.filter(({ step }) => step === id).map((row) => `- \`${system}/${row.id}\``),
    );
    return items.length === 0 ? [] : [`### ${id}`, items.join("\n")];
  });
  const page = [
    "# The steps of a release, in order",
    "Every step waits for all steps before it. Made from `infra/release/sequence.ts` by its test.",
    rows.join("\n"),
    "## What checklists ask of each step",
    "The requirements of checklists that a step carries out, each proved by the gate of the same name.",
    ...carried,
  ];
  await expect(`${page.join("\n\n")}\n`).toMatchFileSnapshot(join(project, "docs", "sequence.md"));
});
