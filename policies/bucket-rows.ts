import type { Reason } from "./gate.ts";
import type { Sighting } from "./run.ts";

/**
 * Names in each reason the very key that mends it. The program calls a bucket by its row of `cutover:buckets`, with an
 * ending; where a bucket of another name comes from, nobody knows, so its reasons stay as they are.
 *
 * @param value what the key is to be set to
 */
export function withRowKey(
  reasons: readonly Reason[],
  { name }: Sighting,
  key: string,
  value: boolean | number,
): readonly Reason[] {
  const row = /^([a-z][a-z0-9-]*)-bucket$/.exec(name)?.[1];
  if (row === undefined) return reasons;
  const remedy = `pulumi config set --path cutover:buckets.${row}.${key} ${value}`;
  return reasons.map((reason) => ({ remedy, ...reason }));
}
