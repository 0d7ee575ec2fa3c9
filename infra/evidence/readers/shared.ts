import { z } from "zod";
import { parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import {
  predicates,
  type EvidencePredicate,
  type Facts,
} from "../../../policies/contract/predicates.ts";
import { reportLimits } from "../reader.ts";

/** Names of tests by how they ended. */
export interface TestLists {
  readonly passed: string[];
  /** Passed, but not at the first try. */
  readonly warned: string[];
  readonly failed: string[];
  readonly skipped: string[];
}

/** No test yet. */
export function emptyLists(): TestLists {
  return { passed: [], warned: [], failed: [], skipped: [] };
}

/** Stands among the failed tests for what went wrong in a run and belongs to none of its tests. */
export const outsideTests = "errors outside of tests";

/** The result of a test run. A run in which nothing passed proves nothing, so it failed. */
export function resultOf({ passed, warned, failed }: TestLists): Facts<"tests">["result"] {
  if (failed.length > 0 || passed.length + warned.length === 0) return "FAILED";
  return warned.length > 0 ? "WARNED" : "PASSED";
}

/**
 * Makes the predicate of a test run.
 *
 * @throws UnreadableError when there are more tests than evidence can hold
 */
export function testFacts(lists: TestLists): Facts<"tests"> {
  return fitFacts("tests", {
    result: resultOf(lists),
    configuration: [],
    passedTests: lists.passed,
    warnedTests: lists.warned,
    failedTests: lists.failed,
    skippedTests: lists.skipped,
  });
}

/**
 * Checks that what was read fits its predicate, whose limits are narrower than those of most formats.
 *
 * @throws UnreadableError naming the first place that does not fit
 */
export function fitFacts<Name extends EvidencePredicate>(
  name: Name,
  facts: Facts<Name>,
): Facts<Name> {
  const schema = (predicates[name].schema as z.ZodObject).omit({ cutover: true });
  fitShape(schema, facts, `report that can be evidence of ${name}`);
  return facts;
}

/** Characters of a name, as the contract of predicates says. */
const mostCharacters = 512;

/** A name or a part of one, without blanks around it; what is longer than 512 characters ends in "…". */
export function cut(text: string): string {
  const name = text.trim();
  return name.length <= mostCharacters ? name : `${name.slice(0, mostCharacters - 1)}…`;
}

/**
 * Joins the parts of a test's name by " > ", leaves out the empty ones and cuts what is too long. A part that many
 * tests share must have been cut before: it may be as long as the report.
 *
 * @throws UnreadableError when no part says anything
 */
export function nameOf(parts: readonly string[]): string {
  let name = "";
  for (const part of parts.map(cut)) {
    if (part !== "") name += name === "" ? part : ` > ${part}`;
    if (name.length > mostCharacters) return cut(name);
  }
  if (name === "") throw new UnreadableError("it has a test without a name");
  return name;
}

/**
 * Checks that no name stands twice.
 *
 * @throws UnreadableError with the first that does
 */
export function checkUnique(names: readonly string[]): void {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) throw unreadable(`it names ${name} twice`);
    known.add(name);
  }
}

/**
 * Checks a count that a report claims against what it holds, so that an edited report does not pass for a whole one.
 *
 * @param what What is counted, in the plural
 * @throws UnreadableError when they differ
 */
export function checkCount(what: string, claimed: number, held: number): void {
  if (claimed !== held) throw unreadable(`it claims ${claimed} ${what} and holds ${held}`);
}

/**
 * Parses a JSON report and checks its shape.
 *
 * @param what The kind of the report, as the end of "it is no "
 * @throws UnreadableError naming the first place that does not fit
 */
export function readShape<Shape extends z.ZodType>(
  schema: Shape,
  bytes: Uint8Array,
  what: string,
): z.output<Shape> {
  return fitShape(schema, parseJson(bytes, reportLimits), what);
}

/** Checks the shape of what was parsed already; otherwise as `readShape`. */
export function fitShape<Shape extends z.ZodType>(
  schema: Shape,
  value: unknown,
  what: string,
): z.output<Shape> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  const place = path === "" ? "" : `, see ${path}`;
  throw unreadable(`it is no ${what}${place}: ${issue?.message ?? "it has another shape"}`);
}

/** An error whose text may name something of the document: without control characters, and of bounded length. */
export function unreadable(text: string): UnreadableError {
  return new UnreadableError(text.slice(0, 400).replaceAll(/\p{C}/gu, "?"));
}

/** How often something happened. */
export const count = z.number().int().min(0);

/** A list, read up to its first bad entry: a large document of bad entries must not make as many issues. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(z.unknown()).transform((values, context): z.output<Item>[] => {
    const items: z.output<Item>[] = [];
    for (const [index, value] of values.entries()) {
      const result = item.safeParse(value);
      if (!result.success) return refuse(context, index, result.error);
      items.push(result.data);
    }
    return items;
  });
}

/** Entries of an object whose keys are names: what takes more is no report, and takes minutes to read. */
const mostEntries = 50_000;

/** An object whose keys are names, of at most 50,000 entries, read up to its first bad one. */
export function record<Item extends z.ZodType>(item: Item) {
  return z
    .custom<object>(isObject, { error: "Invalid input: expected object", abort: true })
    .refine((values) => Object.keys(values).length <= mostEntries, {
      error: `it has more than ${mostEntries} entries`,
      abort: true,
    })
    .transform((values, context): Record<string, z.output<Item>> => {
      const items: [string, z.output<Item>][] = [];
      for (const [key, value] of Object.entries(values)) {
        const result = item.safeParse(value);
        if (!result.success) return refuse(context, key, result.error);
        items.push([key, result.data]);
      }
      return Object.fromEntries(items);
    });
}

/** Refuses a list or an object for the first issue of one entry. */
function refuse(context: z.RefinementCtx, key: string | number, error: z.ZodError): never {
  const [issue] = error.issues;
  context.addIssue({
    code: "custom",
    message: issue?.message ?? "Invalid input",
    path: [key, ...(issue?.path ?? [])],
  });
  return z.NEVER;
}

/** Whether a value of a JSON document is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const timeSchema = z.iso.datetime({ offset: true, local: true });

/**
 * A time in UTC, with milliseconds. One without a zone is taken as UTC.
 *
 * @param text ISO 8601 with date and time, with or without a zone
 * @throws UnreadableError for anything else
 */
export function isoTime(text: string): string {
  // Some tools write the zone without its colon.
  const time = text.replace(/([+-]\d{2})(\d{2})$/, "$1:$2");
  if (!timeSchema.safeParse(time).success) throw noTime();
  return utcTime(Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(time) ? time : `${time}Z`));
}

/**
 * A time in UTC, with milliseconds.
 *
 * @param milliseconds Since 1970
 * @throws UnreadableError for a time that is none, or not within the years 1970 to 9999
 */
export function utcTime(milliseconds: number): string {
  if (!(milliseconds >= 0 && milliseconds < Date.UTC(10_000, 0))) throw noTime();
  return new Date(milliseconds).toISOString();
}

function noTime(): UnreadableError {
  return new UnreadableError(
    "it has a time that is none; required is ISO 8601 after 1970, such as 2026-01-31T12:00:00Z",
  );
}
