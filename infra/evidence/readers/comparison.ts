import { z } from "zod";
import type { Reader } from "../reader.ts";
import { checkUnique, fitFacts, isoTime, list, readShape } from "./shared.ts";

const schema = z.strictObject({
  fixtures: list(
    z.strictObject({
      name: z.string().trim().min(1).max(512),
      expected: z.number(),
      actual: z.number(),
      tolerance: z.number().min(0),
    }),
  ),
  measuredAt: z.string().optional(),
});

/**
 * Reads numbers that were computed twice: `{"fixtures": [{"name": "invoice 1", "expected": 10.5, "actual": 10.5,
 * "tolerance": 0.01}], "measuredAt": "2026-01-31T12:00:00Z"}`. A tolerance is absolute, in the unit of the numbers;
 * no name may stand twice; `measuredAt` may be left out.
 */
export const comparison: Reader<"comparison"> = {
  format: "comparison",
  title: "comparison of two computations",
  predicate: "comparison",
  read(bytes) {
    const { fixtures, measuredAt } = readShape(schema, bytes, "comparison");
    checkUnique(fixtures.map(({ name }) => name));
    return {
      facts: fitFacts("comparison", { fixtures }),
      producedAt: measuredAt === undefined ? null : isoTime(measuredAt),
    };
  },
};
