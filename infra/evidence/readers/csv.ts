import { CsvError, parse, type Options } from "csv-parse/sync";
import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { columnsKept, wantedRows } from "../kept-rows.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { checkUnique, fitFacts, unreadable } from "./shared.ts";

/** Characters of a row; one that goes on without end is refused. */
const mostCharacters = 1024 * 1024;

/** More rows than evidence holds; what comes after them is not read. */
const mostRecords = 50_002;

/**
 * Reads the rows of a CSV file with a header, as `psql --csv` writes it: cells are parted by commas, every row has a
 * cell for each column. Only the columns that the checklist asks about are kept.
 */
export const csv: Reader<"records"> = {
  format: "csv",
  title: "rows of a CSV file with a header",
  predicate: "records",
  read(bytes, { rows }) {
    const wanted = wantedRows(rows);
    if (wanted.of !== undefined) {
      throw unreadable(`it is one table, so it has no ${wanted.of}`);
    }
    const [header, ...records] = parsed(decodeUtf8(bytes, reportLimits.bytes));
    if (header === undefined) throw unreadable("it is empty; required is a header row");
    const columns = header.map((column) => column.trim());
    checkUnique(columns);
    const kept = columnsKept(columns, wanted);
    return {
      facts: fitFacts("records", { rows: records.map((cells) => kept((at) => cells[at] ?? "")) }),
      producedAt: null,
    };
  },
};

function parsed(text: string): string[][] {
  try {
    const [header] = records(text, { skip_empty_lines: true, to: 1 });
    if (header === undefined) return [];
    // In a table of one column, an empty line is a row: `psql --csv` writes null so.
    return records(text, { skip_empty_lines: header.length > 1, to: mostRecords });
  } catch (error) {
    // Its message quotes a cell.
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? `, on line ${error["lines"]}` : "";
    throw unreadable(`it is no CSV (${error.code})${line}`);
  }
}

function records(text: string, options: Options): string[][] {
  return parse(text, { ...options, max_record_size: mostCharacters });
}
