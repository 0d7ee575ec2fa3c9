import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { stepIds } from "../../../policies/contract/steps.ts";
import { readChecklist } from "../../../policies/contract/checklist.ts";
import { sequence } from "../../../infra/release/sequence.ts";

const project = join(import.meta.dirname, "..", "..", "..");
const checklists = readdirSync(join(project, "policies", "checklists"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => readChecklist(file.replace(/\.yaml$/, "")));
const ids: readonly string[] = sequence.map(({ id }) => id);

/** The steps of checklists that have the name of a service. */
const services = [
  ...new Set(
    checklists.flatMap(({ gates }) =>
      gates.flatMap(({ step }) => (step === undefined || ids.includes(step) ? [] : [step])),
    ),
  ),
];

test("every step has a name of its own", () => {
  expect(new Set(ids).size).toBe(ids.length);
});

test("guards stand before what they guard, and the record is written last", () => {
  const order = ["enter", "data", "check-data", "restore-test", "freeze", "snapshot", "upgrade"];
  const middle = ["migrate", "data-jobs", "services", "check-jobs", "probe", "check-switch"];
  const rest = ["switch", "ttl-shown", "verify", "lift", "retire", "record"];
  const others = ["legacy", "announce", "publish"];
  expect(ids.filter((id) => !others.includes(id))).toEqual([...order, ...middle, ...rest]);
  expect(ids).toEqual(stepIds);
});

test.each(checklists.map((checklist) => [checklist.system, checklist] as const))(
  "every step that the checklist of %s names is one of its system",
  (system, { gates }) => {
    const example = join(project, "examples", system, "Pulumi.production.yaml");
    const file = existsSync(example) ? example : join(project, "Pulumi.production.yaml");
    const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, object> };
    expect(config["cutover:system"]).toBe(system);
    const known = [...ids, ...Object.keys(config["cutover:services"] ?? {})];
    const steps = gates.flatMap(({ id, step }) => (step === undefined ? [] : [{ id, step }]));
    expect(steps.filter(({ step }) => !known.includes(step))).toEqual([]);
  },
);

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
  const asked = (step: string): string =>
    checklists
      .flatMap(({ system, gates }) =>
        gates.filter((row) => row.step === step).map((row) => `- \`${system}/${row.id}\``),
      )
      .join("\n");
  const carried = sequence
    .flatMap(({ id }) => (id === "services" ? [id, ...services] : [id]))
    .filter((id) => asked(id) !== "")
    .flatMap((id) => [`### ${id}`, asked(id)]);
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
