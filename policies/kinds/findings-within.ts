import { z } from "zod";
import { evidenceKind } from "../kind.ts";
import { count, limitText, tooMany } from "../checks/limits.ts";

const levels = ["error", "warning", "note"] as const;

function words(level: string): readonly [one: string, many: string] {
  return [level, `${level}s`];
}

/** No more findings of a static analysis at each level than are allowed; every entry counts. */
export const findingsWithin = evidenceKind({
  kind: "findings-within",
  title: "A static analysis found no more errors, warnings and notes than are allowed.",
  judges: "findings",
  requires: z.strictObject({
    error: count.describe("how many errors there may be"),
    warning: count.optional().describe("how many warnings there may be; no limit without it"),
    note: count.optional().describe("how many notes there may be; no limit without it"),
  }),
  required: (limits) => limitText(levels, limits, words),
  judge: ({ result }, limits) =>
    tooMany(
      levels,
      limits,
      (level) => result.filter((one) => one.level === level).map(({ rule }) => rule),
      words,
    ),
});
