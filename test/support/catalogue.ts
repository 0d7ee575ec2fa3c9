import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readers } from "../../infra/evidence/readers.ts";
import { guards, type GuardName } from "../../policies/contract/facts.ts";
import { gateTable, type GateRow } from "../../policies/contract/gates.ts";
import { phaseMeaning, phases } from "../../policies/contract/phase.ts";
import type { ChecklistGate } from "../../policies/contract/checklist.ts";
import type { Gate } from "../../policies/gate.ts";
import type { Kind } from "../../policies/kind.ts";
import { kinds } from "../../policies/kinds.ts";
import { counted, shownLine } from "../../policies/checks/names.ts";
import { fieldChecks } from "../../policies/checks/fields.ts";
import { requirements } from "../../policies/requirements.ts";
import type { System } from "../../policies/system.ts";

const guardMeaning: Readonly<Record<GuardName, string>> = {
  entry: "before anything changes",
  data: "after the data resources, before the write freeze",
  switch: "after the services, before DNS moves",
};

const requirementMeaning: Readonly<Record<keyof typeof requirements, string>> = {
  backupRetentionDays: "days that automated database backups are kept, at least",
  restoreTestDays: "days that a restore test may be old, at most",
  vaultLockDays: "days that a locked vault keeps a recovery point, at least",
  bucketRetentionDays: "days that S3 keeps what was overwritten or deleted, at least",
  archiveLockDays: "days that R2 refuses to delete an object, at least",
  secretRecoveryDays: "days in which a deleted secret can be had back, at least",
  loweredTtlSeconds: "seconds that a DNS answer lives when traffic moves, at most",
  automaticTtlSeconds: "seconds that Cloudflare's automatic TTL stands for",
  waiverDays: "days that a waiver may be given for, at most",
  clockSkewSeconds: "seconds that a recorded time may be ahead of the clock, at most",
};

/** The README of the pack: what every gate requires, why, where and when. */
export function catalogue(gates: readonly Gate[], systems: readonly System[]): string {
  return [
    "# Release gates",
    "",
    "Made by `npx vitest run test/policies/catalogue.test.ts --update` from the gates themselves; edit those.",
    "",
    "This folder is a Pulumi policy pack. It judges a release before anything changes and closes the way when a gate is",
    "not open. It works only when it is attached, `pulumi up --policy-pack policies`; without it the guards refuse the",
    "release, because only the pack can write the seal that they ask for.",
    "",
    "- What is absent, zero, of another type or unknown until the update closes a gate. So does a covered name that no",
    "  declared resource carries.",
    "- A gate of this phase is mandatory, whatever `--policy-pack-config` says. A gate of the next phase is shown as",
    "  advice. A gate that was switched off closes its guard.",
    "- No message shows a value that could be secret.",
    "- Who may sign what is said in [trust/](trust/README.md). A waived gate stays visible as waived.",
    "",
    "## Guards",
    "",
    ...guards.flatMap((guard) => section(guard, gates)),
    "## Checklists",
    "",
    "The gates of one system, `checklists/<system>.yaml`. They stand in the way forward only, and report as `<system>/<id>`:",
    "those that judge declared resources at the guard that they name, all others at the entry guard.",
    "[How to write one](../docs/write-a-checklist.md).",
    "",
    ...systems.flatMap(checklistSection),
    "## Kinds",
    "",
    "What a gate of a checklist can judge; one file each in `kinds/`. Under each kind stands what `requires` takes.",
    "",
    ...kinds.flatMap(kindSection),
    "### Checks of a field",
    "",
    "What `fields`, `where` and `each` may ask of a field, by its dotted path. Several checks of one field must all hold.",
    "",
    ...keysOf(fieldChecks),
    "",
    "## Requirements",
    "",
    "The numbers that gates enforce, from `requirements.ts`. They cannot be set from outside.",
    "",
    ...table([
      ["requirement", "value", "meaning"],
      ...Object.entries(requirementMeaning).map(([name, meaning]) => [
        name,
        String(requirements[name as keyof typeof requirements]),
        meaning,
      ]),
    ]),
    "",
    "## Phases",
    "",
    ...table([["phase", "meaning"], ...phases.map((phase) => [phase, phaseMeaning[phase]])]),
    "",
  ].join("\n");
}

function section(guard: GuardName, gates: readonly Gate[]): string[] {
  return [
    `### ${guard}: ${guardMeaning[guard]}`,
    "",
    ...gates.filter((gate) => gate.guard === guard).flatMap(entry),
  ];
}

