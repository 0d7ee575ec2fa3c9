import { isRecord } from "./contract/path.ts";
import type { Sighting } from "./run.ts";

/** Tells whether a value is a text that says something. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

// Date.parse alone takes "7" for a day in 2001, and a time without a zone for a local one.
const iso8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Tells whether a value is a time with its offset, ISO 8601. */
export function isTime(value: unknown): value is string {
  return typeof value === "string" && iso8601.test(value) && Number.isFinite(Date.parse(value));
}

/** Tells whether a value is a number that can be reckoned with. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Tells whether a value is a number of at least so much. */
export function isAtLeast(value: unknown, least: number): value is number {
  return isNumber(value) && value >= least;
}

/** The entries of a list; an absent list has none, and anything else counts as one entry that is no list. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/**
 * A value as a message may show it. Texts stay hidden, because a policy sees secrets in clear, except for those that
 * the caller lists as harmless.
 */
export function shown(value: unknown, harmless: readonly string[] = []): string {
  if (value === undefined || value === null) return "not set";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "not a number";
  if (typeof value === "string") {
    if (value === "") return "empty";
    if (harmless.includes(value)) return value;
    return harmless.length === 0 ? "a text" : "another text";
  }
  return Array.isArray(value) ? "a list" : "an object";
}

/**
 * The property that an error is about when it comes from reading a value that is unknown until the update; undefined
 * for any other error. Told by name, since both kinds close a gate and only the text differs.
 */
export function unknownPath(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.constructor.name !== "UnknownValueError") return undefined;
  const path = (error as { readonly props?: unknown }).props;
  return Array.isArray(path) ? path.map(String).join(".") : "a property";
}

/**
 * A deep copy without the proxies of the SDK.
 *
 * @throws the SDK's UnknownValueError when anything in it is unknown until the update
 */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    // By index: the SDK's proxies of secrets break map and filter.
    const copy: unknown[] = [];
    for (let index = 0; index < value.length; index += 1) copy.push(plain(value[index]));
    return copy;
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

/** A property that should hold a name: the name, `unknown` until the update, or undefined when it holds none. */
export type NameReading = { readonly name: string } | "unknown" | undefined;

/** Reads the name that a resource carries in a property. */
export function readName(sighting: Sighting, property: string): NameReading {
  try {
    const value = sighting.props[property];
    return isText(value) ? { name: value } : undefined;
  } catch (error) {
    if (unknownPath(error) !== undefined) return "unknown";
    throw error;
  }
}
