import picomatch from "picomatch";
import { z } from "zod";
import type { Predicate } from "../contract/predicates.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { count } from "../checks/limits.ts";
import {
  byName,
  counted,
  countedNames,
  joined,
  listed,
  name,
  shownName,
  uniqueList,
} from "../checks/names.ts";

/** Ends of lines count as any other character, so that no file hides from a pattern behind one. */
const options = { dot: true, strictSlashes: true, windows: false, flags: "s" } as const;

const glob = name.refine(isGlob, "a pattern such as docs/**/*.md");
const globs = uniqueList(glob);

const limits = z
  .strictObject({
    atLeast: count.min(1).optional().describe("how many there must be"),
    atMost: count.optional().describe("how many there may be"),
    is: count.optional().describe("how many there must be, no more and no fewer"),
  })
  .refine(
    ({ atLeast, atMost, is }) =>
      is === undefined
        ? atLeast !== undefined || atMost !== undefined
        : atLeast === undefined && atMost === undefined,
    "is alone, or atLeast, atMost or both",
  )
  .refine(({ atLeast = 0, atMost = Infinity }) => atLeast <= atMost, "atLeast is over atMost");

const fileName = name.regex(/^[^/]+$/, "the name of a file, without a folder");

const requires = z
  .strictObject({
    present: globs.optional().describe("patterns that must each match something"),
    absent: globs.optional().describe("patterns that must match nothing"),
    count: byName(limits).optional().describe("how many may match each pattern"),
    executable: globs.optional().describe("patterns of files that must be executable"),
    beside: byName(uniqueList(fileName))
      .optional()
      .describe("by pattern, file names of which one must lie beside each match"),
    together: byName(glob)
      .optional()
      .describe("by pattern, another one that must match too when the first one does"),
    mayBeEmpty: z
      .boolean()
      .default(false)
      .describe("whether the list may have no entries, as a diff that finds nothing has none"),
  })
  .refine(
    ({ mayBeEmpty: _any, ...asked }) => Object.values(asked).some((one) => one !== undefined),
    "one of present, absent, count, executable, beside and together",
  )
  .refine(
    ({ count = {}, beside = {}, together = {} }) =>
      [count, beside, together].flatMap((one) => Object.keys(one)).every(isGlob),
    "a pattern such as docs/**/*.md for each key",
  );

type Requires = z.infer<typeof requires>;
type Limits = z.infer<typeof limits>;
type Entries = Predicate<"inventory">["entries"];

/** A list of what there is holds what it must, and nothing that it must not. An empty list is none, unless it may be. */
export const inventoryHolds = evidenceKind({
  kind: "inventory-holds",
  title: "A list of what there is holds what it must, and nothing that it must not.",
  judges: "inventory",
  requires,
  required: (asked) => joined(wordsOf(asked)),
  judge: ({ entries }, asked) => {
    if (entries.length === 0 && !asked.mayBeEmpty) {
      return [inconclusive("the list has no entries")];
    }
    const {
      present = [],
      absent = [],
      count: counts = {},
      executable = [],
      beside = {},
      together = {},
    } = asked;
    const matchOf = (glob: string): Match => ({ glob, entries: matching(glob, entries) });
    return [
      ...judgePresent(present.map(matchOf)),
      ...absent.flatMap((glob) => judgeAbsent(matchOf(glob))),
      ...Object.entries(counts).flatMap(([glob, limits]) => judgeCount(matchOf(glob), limits)),
      ...executable.flatMap((glob) => judgeExecutable(matchOf(glob))),
      ...Object.entries(beside).flatMap(([glob, files]) =>
        judgeBeside(matchOf(glob), files, entries),
      ),
      ...Object.entries(together).flatMap(([glob, other]) =>
        judgeTogether(matchOf(glob), matchOf(other)),
      ),
    ];
  },
});

/** A pattern and what matches it. */
interface Match {
  readonly glob: string;
  readonly entries: Entries;
}

