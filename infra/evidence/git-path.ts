import { decodeUtf8, UnreadableError } from "../../policies/contract/json.ts";

/** A longer path is refused. */
const mostCharacters = 8192;

/** What Git writes behind a backslash for a byte. */
const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "\\": 92,
};

const quoted = /^"(?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*"$/;
const piece = /\\([0-3][0-7]{2}|.)|[^\\]+/g;

/**
 * A path as Git writes it on a line: plain, or in quotes with backslashes as C has them.
 *
 * @throws UnreadableError for what Git does not write, and for a name that is no UTF-8
 */
export function gitPath(text: string): string {
  if (text.length > mostCharacters) throw new UnreadableError("it has a path that is too long");
  const path = text.startsWith('"') ? unquoted(text) : text;
  const isPlain = path !== text || !/[\p{Cc}"\\]/u.test(text);
  const isRelative = path.split("/").every((part) => !["", ".", ".."].includes(part));
  if (!isPlain || !isRelative) throw noPath();
  return path;
}

function unquoted(text: string): string {
  if (!quoted.test(text)) throw noPath();
  const parts = [...text.slice(1, -1).matchAll(piece)].map(([whole, escaped]) => {
    if (escaped === undefined) return Buffer.from(whole);
    return Buffer.of(escapes[escaped] ?? Number.parseInt(escaped, 8));
  });
  return decodeUtf8(Buffer.concat(parts), mostCharacters);
}

function noPath(): UnreadableError {
  return new UnreadableError("it has a path that Git does not write");
}
