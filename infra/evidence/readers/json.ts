import { at } from "../../../policies/contract/path.ts";
import { decodeUtf8, parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import { keptRow, wantedRows } from "../kept-rows.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { checkCount, fitFacts, isObject, unreadable } from "./shared.ts";

/**
 * Reads the rows of a JSON export: a list of objects, at the path that the checklist says; an object alone, which is one
 * row; or an object on each line, as `journalctl -o json` writes them. Only the fields that the checklist asks about are
 * kept. A list that says itself that it is only a part is refused.
 */
export const json: Reader<"records"> = {
  format: "json",
  title: "rows of a JSON export, or an object on each line",
  predicate: "records",
  read(bytes, { rows }) {
    const wanted = wantedRows(rows);
    const found = rowsIn(decodeUtf8(bytes, reportLimits.bytes), wanted.of);
    return {
      facts: fitFacts("records", {
        rows: found.map((row, index) => {
          if (!isObject(row)) throw unreadable(`row ${index + 1} is no object`);
          return keptRow(row, wanted);
        }),
      }),
      producedAt: null,
    };
  },
};

function rowsIn(text: string, of: string | undefined): readonly unknown[] {
  if (text.trim() === "") {
    throw unreadable("it is empty; an export that lists nothing is written as []");
  }
  const lines = text.split("\n");
  if (
    lines.length > 1 &&
    isWhole(lines[0] ?? "") &&
    lines.slice(1).some((line) => !isBlank(line))
  ) {
    if (of !== undefined) throw unreadable(`it is an object on each line, so it has no ${of}`);
    return lines.flatMap((line, index) => (isBlank(line) ? [] : [lineOf(line, index + 1)]));
  }
  const whole = parseJson(text, reportLimits);
  const list = of === undefined ? whole : at(whole, of);
  if (Array.isArray(list)) {
    if (of !== undefined) checkComplete(whole, of, list.length);
    return list;
  }
  if (of !== undefined) throw unreadable(`it has no list at ${of}`);
  return [whole];
}

/** Refuses a part of a list, as the APIs of GitHub and those of GraphQL say that it is one. */
function checkComplete(whole: unknown, of: string, held: number): void {
  const errors = at(whole, "errors");
  if (Array.isArray(errors) && errors.length > 0 && of !== "errors") {
    throw unreadable("it may be incomplete: it has errors beside the list");
  }
  const beside = of.includes(".") ? `${of.slice(0, of.lastIndexOf("."))}.` : "";
  const total = at(whole, `${beside}total_count`);
  if (typeof total === "number" && total > held) checkCount("entries", total, held);
  const isPart =
    at(whole, `${beside}incomplete_results`) === true ||
    at(whole, `${beside}pageInfo.hasNextPage`) === true;
  if (isPart) throw unreadable("it is incomplete: it says that there is more; export all pages");
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

/** Tells whether a line is an object by itself. */
function isWhole(line: string): boolean {
  if (!/^\s*\{/.test(line)) return false;
  try {
    return isObject(JSON.parse(line));
  } catch {
    return false;
  }
}

function lineOf(line: string, number: number): unknown {
  try {
    return parseJson(line, reportLimits);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    throw unreadable(error.message.replace(/, on line 1$/, `, on line ${number}`));
  }
}
