import { z } from "zod";
import { fail, inconclusive, type Reason } from "../gate.ts";
import {
  at,
  fields,
  fieldWords,
  judgeFields,
  type CheckContext,
  type FieldChecks,
} from "./fields.ts";
import { count } from "./limits.ts";
import { counted, joined, shownName } from "./names.ts";

/** How many rows there may be. */
const rowCount = z
  .strictObject({
    atLeast: count.optional().describe("how many there must be"),
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

/** What is wrong with rows. A row whose `where` cannot be judged closes, because it may be one that matters. */
export function judgeRows(
  rows: readonly Row[],
  asked: RowsAsked,
  words: Words,
  context: Omit<CheckContext, "whole">,
): Reason[] {
  const reasons: Reason[] = [];
  const matching: Row[] = [];
  for (const row of rows) {
    const found = judgeFields(row.value, asked.where ?? {}, context, words[0]);
    const unknown = found.filter(({ verdict }) => verdict === "inconclusive");
    if (unknown.length > 0) reasons.push(...unknown.map(named(row)));
    else if (found.length === 0) matching.push(row);
  }
  const { atLeast = asked.count?.atMost === undefined ? 1 : 0, atMost = Infinity } =
    asked.count ?? {};
  const such = asked.where === undefined ? "" : ` with ${joined(fieldWords(asked.where))}`;
  const howMany = `there ${matching.length === 1 ? "is" : "are"} ${counted(matching.length, ...words)}${such}`;
  if (matching.length > atMost) reasons.push(fail(howMany));
  else if (matching.length < atLeast) {
    reasons.push(rows.length === 0 ? inconclusive(howMany) : fail(howMany));
  }
  return [
    ...reasons,
    ...matching.flatMap((row) =>
      judgeFields(row.value, asked.each ?? {}, context, words[0]).map(named(row)),
    ),
  ];
}

/** What is required of rows, as a sentence. */
export function rowsText({ where, each, count: asked }: RowsAsked, [one, many]: Words): string {
  const { atLeast, atMost } = asked ?? {};
  const least = atLeast ?? (atMost === undefined ? 1 : 0);
  const howMany = [
    ...(least > 0 ? [`${counted(least, one, many)} or more`] : []),
    ...(atMost === undefined ? [] : [`no more than ${counted(atMost, one, many)}`]),
  ];
  return (
    (howMany.length === 0 ? many : joined(howMany)) +
    (where === undefined ? "" : ` with ${joined(fieldWords(where))}`) +
    (each === undefined ? "" : `, of each ${joined(fieldWords(each))}`)
  );
}

/** The fields that are asked about. */
export function fieldsOf({ where = {}, each = {} }: RowsAsked): string[] {
  return [...new Set([...Object.keys(where), ...Object.keys(each)])];
}

/** The name of a row by one of its fields, or by its place. */
export function rowName(value: unknown, key: string | undefined, index: number): string {
  const name = key === undefined ? undefined : at(value, key);
  return typeof name === "string" || typeof name === "number" ? String(name) : `row ${index + 1}`;
}

function named({ name }: Row): (reason: Reason) => Reason {
  return (reason) => ({ ...reason, found: `${shownName(name)}: ${reason.found}` });
}
