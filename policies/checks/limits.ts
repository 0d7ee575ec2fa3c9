import { z } from "zod";
import { fail, type Reason } from "../gate.ts";
import { countedNames, joined } from "./names.ts";

/** How many there may be, in a checklist. */
export const count = z.int().min(0);

/** How many there may be at each level; a level that is left out has no limit. */
type Limits<Level extends string> = Readonly<Partial<Record<Level, number | undefined>>>;

/** The words for one at a level and for several. */
type Words<Level extends string> = (level: Level) => readonly [one: string, many: string];

/** One reason for each level with more names than its limit. */
export function tooMany<Level extends string>(
  levels: readonly Level[],
  limits: Limits<Level>,
  namesAt: (level: Level) => readonly string[],
  words: Words<Level>,
): Reason[] {
  return levels.flatMap((level) => {
    const limit = limits[level];
    const names = namesAt(level);
    if (limit === undefined || names.length <= limit) return [];
    return [fail(countedNames(names, ...words(level)))];
  });
}

/** Limits as a sentence: `no more than 0 errors and 10 warnings`. */
export function limitText<Level extends string>(
  levels: readonly Level[],
  limits: Limits<Level>,
  words: Words<Level>,
): string {
  const parts = levels.flatMap((level) => {
    const limit = limits[level];
    const [one, many] = words(level);
    return limit === undefined ? [] : [`${limit} ${limit === 1 ? one : many}`];
  });
  return `no more than ${joined(parts)}`;
}
