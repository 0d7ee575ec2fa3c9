/** Tells whether a value is an object with named entries. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The entry at a dotted path; undefined where there is none. A key may have dots itself, as hosts and alarms do: the
 * longest key that leads somewhere counts.
 */
export function at(value: unknown, path: string): unknown {
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const key = path.slice(0, dot);
    const entry = Object.hasOwn(value, key) ? at(value[key], path.slice(dot + 1)) : undefined;
    if (entry !== undefined) return entry;
  }
  return undefined;
}
