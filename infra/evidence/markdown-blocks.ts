import { Lexer, Tokenizer, type Token, type Tokens } from "marked";
import { unreadable } from "./readers/shared.ts";

/** A longer text is refused. */
export const markdownBytes = 1024 * 1024;

/** Columns before a line's text that marks of lists may take; 32 are lists of sixteen levels. */
const mostColumns = 32;

/** Lines of a paragraph in an item of a list; more are refused. */
const mostItemLines = 200;

/** Cells of all tables; more are refused. */
const mostCells = 1_000_000;

/** A longer text within a block is refused. */
const mostCharacters = 4096;

/** What all texts with marks may take together: the lexer's time grows with the square of their lengths. */
const mostWork = 150_000_000;

/** The blocks of a Markdown document, and how to read the text in them. */
export interface Blocks {
  readonly tokens: readonly Token[];
  /**
   * Makes plain text of Markdown that stands within a block; HTML is left out.
   *
   * @throws UnreadableError for a text that is too long
   */
  readonly plain: (text: string) => string;
}

/**
 * Parts a Markdown document into blocks, in a time that does not grow faster than the document.
 *
 * @throws UnreadableError where lists nest too deep or hold too long a paragraph
 */
export function markdownBlocks(text: string): Blocks {
  const body = text.replaceAll(/\r\n?/g, "\n");
  checkLists(body);
  checkTables(body);
  const lexer = new Lexer({ gfm: true, tokenizer: new Unquoted() });
  let work = 0;
  return {
    tokens: lexer.blockTokens(body),
    plain: (inner) => {
      // Most texts have no marks at all.
      if (/^[A-Za-z0-9 .,:;/()+-]*$/.test(inner)) return inner.replaceAll(/ +/g, " ").trim();
      work += inner.length ** 2;
      if (inner.length > mostCharacters || work > mostWork) {
        throw unreadable("its cells hold more text with marks than can be read");
      }
      return textOf(lexer.inlineTokens(inner)).replaceAll(/\s+/g, " ").trim();
    },
  };
}

/** Leaves quotes unread: quotes within quotes take the library time and memory that grow without bound. */
class Unquoted extends Tokenizer {
  override blockquote(source: string): Tokens.Blockquote | undefined {
    const raw = this.rules.block.blockquote.exec(source)?.[0];
    return raw === undefined ? undefined : { type: "blockquote", raw, text: "", tokens: [] };
  }
}

/** Refuses lists that take the lexer time without bound: it goes through a paragraph of an item once for each line. */
function checkLists(text: string): void {
  let open = false;
  let lines = 0;
  for (const [index, line] of text.split("\n").entries()) {
    const marks = /^[ \t]*(?:(?:[-+*]|\d{1,9}[.)])(?:[ \t]+|$))+/.exec(line)?.[0];
    const isBreak = /^ {0,3}([-*])(?:[ \t]*\1){2,}[ \t]*$/.test(line);
    if (!isBreak && (marks ?? "").replaceAll("\t", "    ").length > mostColumns) {
      throw unreadable(`a list nests deeper than ${mostColumns} columns, on line ${index + 1}`);
    }
    const starts = marks !== undefined || line.trim() === "";
    // What begins without a mark at the first column, after an empty line, belongs to no item.
    open = starts ? marks !== undefined : open || (lines === 0 && /^[ \t]/.test(line));
    lines = starts ? 0 : lines + 1;
    if (open && lines > mostItemLines) {
      throw unreadable(
        `a paragraph in a list is longer than ${mostItemLines} lines, on line ${index + 1}`,
      );
    }
  }
}

/** Refuses tables that take the lexer memory without bound: it fills up every row to all columns. */
function checkTables(text: string): void {
  let columns = 0;
  let cells = 0;
  for (const line of text.split("\n")) {
    if (line.trim() === "") columns = 0;
    else if (/^[\s|:-]+$/.test(line)) columns = Math.max(columns, line.split("|").length);
    cells += columns;
    if (cells > mostCells) throw unreadable(`its tables have more than ${mostCells} cells`);
  }
}

function textOf(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === "br") return " ";
      if (token.type === "html") return /^<br\b/i.test(token.raw) ? " " : "";
      const { text, tokens } = token as Tokens.Text;
      return tokens === undefined ? text : textOf(tokens);
    })
    .join("");
}
