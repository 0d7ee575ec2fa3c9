import { z } from "zod";
import { fail } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { counted, countedNames, listed, missing, uniqueNames } from "../checks/names.ts";

const separator = " > ";

/**
 * Each item of a list has a test that passed at the first try, and none that did not. A test is about an item when the
 * item is its whole name or one whole segment of it: `orders > refund` is about `refund`, `orders > refunds` is not.
 */
export const listCovered = evidenceKind({
  kind: "list-covered",
  title: "Every item of a list has a test that passed, and none that failed or was left out.",
  judges: "tests",
  requires: z.strictObject({
    items: uniqueNames.describe(
      "what must be covered: the whole name of a test, or one segment of it between ' > '",
    ),
  }),
  required: ({ items }) =>
    `a test that passed without a retry for ${counted(items.length, "item")}: ${listed(items)}`,
  judge: ({ passedTests, warnedTests, failedTests, skippedTests }, { items }) => {
    const outcomes = [
      { word: "failed", about: subjects(failedTests) },
      { word: "skipped", about: subjects(skippedTests) },
      { word: "retried", about: subjects(warnedTests) },
    ];
    const known = [subjects(passedTests), ...outcomes.map(({ about }) => about)];
    return [
      ...outcomes.flatMap(({ word, about }) => {
        const those = items.filter((item) => about.has(item));
        return those.length === 0 ? [] : [fail(countedNames(those, `${word} item`))];
      }),
      ...missing(
        items.filter((item) => !known.some((about) => about.has(item))),
        "report",
        "item",
      ),
    ];
  },
});

function subjects(tests: readonly string[]): ReadonlySet<string> {
  return new Set(tests.flatMap((test) => [test, ...test.split(separator)]));
}
