import type { z } from "zod";
import { isUnknown, type Properties } from "./properties.ts";
import { RefusedError, type CheckFailure } from "./resource-type.ts";

/** What is wrong with inputs, for `check`. A preview's unknown values are not judged: the update sees them known. */
export function inputFailures(schema: z.ZodType, news: Properties): CheckFailure[] {
  const { error } = schema.safeParse(news);
  return (error?.issues ?? [])
    .filter((issue) => !leadsToUnknown(news, issue.path))
    .map((issue) => ({ property: issue.path.map(String).join("."), reason: issue.message }));
}

/**
 * The inputs in the shape that a type works with.
 *
 * @throws RefusedError when they do not have it, which `check` has seen before unless they were unknown then
 */
export function parseInputs<Inputs>(schema: z.ZodType<Inputs>, news: Properties): Inputs {
  const { data, error } = schema.safeParse(news);
  if (error === undefined) return data;
  throw new RefusedError(
    inputFailures(schema, news)
      .map(({ property, reason }) => `input ${property}: ${reason}`)
      .join("\n"),
  );
}

function leadsToUnknown(values: unknown, path: readonly PropertyKey[]): boolean {
  if (isUnknown(values)) return true;
  const [key, ...rest] = path;
  if (key === undefined || typeof values !== "object" || values === null) return false;
  return leadsToUnknown(
    new Map<PropertyKey, unknown>(Object.entries(values)).get(String(key)),
    rest,
  );
}
