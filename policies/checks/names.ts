import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { fail, type Reason } from "../gate.ts";

/** Characters of a name in a message: with an indent and a comma it fits a line of 70. */
const mostLength = 60;

/** Names in a message; the rest is a count. */
const mostNames = 3;

/** A name in a checklist. */
export const name = z.string().trim().min(1).max(512);

/** Names in a checklist, each once. */
export const uniqueNames = uniqueList(name);

/** A list in a checklist with at least one entry, each once. */
export function uniqueList<Entry extends z.ZodType<string | number | boolean>>(entry: Entry) {
  return z
    .array(entry)
    .min(1)
    .max(1000)
    .refine((entries) => new Set(entries).size === entries.length, "each entry once")
    .meta({ uniqueItems: true });
}

/** A record in a checklist with at least one entry, by name. */
export function byName<Entry extends z.ZodType>(entry: Entry) {
  return z
    .record(name, entry)
    .refine((entries) => Object.keys(entries).length > 0, "at least one entry")
    .meta({ minProperties: 1 });
}

/**
 * A name from a report as a message may show it, on one line and at most 60 characters long; the middle of a longer one
 * is left out. Names are written by others: what a terminal or a CI runner would obey is removed.
 */
export function shownName(name: string): string {
  const line = shownLine(name);
  if (line === "") return "a name without letters";
  if (line.length <= mostLength) return line;
  const half = Math.floor((mostLength - 1) / 2);
  return `${line.slice(0, half)}…${line.slice(-half)}`.replaceAll(/\p{Cs}/gu, "");
}

/** A text of others on one line, without what a terminal or a CI runner would obey. */
export function shownLine(text: string): string {
  return (
    stripVTControlCharacters(text)
      // Control, format and unassigned characters and lone surrogates, except for those that part words.
      .replaceAll(/[^\P{C}\s]+/gu, "")
      .replaceAll(/\s+/g, " ")
      .trim()
      // A word that begins so is a command to a CI runner once it begins a line; `##` is one anywhere.
      .replaceAll(/(?<= |^)::+/g, ":")
      .replaceAll(/##+/g, "#")
  );
}

/** Names as a message may show them: the first three, and how many more there are. A name that comes twice counts once. */
export function listed(names: readonly string[]): string {
  const once = [...new Set(names)];
  const shown = once.slice(0, mostNames).map(shownName);
  const more = once.length - shown.length;
  return joined(more === 0 ? shown : [...shown, `${more} more`]);
}

/** Words as a sentence lists them: `a, b and c`. */
export function joined(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** A count and its noun: `1 test`, `2 tests`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** How many there are and which: `2 failed tests: a and b`. */
export function countedNames(names: readonly string[], one: string, many?: string): string {
  return `${counted(names.length, one, many)}: ${listed(names)}`;
}

/** The entry of a record by a name from outside; undefined for one that every object has. */
export function own<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The reason that these are missing; none for an empty list. */
export function missing(
  names: readonly string[],
  where: "report" | "document",
  one: string,
  many?: string,
): Reason[] {
  if (names.length === 0) return [];
  const verb = names.length === 1 ? "is" : "are";
  const count = counted(names.length, one, many);
  return [fail(`${count} ${verb} not in the ${where}: ${listed(names)}`)];
}
