import { foundText } from "./issues.ts";
import { isRecord } from "./path.ts";

/** A place in a checklist's file, as a schema names it. */
type Path = readonly PropertyKey[];

/** A checklist's value with what its document leaves open filled in, and what is wrong with that. */
export interface Resolved {
  readonly resolved: unknown;
  readonly problems: string[];
  /** The places that were filled in, and the names of what is there. */
  readonly filled: readonly { readonly path: Path; readonly name: string }[];
  /** The places that could not be filled in; `problems` says why. */
  readonly unfilled: readonly Path[];
}

/**
 * Replaces every `{ open: name }` of a checklist by the value that the team gave it under `open`.
 *
 * @param value a checklist as it was written; of any shape
 */
export function resolveOpen(value: unknown): Resolved {
  const problems: string[] = [];
  const filled: { path: Path; name: string }[] = [];
  const unfilled: Path[] = [];
  if (!isRecord(value)) return { resolved: value, problems, filled, unfilled };
  const { open: given, ...rest } = value;
  const used = new Set<string>();
  const resolve = (entry: unknown, path: Path): unknown => {
    if (Array.isArray(entry)) return entry.map((one, index) => resolve(one, [...path, index]));
    if (!isRecord(entry)) return entry;
    const name = referenceIn(entry);
    if (name === undefined) {
      return Object.fromEntries(
        Object.entries(entry).map(([key, one]) => [key, resolve(one, [...path, key])]),
      );
    }
    used.add(name);
    const decided = decidedOf(given, name);
    if (decided === undefined) unfilled.push(path);
    else filled.push({ path, name });
    return decided;
  };
  const resolved = resolve(rest, []) as object;
  // Where the whole of it is of another shape, that alone is said.
  if (given === undefined || isRecord(given)) {
    problems.push(
      ...[...used].flatMap((name) => missingProblem(given, name)),
      ...Object.keys(given ?? {})
        .filter((name) => !used.has(name))
        .map((name) => `open.${foundText(name)}: no row asks for it; remove it`),
    );
  }
  return {
    resolved: given === undefined ? resolved : { ...resolved, open: given },
    problems,
    filled,
    unfilled,
  };
}

/** The name in `{ open: name }`; undefined for anything else. */
function referenceIn(entry: Readonly<Record<string, unknown>>): string | undefined {
  const { open: name } = entry;
  return typeof name === "string" && Object.keys(entry).length === 1 ? name : undefined;
}

/** What the team decided; undefined where nothing was. */
function decidedOf(given: unknown, name: string): unknown {
  const row = isRecord(given) && Object.hasOwn(given, name) ? given[name] : undefined;
  return isRecord(row) ? (row["value"] ?? undefined) : undefined;
}

function missingProblem(given: Readonly<Record<string, unknown>> = {}, name: string): string[] {
  const where = `open.${foundText(name)}`;
  if (!Object.hasOwn(given, name)) {
    return [`${where}: a gate asks for it, and it does not stand under open`];
  }
  const row = given[name];
  // A row of another shape is the schema's to refuse.
  if (!isRecord(row) || decidedOf(given, name) !== undefined) return [];
  const asks = typeof row["asks"] === "string" ? ` (${foundText(row["asks"])})` : "";
  return [`${where}: the document leaves it open${asks}; decide it and write it as ${where}.value`];
}
