import { z } from "zod";
import type { Reader } from "../reader.ts";
import { checkUnique, emptyLists, isoTime, list, readShape, testFacts } from "./shared.ts";

const schema = z.strictObject({
  items: list(
    z.strictObject({
      name: z.string().trim().min(1).max(512),
      status: z.enum(["passed", "failed", "skipped"]),
    }),
  ),
  measuredAt: z.string().optional(),
});

/**
 * Reads which entries of a required list were proven, such as routes, roles or metrics: `{"items": [{"name":
 * "GET /orders", "status": "passed"}], "measuredAt": "2026-01-31T12:00:00Z"}`. A status is passed, failed or skipped;
 * no name may stand twice; `measuredAt` may be left out.
 */
export const coverage: Reader<"tests"> = {
  format: "coverage",
  title: "coverage of a required list",
  predicate: "tests",
  read(bytes) {
    const { items, measuredAt } = readShape(schema, bytes, "coverage of a list");
    checkUnique(items.map(({ name }) => name));
    const lists = emptyLists();
    for (const { name, status } of items) lists[status].push(name);
    return {
      facts: testFacts(lists),
      producedAt: measuredAt === undefined ? null : isoTime(measuredAt),
    };
  },
};
