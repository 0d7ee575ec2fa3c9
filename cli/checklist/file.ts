import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { gatesOf, readKind } from "../../policies/checklist-gates.ts";
import { shownLine } from "../../policies/checks/names.ts";
import {
  ChecklistError,
  parseChecklist,
  type Checklist,
} from "../../policies/contract/checklist.ts";
import { resolveOpen } from "../../policies/contract/open-requirements.ts";
import { wrapWords } from "../../policies/contract/text.ts";
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
 * @throws OperatorError when it cannot be read, is too long or is no text
 */
export function readText(file: string, what: string): string {
  const bytes = beginningOf(file, what);
  const todo = "name another file";
  if (bytes.length > mostBytes) throw unusable(file, "it is larger than 1 MiB", what, todo);
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw unusable(file, "it is no text in UTF-8", what, "save it as UTF-8, or name another file");
  }
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

/** A file up to its first byte too many: what never ends, such as a device, is not read to its end. */
function beginningOf(file: string, what: string): Buffer {
  const bytes = Buffer.alloc(mostBytes + 1);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    let length = 0;
    for (let read = -1; read !== 0; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw unusable(file, `it cannot be read (${code})`, what, "name another file");
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function unusable(file: string, found: string, required: string, todo: string): OperatorError {
  return new OperatorError(
    problemText("Nothing was done.", [{ where: file, found, required, todo }]),
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
 * @throws OperatorError when the file cannot be read, and with what is wrong with it
 */
export function readChecklistFile(file: string): CheckedChecklist {
  const text = readText(file, "a checklist, YAML");
  const name = basename(file);
  const system = name.replace(/\.[^.]*$/, "");
  if (name !== `${system}.yaml`) {
    const required = "a name that ends in .yaml, as the guards look for it";
    throw unusable(file, "another ending", required, `rename it to ${system}.yaml`);
  }
  try {
    const checklist = parseChecklist(text, system, name);
    return { checklist, gates: gatesOf(checklist) };
  } catch (error) {
    if (!(error instanceof ChecklistError)) throw error;
    const found = error.message
      .split("\n")
      .map((problem) => problem.replace(/^(?:checklists\/)?[^:]*\.yaml: /, ""));
    // A fault of the form must not hide what the kinds cannot use.
    const problems = [...new Set([...found, ...kindProblemsIn(text)])].flatMap((problem) =>
      wrapWords(shownLine(problem), 76, "  "),
    );
    const lines = problems.map((line) => `    ${line}`);
    throw new OperatorError(
      ["The checklist cannot be used.", "", `  ${file}`, ...lines].join("\n"),
    );
  }
}

const rawRow = z.looseObject({
  id: z.string(),
  kind: z.string(),
  requires: z.unknown().optional(),
});

/** What is wrong with kinds and what is required of them, in a file whose form may be wrong too. */
function kindProblemsIn(text: string): string[] {
  let value: unknown;
  try {
    value = resolveOpen(parse(text)).resolved;
  } catch {
    return [];
  }
  const lists = z.record(z.string(), z.unknown()).safeParse(value).data ?? {};
  return ["gates", "steps", "watch"].flatMap((list) => {
    const rows = lists[list];
    if (!Array.isArray(rows)) return [];
    return rows.flatMap((row: unknown) => {
      const { data } = rawRow.safeParse(row);
      return data === undefined ? [] : readKind(data.id, data.kind, data.requires ?? {}).problems;
    });
  });
}