function checklistSection({ checklist, gates }: System): string[] {
  const { system, title, document } = checklist;
  const from = document === undefined ? "" : ` From ${escaped(document)}.`;
  const count = counted(checklist.gates.length, "gate");
  const about = `${count}, in [${system}.yaml](checklists/${system}.yaml).${from}`;
  const samples = `../test/policies/checklists/${system}.yaml`;
  return [
    `### ${system}: ${escaped(title)}`,
    "",
    ...(existsSync(join(import.meta.dirname, "../../policies", samples))
      ? [`${about} What opens and closes each one is`, `shown in [its samples](${samples}).`]
      : [about]),
    "",
    ...phases.flatMap((phase) => {
      const rows = checklist.gates.flatMap((row, index) =>
        row.phase[0] === phase ? [checklistEntry(row, gates[index]?.required ?? "")] : [],
      );
      return rows.length === 0 ? [] : [`#### ${system}, before ${phase}`, "", ...rows, ""];
    }),
  ];
}

/** One gate in one item: what must hold, what is required, and how it is judged. */
function checklistEntry(row: ChecklistGate, required: string): string {
  const { id, title, kind, severity, step, reaction, waivable } = row;
  const when =
    row.phase.length === phases.length
      ? ["every phase"]
      : row.phase.length > 1
        ? [row.phase.join(", ")]
        : [];
  const tags = [
    kind,
    severity,
    ...when,
    ...(step === undefined ? [] : [`step ${step}`]),
    ...(reaction === undefined ? [] : [`else ${reaction}`]),
    ...(waivable ? ["waivable"] : []),
  ];
  return `- **${id}**: ${escaped(title)} Required: ${escaped(required)}. (${tags.join(", ")})`;
}

function entry(gate: Gate): string[] {
  const { id, requires, because, required, remedy, severity, waivable } = gate;
  return [
    `#### ${id}`,
    "",
    `${requires} ${because}`,
    "",
    `- When: ${when(id)}. Severity: ${severity}.${waivable ? " Can be waived." : ""}`,
    `- Required: ${code(required)}.`,
    `- To do: ${code(remedy)}`,
    "",
  ];
}

/** What a kind judges, what makes that, and the keys of its `requires`. */
function kindSection({ kind, judges, title, requires }: Kind): string[] {
  const formats = readers
    .filter(({ predicate }) => predicate === judges)
    .map(({ format }) => `\`${format}\``);
  return [
    `### Kind ${kind}`,
    "",
    `${title} ${judgedWords[judges] ?? `Judges evidence in the format ${formats.join(", ")}.`}`,
    "",
    ...keysOf(requires, true),
    "",
  ];
}

/** The keys of a schema as a list. */
function keysOf(type: z.ZodType, sayOptional = false): string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(type, {
    io: "input",
    unrepresentable: "any",
  });
  return Object.entries(properties).map(([key, schema]) => {
    const { description = "", default: usual } = schema as {
      readonly description?: string;
      readonly default?: unknown;
    };
    const may = usual === undefined ? "optional" : `otherwise ${JSON.stringify(usual)}`;
    const must = !sayOptional || (required.includes(key) && usual === undefined);
    return `- \`${key}\`: ${description}${must ? "" : ` (${may})`}`;
  });
}

/** What a kind judges that judges no evidence. */
const judgedWords: Readonly<Partial<Record<Kind["judges"], string>>> = {
  reading: "Judges a reading, see [docs/readings.md](../docs/readings.md).",
  release: "Judges what the guard knows of the release.",
  resources: "Judges declared resources, at the gate's guard.",
};

/** A Markdown table with even columns, as prettier writes it. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const lines = rows.map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0] ?? "", rule, ...lines.slice(1)];
}

/** Words in angle brackets are not HTML, and a command is to be copied. */
function code(text: string): string {
  return /^(?:pulumi|npx) [^,]*$/.test(text) ? `\`${text}\`` : escaped(text);
}

/** On one line, without what Markdown would take for a sign of its own. */
function escaped(text: string): string {
  return shownLine(text).replaceAll(/[\\<*_`]/g, String.raw`\$&`);
}

function when(id: string): string {
  const row: GateRow | undefined = gateTable.find((one) => one.id === id);
  if (row === undefined) throw new Error(`contract/gates.ts has no gate ${id}`);
  const inPhases = row.phases.length === phases.length ? "every phase" : row.phases.join(", ");
  return row.directions.length === 2 ? inPhases : `${inPhases}, ${row.directions.join()} only`;
}
