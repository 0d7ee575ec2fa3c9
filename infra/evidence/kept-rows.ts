import { UnreadableError } from "../../policies/contract/json.ts";
import type { Facts } from "../../policies/contract/predicates.ts";
import { at } from "../../policies/contract/path.ts";
import type { WantedRows } from "./reader.ts";
import { isObject } from "./readers/shared.ts";

/** What is kept of a row: a value by the dotted path of its field. */
type KeptRow = Facts<"records">["rows"][number];

type Kept = KeptRow[string];

/**
 * The fields that are kept of each row.
 *
 * @throws UnreadableError where no gate asks for rows
 */
export function wantedRows(rows: WantedRows | undefined): WantedRows {
  if (rows === undefined) {
    throw new UnreadableError("no gate of the checklist asks for its rows, so nothing may be kept");
  }
  return rows;
}

/** Keeps the wanted fields of a row, and nothing else: a report may hold secrets. */
export function keptRow(value: unknown, { fields }: WantedRows): KeptRow {
  return rowOf(
    fields.flatMap((field) => {
      const entry = at(value, field);
      return entry === undefined ? [] : [[field, keptValue(entry)]];
    }),
  );
}

/**
 * Keeps the wanted columns of a table.
 *
 * @param columns the names of the columns, in the order of the cells
 * @returns what is kept of a row, given the text of its cell at each place; only wanted cells are asked for
 * @throws UnreadableError where a wanted column is not there, or is there twice
 */
export function columnsKept(
  columns: readonly string[],
  { fields }: WantedRows,
): (textAt: (place: number) => string) => KeptRow {
  const places = fields.map((field) => {
    const place = columns.indexOf(field);
    if (place < 0) throw new UnreadableError(`it has no column ${field}`);
    if (columns.lastIndexOf(field) !== place) {
      throw new UnreadableError(`it has the column ${field} twice`);
    }
    return [field, place] as const;
  });
  return (textAt) => rowOf(places.map(([field, place]) => [field, cellValue(textAt(place))]));
}

/**
 * What a text of a table says: true, false, a number, or else the text itself. A number has no zeros before it, no
 * exponent and at most 15 digits, so that nothing else, such as a long id, becomes one.
 */
export function cellValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const isShort = text.length <= 17 && text.replaceAll(/\D/g, "").length <= 15;
  return isShort && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

function rowOf(entries: readonly (readonly [string, Kept])[]): KeptRow {
  return Object.fromEntries(entries.filter(([field]) => field !== "__proto__"));
}

/**
 * A value without what no check looks at. Checks look for texts in a list and count entries, so what lies deeper goes.
 */
function keptValue(value: unknown): Kept {
  if (Array.isArray(value)) {
    return value.map((entry) => (typeof entry === "object" ? null : scalar(entry)));
  }
  if (isObject(value)) return rowOf(Object.keys(value).map((key) => [key, null]));
  return scalar(value);
}

function scalar(value: unknown): string | number | boolean | null {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : null;
}
