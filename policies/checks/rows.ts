import { z } from "zod";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { fields, fieldWords, judgeFields, type CheckContext, type FieldChecks } from "./fields.ts";
import { count } from "./limits.ts";
import { counted, joined, shownName } from "./names.ts";
import { at } from "../contract/path.ts";

/** How many rows there may be. */
const rowCount = z
  .strictObject({
    atLeast: count.min(1).optional().describe("how many there must be"),
    atMost: count.optional().describe("how many there may be"),
  })
  .refine(
    ({ atLeast, atMost }) => atLeast !== undefined || atMost !== undefined,
    "atLeast, atMost or both",
  )
  .refine(({ atLeast = 0, atMost = Infinity }) => atLeast <= atMost, "atLeast is over atMost");

/** What a checklist may ask of rows. */
export const rowsAsked = {
  where: fields.optional().describe("which ones it is about, by their fields; all without it"),
  each: fields.optional().describe("what the fields of every one must be"),
  count: rowCount.optional().describe("how many there must be; at least one where nothing is said"),
};

/** What a checklist asks of rows, parsed. */
export interface RowsAsked {
  readonly where?: Readonly<Record<string, FieldChecks>> | undefined;
  readonly each?: Readonly<Record<string, FieldChecks>> | undefined;
  readonly count?:
    { readonly atLeast?: number | undefined; readonly atMost?: number | undefined } | undefined;
}

/** Whether anything is asked that a row can fail. */
export function asksOfRows({ each, count: asked }: RowsAsked): boolean {
  return each !== undefined || asked !== undefined;
}

/** A row and how a message names it. */
export interface Row {
  readonly name: string;
  readonly value: unknown;
}

/** The words for one row and for several. */
type Words = readonly [one: string, many: string];

/** Rows of which a message says what is wrong; the rest is a count. */
const mostRows = 10;

/**
 * What is wrong with rows. A row that one check of `where` rules out is another one, whatever the others say; one whose
 * `where` cannot be judged closes, because it may be one that matters.
 */
export function judgeRows(
  rows: readonly Row[],
  asked: RowsAsked,
  words: Words,
  context: Omit<CheckContext, "whole">,
): Reason[] {
  const judge = (row: Row, checks: RowsAsked["where"] = {}): Reason[] =>
    judgeFields(row.value, checks, context, words[0]);
  const unknown: WrongRow[] = [];
  const matching: Row[] = [];
  for (const row of rows) {
    const reasons = judge(row, asked.where);
    if (reasons.length === 0) matching.push(row);
    else if (reasons.every(({ verdict }) => verdict === "inconclusive")) {
      unknown.push({ row, reasons });
    }
  }
  const wrong = matching
    .map((row) => ({ row, reasons: judge(row, asked.each) }))
    .filter(({ reasons }) => reasons.length > 0);
  return [
    ...judgeCount(matching.length, rows.length, asked, words),
    ...told([...unknown, ...wrong], words),
  ];
}

interface WrongRow {
  readonly row: Row;
  readonly reasons: readonly Reason[];
}

function judgeCount(
  matching: number,
  all: number,
  { where, count: asked }: RowsAsked,
  words: Words,
): Reason[] {
  const { least, most } = limitsOf(asked);
  if (matching >= least && matching <= most) return [];
  const such = where === undefined ? "" : ` with ${joined(fieldWords(where))}`;
  const found = `there ${matching === 1 ? "is" : "are"} ${counted(matching, ...words)}${such}`;
  // Of nothing at all, nobody knows whether it was looked for.
  return [all === 0 ? inconclusive(found) : fail(found)];
}

function told(wrong: readonly WrongRow[], words: Words): Reason[] {
  const shown = wrong
    .slice(0, mostRows)
    .flatMap(({ row, reasons }) =>
      reasons.map((reason) => ({ ...reason, found: `${shownName(row.name)}: ${reason.found}` })),
    );
  const rest = wrong.slice(mostRows);
  if (rest.length === 0) return shown;
  const found = `${counted(rest.length, `more ${words[0]} is`, `more ${words[1]} are`)} not as required`;
  const failed = rest.some(({ reasons }) => reasons.some(({ verdict }) => verdict === "fail"));
  return [...shown, failed ? fail(found) : inconclusive(found)];
}

/** Where nothing is said there must be one; where only a highest number is said there may be none. */
function limitsOf(asked: RowsAsked["count"]): { readonly least: number; readonly most: number } {
  const { atLeast, atMost = Infinity } = asked ?? {};
  return { least: atLeast ?? (atMost === Infinity ? 1 : 0), most: atMost };
}

/** What is required of rows, as a sentence. */
export function rowsText({ where, each, count: asked }: RowsAsked, [one, many]: Words): string {
  const { least, most } = limitsOf(asked);
  const howMany =
    most === 0
      ? [`no ${one}`]
      : least === most
        ? [`exactly ${counted(least, one, many)}`]
        : [
            ...(least > 0 ? [`${counted(least, one, many)} or more`] : []),
            ...(most === Infinity ? [] : [`no more than ${counted(most, one, many)}`]),
          ];
  return (
    joined(howMany) +
    (where === undefined ? "" : ` with ${joined(fieldWords(where))}`) +
    (each === undefined ? "" : `, of each ${joined(fieldWords(each))}`)
  );
}

/** The fields that are asked about, and those that they are compared with. */
export function fieldsOf({ where = {}, each = {} }: RowsAsked): string[] {
  const asked = [...Object.entries(where), ...Object.entries(each)];
  return [...new Set(asked.flatMap(([path, checks]) => [path, ...comparedWith(checks)]))];
}

function comparedWith(checks: FieldChecks): string[] {
  return [checks["sameAs"], checks["differsFrom"]].flatMap((path) =>
    typeof path === "string" && path.startsWith(rowPath) ? [path.slice(rowPath.length)] : [],
  );
}

/** What the path of another field of the same row begins with. */
const rowPath = "row.";

/** The name of a row by one of its fields, or by its place. */
export function rowName(value: unknown, key: string | undefined, index: number): string {
  const name = key === undefined ? undefined : at(value, key);
  return typeof name === "string" || typeof name === "number" ? String(name) : `row ${index + 1}`;
}
