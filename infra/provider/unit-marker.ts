import { z } from "zod";
import { readText, remove, writeText } from "./host-files.ts";
import { RefusedError } from "./resource-type.ts";
import type { Host } from "./ssh.ts";

const installed = z.strictObject({
  stack: z.string(),
  /** Undefined for what somebody had set up by hand. */
  release: z.string().optional(),
  /** SHA-256 of the files, their modes and their paths. */
  digest: z.string(),
  /** Paths of the files. */
  files: z.array(z.string()),
});

/** Files that were put on a host together. */
export type Installed = z.infer<typeof installed>;

const marker = z.strictObject({
  /** What was healthy last. Its files lie at their paths, or, while another one starts, beside them as `.previous`. */
  live: installed.optional(),
  /** What was being started when this was written, and is not known to be healthy. */
  starting: installed.optional(),
});

/** What a host remembers of a unit: it tells a run that follows a killed one which files are the good ones. */
export type Marker = z.infer<typeof marker>;

/** @throws RefusedError when there is one that cannot be read: nobody knows then which files are the good ones */
export async function readMarker(host: Host, unit: string): Promise<Marker> {
  const path = markerPath(unit);
  const text = await readText(host, path);
  if (text === undefined) return {};
  const parsed = marker.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new RefusedError(
    [
      `${unit}.service was not touched: which of its files were healthy last is not known.`,
      `found:    ${path} on ${host.name}, which says something else`,
      "required: what an earlier run wrote there",
      `to do:    see that ${unit}.service is as it should be, and remove that file`,
    ].join("\n"),
  );
}

/** Writes it down, whole. */
export function writeMarker(host: Host, unit: string, value: Marker): Promise<void> {
  return writeText(host, markerPath(unit), { text: `${JSON.stringify(value)}\n`, mode: "0600" });
}

/** Forgets a unit. */
export function removeMarker(host: Host, unit: string): Promise<void> {
  return remove(host, [markerPath(unit)]);
}

function markerPath(unit: string): string {
  return `/var/lib/cutover/${unit}.json`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
