import { z } from "zod";
import { evidenceKind } from "../kind.ts";
import { name } from "../checks/names.ts";
import {
  asksOfRows,
  fieldsOf,
  judgeRows,
  rowName,
  rowsAsked,
  rowsText,
  type RowsAsked,
} from "../checks/rows.ts";

const words = ["row", "rows"] as const;

interface RecordsAsked extends RowsAsked {
  readonly of?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * The rows of a report are as they must be: a result of SQL, an export of issues, a table of a runbook. `of` is for the
 * one who attests; what is judged are the rows that were found there.
 */
export const recordsShow = evidenceKind<"records", RecordsAsked>({
  kind: "records-show",
  title: "The rows of a report are as they must be.",
  judges: "records",
  requires: z
    .strictObject({
      of: name
        .optional()
        .describe(
          "where the list of rows lies in the report, a dotted path; the report without it",
        ),
      key: name.optional().describe("the field that names a row in messages"),
      ...rowsAsked,
    })
    .refine(asksOfRows, "each, count or both"),
  required: (asked) => rowsText(asked, words),
  rows: (asked) => ({
    of: asked.of,
    fields: [
      ...new Set([...fieldsOf(asked), ...(asked.key === undefined ? [] : [asked.key])]),
    ].sort(),
  }),
  judge: ({ rows }, asked, { facts, now }) =>
    judgeRows(
      rows.map((value, index) => ({ name: rowName(value, asked.key, index), value })),
      asked,
      words,
      { facts, now },
    ),
});
