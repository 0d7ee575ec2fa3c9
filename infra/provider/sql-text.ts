/**
 * Where in a text PostgreSQL saw an error, as ` at line 3, column 7`; empty when the error does not say.
 *
 * @param error pg's error, whose `position` counts characters from 1
 */
export function positionText(sql: string, error: Error): string {
  const position = "position" in error ? Number(error.position) : Number.NaN;
  if (!Number.isInteger(position) || position < 1) return "";
  // PostgreSQL counts characters, where JavaScript's length counts pairs of surrogates twice.
  const before = Array.from(sql).slice(0, position - 1);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.filter((character) => character === "\n").length + 1;
  return ` at line ${String(line)}, column ${String(before.length - lineStart + 1)}`;
}

/**
 * The commands in a text of statements that begin or end a transaction, in capitals, each once. Comments, quoted texts
 * and function bodies in dollar quotes are left out.
 */
export function transactionCommands(sql: string): string[] {
  const found = withoutQuotes(sql)
    .split(";")
    .map((statement) => transactionCommand.exec(statement.trim())?.[0])
    .filter((command) => command !== undefined)
    .map((command) => command.toUpperCase().replaceAll(/\s+/g, " "));
  return [...new Set(found)];
}

const transactionCommand =
  /^(?:begin|start\s+transaction|commit|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|prepare\s+transaction)\b/i;

/** What to skip at a place: a line comment, a text, a quoted name, a text in dollar quotes. */
const skipped = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    String.raw`'(?:[^']|'')*'`,
    String.raw`"(?:[^"]|"")*"`,
    String.raw`(?<![\w$])\$((?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[\s\S]*?\$\1\$`,
  ].join("|"),
  "y",
);

function withoutQuotes(sql: string): string {
  const kept: string[] = [];
  let at = 0;
  while (at < sql.length) {
    const end = endOfComment(sql, at) ?? endOfQuote(sql, at);
    kept.push(end === undefined ? sql.charAt(at) : " ");
    at = end ?? at + 1;
  }
  return kept.join("");
}

function endOfQuote(sql: string, at: number): number | undefined {
  skipped.lastIndex = at;
  return skipped.test(sql) ? skipped.lastIndex : undefined;
}

/** PostgreSQL's block comments nest. */
function endOfComment(sql: string, at: number): number | undefined {
  if (!sql.startsWith("/*", at)) return undefined;
  let depth = 0;
  for (let place = at; place < sql.length;) {
    if (sql.startsWith("/*", place)) depth += 1;
    else if (sql.startsWith("*/", place)) depth -= 1;
    else {
      place += 1;
      continue;
    }
    place += 2;
    if (depth === 0) return place;
  }
  return sql.length;
}
