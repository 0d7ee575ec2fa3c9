/**
 * Where in a text PostgreSQL saw an error, as ` at line 3, column 7`; empty when the error does not say.
 *
 * @param error pg's error, whose `position` counts characters from 1
 */
export function positionText(sql: string, error: Error): string {
  const position = "position" in error ? Number(error.position) : Number.NaN;
  if (!Number.isInteger(position) || position < 1) return "";
  // PostgreSQL counts characters, where JavaScript's length counts pairs of surrogates twice.
  const lines = [...sql].slice(0, position - 1).join("").split("\n");
  return ` at line ${String(lines.length)}, column ${String([...(lines.at(-1) ?? "")].length + 1)}`;
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

const quoted = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`\b[eE]'(?:[^'\\]|\\.|'')*'`,
    String.raw`'(?:[^']|'')*'`,
    String.raw`"(?:[^"]|"")*"`,
    String.raw`(?<![\w$])\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$`,
  ].join("|"),
  "g",
);

function withoutQuotes(sql: string): string {
  return withoutBlockComments(sql).replaceAll(quoted, " ");
}
