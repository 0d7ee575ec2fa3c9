import { z } from "zod";
import { fail } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { counted, listed, missing, uniqueNames } from "../checks/names.ts";

/**
 * Two computations agree on every fixture that is named. A report's own tolerance counts where it is the stricter one.
 * The difference is that of two doubles and is compared as it is: 0.4 and 0.3 differ by more than 0.1. A fixture that a
 * report holds twice must agree both times.
 */
export const comparisonWithin = evidenceKind({
  kind: "comparison-within",
  title: "Two computations of the same numbers agree.",
  judges: "comparison",
  requires: z.strictObject({
    fixtures: uniqueNames.describe("fixtures that must have been compared"),
    tolerance: z
      .number()
      .min(0)
      .describe("by how much two numbers may differ, in the unit of the numbers"),
  }),
  required: ({ fixtures, tolerance }) =>
    `a difference of no more than ${tolerance} in ${counted(fixtures.length, "fixture")}: ` +
    listed(fixtures),
  judge: (predicate, { fixtures, tolerance }) => {
    const wanted = new Set(fixtures);
    const compared = predicate.fixtures.filter(({ name }) => wanted.has(name));
    const names = new Set(compared.map(({ name }) => name));
    const apart = compared
      .map((fixture) => ({ ...fixture, difference: Math.abs(fixture.actual - fixture.expected) }))
      .filter((fixture) => fixture.difference > Math.min(tolerance, fixture.tolerance))
      .map(({ name, difference }) => `${name} by ${difference}`);
    const verb = apart.length === 1 ? "differs" : "differ";
    return [
      ...missing(
        fixtures.filter((name) => !names.has(name)),
        "report",
        "fixture",
      ),
      ...(apart.length === 0
        ? []
        : [fail(`${counted(apart.length, "fixture")} ${verb}: ${listed(apart)}`)]),
    ];
  },
});
