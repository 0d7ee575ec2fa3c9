import type { Token, Tokens } from "marked";
import { parse } from "yaml";
import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { markdownBlocks, markdownBytes } from "../markdown-blocks.ts";
import type { Reader } from "../reader.ts";
import { fitFacts, isObject, unreadable } from "./shared.ts";

/** A longer heading, key or value is left out; it would fit no predicate. */
const mostCharacters = 4096;

/**
 * Reads a runbook or README in Markdown: its headings as sections and what it states as values. A value stands in a
 * table of two columns, or after a colon: in an item of a list (`- Owner: payments`), in a line that begins with its
 * key in bold (`**Owner**: payments`), or in the YAML between `---` at the top. A key that has two different values is
 * refused. What is quoted, or stands in code or HTML, states nothing.
 */
export const markdown: Reader<"document"> = {
  format: "markdown",
  title: "runbook or README, Markdown",
  predicate: "document",
  read(bytes) {
    const { front, body } = split(decodeUtf8(bytes, markdownBytes).replaceAll(/\r\n?/g, "\n"));
    const { tokens, plain: shortPlain } = markdownBlocks(body);
    const plain: Plain = (text) => (text.length > mostCharacters ? "" : shortPlain(text));
    const headings = tokens
      .filter((token): token is Tokens.Heading => token.type === "heading")
      .map(({ depth, text }) => ({ depth, text: plain(text) }))
      .filter(({ text }) => text !== "");
    const pairs = tokens.flatMap((token) => pairsOf(token, plain));
    return {
      facts: fitFacts("document", {
        format: "markdown",
        title: headings.find(({ depth }) => depth === 1)?.text ?? "",
        version: null,
        sections: headings.map(({ text }) => text),
        values: Object.fromEntries(unique([...frontPairs(front), ...pairs])),
        operations: [],
      }),
      producedAt: null,
    };
  },
};

/** A key and its value. */
type Pair = readonly [string, string];

/** Makes plain text of Markdown that stands within a block. */
type Plain = (text: string) => string;

function split(text: string): { front: string; body: string } {
  const [whole = "", front = ""] = /^---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)/s.exec(text) ?? [];
  return front.length > markdownBytes / 16
    ? { front: "", body: text }
    : { front, body: text.slice(whole.length) };
}

/** The plain entries of YAML front matter, as they are written. */
function frontPairs(front: string): Pair[] {
  const pairs: unknown = parseFront(front);
  return Object.entries(isObject(pairs) ? pairs : {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
}

function parseFront(front: string): unknown {
  try {
    return parse(front, { schema: "failsafe", logLevel: "error", maxAliasCount: 0 });
  } catch {
    throw unreadable("what stands between --- at its top is no YAML");
  }
}

/** What a block states. */
function pairsOf(token: Token, plain: Plain): Pair[] {
  switch (token.type) {
    case "table": {
      const { header, rows } = token as Tokens.Table;
      if (header.length !== 2) return [];
      return rows.map(([key, value]) => [plain(key?.text ?? ""), plain(value?.text ?? "")]);
    }
    case "list":
      return (token as Tokens.List).items.flatMap(({ tokens }) => {
        const isText = ({ type }: Token): boolean => type === "text" || type === "paragraph";
        const first = tokens.find(isText);
        return tokens.flatMap((inner) =>
          isText(inner)
            ? statedIn(inner as Tokens.Text, inner === first, plain)
            : pairsOf(inner, plain),
        );
      });
    case "paragraph":
      return statedIn(token as Tokens.Paragraph, false, plain);
    default:
      return [];
  }
}

/** A key in bold at the start of a line, and its colon. */
const boldKey = /^[ \t]*(\*\*|__)(?:(?!\1).)+(?::\1|\1[ \t]*:)/;

/**
 * What lines state; one that states nothing goes on with what the line before it stated.
 *
 * @param opens Whether the first line may also have a key that is not in bold
 */
function statedIn({ text }: { readonly text: string }, opens: boolean, plain: Plain): Pair[] {
  const statements: string[][] = [];
  // The text of a task begins with its box.
  for (const [at, line] of text
    .replace(/^\[[ xX]\]\s+/, "")
    .split("\n")
    .entries()) {
    if ((opens && at === 0) || boldKey.test(line)) statements.push([line]);
    else statements.at(-1)?.push(line);
  }
  return statements.flatMap((lines) => {
    const [, key = "", value = ""] = /^([^:]+):\s+(.+)$/.exec(plain(lines.join("\n"))) ?? [];
    return [[key.trim(), value] as const];
  });
}

/** Each key once, without what says nothing. */
function unique(pairs: readonly Pair[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (key === "" || value === "") continue;
    if (key === "__proto__") throw unreadable("it has the key __proto__");
    if ((values.get(key) ?? value) !== value) {
      throw unreadable(`its key ${key} has two values; give one of them another name`);
    }
    values.set(key, value);
  }
  return values;
}