/** What is required, as a sentence lists it. */
function wordsOf({
  present = [],
  absent = [],
  count: counts = {},
  executable = [],
  beside = {},
  together = {},
}: Requires): string[] {
  return [
    ...(present.length === 0 ? [] : [`something that matches ${eachOf(present)}`]),
    ...(absent.length === 0 ? [] : [`nothing that matches ${oneOf(absent)}`]),
    ...Object.entries(counts).map(([glob, limits]) => `${limitText(limits)} of ${shownName(glob)}`),
    ...(executable.length === 0 ? [] : [`${listed(executable)} executable`]),
    ...Object.entries(beside).map(
      ([glob, files]) => `${oneOf(files)} beside each ${shownName(glob)}`,
    ),
    ...Object.entries(together).map(
      ([glob, other]) => `${shownName(other)} wherever there is ${shownName(glob)}`,
    ),
  ];
}

function judgePresent(matches: readonly Match[]): Reason[] {
  const without = matches.filter(({ entries }) => entries.length === 0).map(({ glob }) => glob);
  const [only, ...others] = without;
  if (only === undefined) return [];
  return [
    fail(
      others.length === 0
        ? `nothing matches ${shownName(only)}`
        : `${counted(without.length, "pattern")} match nothing: ${listed(without)}`,
    ),
  ];
}

function judgeAbsent({ glob, entries }: Match): Reason[] {
  if (entries.length === 0) return [];
  const found = countedNames(namesOf(entries), "entry", "entries");
  return [fail(`${shownName(glob)} matches ${found}`)];
}

function judgeCount({ glob, entries }: Match, asked: Limits): Reason[] {
  const { length } = entries;
  const { least, most } = boundsOf(asked);
  // One that is listed twice is one that there is, and two that there may not be.
  if (new Set(namesOf(entries)).size >= least && length <= most) return [];
  return [fail(`${shownName(glob)} matches ${counted(length, "entry", "entries")}`)];
}

function judgeExecutable(match: Match): Reason[] {
  const unknown = match.entries.filter(({ executable }) => executable === undefined);
  const not = match.entries.filter(({ executable }) => executable === false);
  return [
    ...judgePresent([match]),
    ...(not.length === 0 ? [] : [fail(`not executable: ${listed(namesOf(not))}`)]),
    ...(unknown.length === 0
      ? []
      : [inconclusive(`not known to be executable: ${listed(namesOf(unknown))}`)]),
  ];
}

function judgeBeside(match: Match, files: readonly string[], all: Entries): Reason[] {
  const known = new Set(namesOf(all));
  const alone = namesOf(match.entries).filter((name) => {
    const folder = name.slice(0, name.lastIndexOf("/") + 1);
    return !files.some((file) => folder + file !== name && known.has(folder + file));
  });
  return [
    ...judgePresent([match]),
    ...(alone.length === 0 ? [] : [fail(`without ${oneOf(files)} beside it: ${listed(alone)}`)]),
  ];
}

function judgeTogether(first: Match, second: Match): Reason[] {
  const [one] = first.entries;
  if (one === undefined || second.entries.length > 0) return [];
  return [fail(`${shownName(one.name)} is there, and nothing matches ${shownName(second.glob)}`)];
}

function boundsOf({ is, atLeast = is ?? 0, atMost = is ?? Infinity }: Limits): {
  readonly least: number;
  readonly most: number;
} {
  return { least: atLeast, most: atMost };
}

function limitText(limits: Limits): string {
  const { least, most } = boundsOf(limits);
  if (least === most) return `exactly ${least}`;
  if (most === Infinity) return `${least} or more`;
  return least === 0 ? `no more than ${most}` : `${least} to ${most}`;
}

/** Names that are all meant, each for itself. */
function eachOf(names: readonly string[]): string {
  return names.length === 1 ? listed(names) : `each of ${listed(names)}`;
}

/** Names of which one will do. */
function oneOf(names: readonly string[]): string {
  return names.length === 1 ? listed(names) : `one of ${listed(names)}`;
}

function matching(glob: string, entries: Entries): Entries {
  const matches = picomatch(glob, options);
  // What lists the folder that it is in may begin each name with it.
  return entries.filter((entry) => matches(entry.name.replace(/^(?:\.\/+)+/, "")));
}

function namesOf(entries: Entries): string[] {
  return entries.map((entry) => entry.name);
}

function isGlob(text: string): boolean {
  try {
    // Without `debug` a pattern that is none would match nothing, without a word.
    picomatch.makeRe(text, { ...options, debug: true });
    return true;
  } catch {
    return false;
  }
}
