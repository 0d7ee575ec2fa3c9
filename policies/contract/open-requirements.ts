/** A checklist's value with what its document leaves open filled in, and what is wrong with that. */
export interface Resolved {
  readonly resolved: unknown;
  readonly problems: string[];
}

/**
 * Replaces every `{ open: name }` of a checklist's gates by the value that the team gave it under `open`.
 *
 * @param value a checklist as it was written; of any shape
 */
export function resolveOpen(value: unknown): Resolved {
  const problems: string[] = [];
  if (!isRecord(value)) return { resolved: value, problems };
  const { open: given, ...rest } = value;
  const open = isRecord(given) ? given : {};
  const used = new Set<string>();
  const resolve = (entry: unknown): unknown => {
    if (Array.isArray(entry)) return entry.map(resolve);
    if (!isRecord(entry)) return entry;
    const { open: name } = entry;
    if (typeof name !== "string" || Object.keys(entry).length !== 1) {
      return Object.fromEntries(Object.entries(entry).map(([key, one]) => [key, resolve(one)]));
    }
    used.add(name);
    const decided = Object.hasOwn(open, name) ? open[name] : undefined;
    return isRecord(decided) ? decided["value"] : undefined;
  };
  const resolved = Object.fromEntries(
    Object.entries(rest).map(([key, one]) => [key, resolve(one)]),
  );
  for (const name of used) {
    const decided = Object.hasOwn(open, name) ? open[name] : undefined;
    if (decided === undefined) {
      problems.push(`open.${name}: a gate asks for it, and it does not stand under open`);
    } else if (isRecord(decided) && (decided["value"] ?? undefined) === undefined) {
      const asks = typeof decided["asks"] === "string" ? ` (${decided["asks"]})` : "";
      problems.push(
        `open.${name}: the document leaves it open${asks}; decide it and write it as open.${name}.value`,
      );
    }
  }
  for (const name of Object.keys(open).filter((one) => !used.has(one))) {
    problems.push(`open.${name}: no gate asks for it`);
  }
  return { resolved: given === undefined ? resolved : { ...resolved, open: given }, problems };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
