import { sha256 } from "./envelope.ts";

/**
 * JSON with sorted keys, so that equal values have equal texts. Null entries of an object count as absent, because the
 * engine drops them on some of its ways.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined && entry !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
  }
  return value === undefined ? "null" : JSON.stringify(value);
}

/** SHA-256 of a value's canonical JSON, hex. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
