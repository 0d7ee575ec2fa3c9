import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gatesOf } from "../../policies/checklist-gates.ts";
import { parseChecklist, type Checklist } from "../../policies/contract/checklist.ts";
import type { Gate } from "../../policies/gate.ts";
import { OperatorError, problemText } from "../../infra/errors.ts";
import { codeOf } from "../../infra/provider/error-text.ts";

/** Longest file that is read: the largest checklist of this project has a tenth of it. */
const mostBytes = 1024 * 1024;

/** Stands where somebody has yet to write the reason of a gate. */
export const reasonToWrite = "(say what goes wrong when this does not hold)";

/**
 * Reads a text that somebody wrote.
 *
 * @param what what it should be, for the message
 * @throws OperatorError when it cannot be read or is too long
 */
export function readText(file: string, what: string): string {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length <= mostBytes) return text;
    throw unusable(file, "it is larger than 1 MiB", what);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw unusable(file, `it cannot be read (${code})`, what);
  }
}

function unusable(file: string, found: string, what: string): OperatorError {
  return new OperatorError(
    problemText("Nothing was done.", [
      { where: file, found, required: what, todo: "name another file" },
    ]),
  );
}

/** A checklist and its gates, in its order. */
export interface CheckedChecklist {
  readonly checklist: Checklist;
  readonly gates: readonly Gate[];
}

/**
 * Reads a checklist from anywhere; its system must be the file's name.
 *
 * @throws OperatorError when the file cannot be read, ChecklistError with everything that is wrong with it
 */
export function readChecklistFile(file: string): CheckedChecklist {
  const text = readText(file, "a checklist, YAML");
  const name = basename(file);
  const checklist = parseChecklist(text, name.replace(/\.ya?ml$/, ""), name);
  return { checklist, gates: gatesOf(checklist) };
}
