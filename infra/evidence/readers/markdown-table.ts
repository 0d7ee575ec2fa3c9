import type { Token, Tokens } from "marked";
import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { columnsKept, wantedRows } from "../kept-rows.ts";
import { markdownBlocks, markdownBytes, type Blocks } from "../markdown-blocks.ts";
import type { Reader } from "../reader.ts";
import { fitFacts, unreadable } from "./shared.ts";

/**
 * Reads the rows of the tables of a Markdown document, such as the steps of a runbook: of all tables, or of those under
 * the heading that the checklist says. A table with none of the wanted columns is another one and is left out; one that
 * has only some of them is refused. What is quoted, or stands in code or HTML, is no table.
 */
export const markdownTable: Reader<"records"> = {
  format: "markdown-table",
  title: "rows of the tables of a Markdown document",
  predicate: "records",
  read(bytes, { rows }) {
    const wanted = wantedRows(rows);
    const blocks = markdownBlocks(decodeUtf8(bytes, markdownBytes));
    const tables = tablesOf(blocks, wanted.of).map(({ header, rows }) => ({
      columns: header.map(({ text }) => blocks.plain(text)),
      rows,
    }));
    const meant = tables.filter(
      ({ columns }) =>
        wanted.fields.length === 0 || wanted.fields.some((field) => columns.includes(field)),
    );
    if (meant.length === 0) {
      const where = wanted.of === undefined ? "" : ` under the heading ${wanted.of}`;
      const columns = wanted.fields.length === 0 ? "" : ` with a column ${wanted.fields[0] ?? ""}`;
      throw unreadable(`it has no table${columns}${where}`);
    }
    return {
      facts: fitFacts("records", {
        rows: meant.flatMap(({ columns, rows }) => {
          const kept = columnsKept(columns, wanted);
          return rows.map((cells) => kept((at) => blocks.plain(cells[at]?.text ?? "")));
        }),
      }),
      producedAt: null,
    };
  },
};

/** The tables of a document, in their order; of a heading those until the next one of its level or above. */
function tablesOf({ tokens, plain }: Blocks, heading: string | undefined): Tokens.Table[] {
  const tables: Tokens.Table[] = [];
  // Depth of the wanted heading that the blocks stand under.
  let under = heading === undefined ? 0 : Infinity;
  for (const token of tokens) {
    if (token.type === "heading") {
      const { depth, text } = token as Tokens.Heading;
      if (heading !== undefined && depth <= under) {
        under = headingKey(plain(text)) === headingKey(heading) ? depth : Infinity;
      }
    } else if (under !== Infinity) tables.push(...tablesIn(token));
  }
  return tables;
}

function tablesIn(token: Token): Tokens.Table[] {
  if (token.type === "table") return [token as Tokens.Table];
  // After an empty line, or under a line of dashes that does not fit, it would be left out without a word.
  if (["paragraph", "text"].includes(token.type) && /^[ \t]*\|/m.test(token.raw)) {
    throw unreadable("it has a row that belongs to no table: its line begins with |");
  }
  if (token.type !== "list") return [];
  return (token as Tokens.List).items.flatMap(({ tokens }) => tokens.flatMap(tablesIn));
}

function headingKey(heading: string): string {
  return heading.trim().toLowerCase();
}
