import type { ChecklistGate } from "../../policies/contract/checklist.ts";
import { phaseMeaning, phases } from "../../policies/contract/phase.ts";
import { shownLine } from "../../policies/checks/names.ts";
import { readChecklistFile } from "./file.ts";

/**
 * A checklist as a Markdown page, to be kept in the repository that it is about. It states the checklist's digest, so
 * that a gate of kind document-says can tell that the page is the checklist in force.
 *
 * @throws OperatorError when the file cannot be read, and with what is wrong with it
 */
export function checklistPage(file: string): string {
  const { checklist, gates } = readChecklistFile(file);
  const rows = checklist.gates.map((row, index) => ({
    row,
    required: gates[index]?.required ?? "",
  }));
  return [
    `# ${cell(checklist.title)}`,
    "",
    `**Checklist digest**: ${checklist.digest}`,
    "",
    `Printed by \`npx cutover checklist print\` from \`policies/checklists/${checklist.system}.yaml\`; edit that.`,
    "",
    ...phases.flatMap((phase) => {
      const those = rows.filter(({ row }) => row.phase.includes(phase));
      if (those.length === 0) return [];
      return [
        `## Before ${phase}`,
        "",
        phaseMeaning[phase],
        "",
        "| gate | what must hold | required | when it does not |",
        "| --- | --- | --- | --- |",
        ...those.map(({ row, required }) => `| ${rowCells(row, required).map(cell).join(" | ")} |`),
        "",
      ];
    }),
  ].join("\n");
}

function rowCells(row: ChecklistGate, required: string): string[] {
  const { id, title, why, remedy, waivable } = row;
  return [id, title, required, `${why} ${remedy}${waivable ? " (can be waived)" : ""}`];
}

/** On one line, without what Markdown or a terminal would take for a sign of its own; a bar ends no cell. */
function cell(text: string): string {
  return shownLine(text).replaceAll(/[\\<|*_`[\]]/g, String.raw`\$&`);
}
