import { parse } from "dotenv";
import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { fitFacts, unreadable } from "./shared.ts";

const assignment = /^\s*(?:export\s+)?(?<name>[A-Za-z_][\w.-]*)\s*=[ \t]*(?<value>.*)$/;

/**
 * Reads which names a dotenv file sets, such as .env.example. Their values are never told. Every line must be a name
 * with its value, a comment, empty, or within quotes that a line before it opened.
 */
export const dotenv: Reader<"inventory"> = {
  format: "dotenv",
  title: "names in a dotenv file",
  predicate: "inventory",
  read(bytes) {
    const text = decodeUtf8(bytes, reportLimits.bytes).replaceAll(/\r\n?/g, "\n");
    const names = namesIn(text.split("\n"));
    // Two ways to read a file must not give two lists of names.
    const known = Object.keys(parse(text, { fast: true }));
    if (known.length !== names.size || known.some((name) => !names.has(name))) {
      throw unreadable("it is no dotenv file that can be read in one way only");
    }
    const entries = known.map((name) => ({ name }));
    return { facts: fitFacts("inventory", { entries }), producedAt: null };
  },
};

function namesIn(lines: readonly string[]): Set<string> {
  const names = new Set<string>();
  /** The quote that a value is in which began on a line before. */
  let open = "";
  for (const [index, line] of lines.entries()) {
    if (open !== "") {
      const end = line.indexOf(open);
      if (end < 0) continue;
      if (!/^\s*(?:#.*)?$/.test(line.slice(end + 1))) throw wrong(index);
      open = "";
      continue;
    }
    if (/^\s*(?:#|$)/.test(line)) continue;
    const { name, value = "" } = assignment.exec(line)?.groups ?? {};
    if (name === undefined) throw wrong(index);
    names.add(name);
    const quote = value.charAt(0);
    if (/["'`]/.test(quote) && !value.includes(quote, 1)) open = quote;
  }
  if (open !== "") throw unreadable("a quote in it never ends");
  return names;
}

function wrong(index: number): Error {
  return unreadable(`line ${index + 1} is no NAME=value`);
}
