import { z } from "zod";
import { fail, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { count } from "../checks/limits.ts";
import { counted, countedNames } from "../checks/names.ts";

const separator = " > ";

/**
 * Enough tests passed and none failed. Only those that passed at the first try count as passed, also where some
 * retries are allowed.
 */
export const testsPassed = evidenceKind({
  kind: "tests-passed",
  title: "Enough tests ran and passed, none failed, and few were skipped or retried.",
  judges: "tests",
  requires: z.strictObject({
    atLeast: z.int().min(1).describe("how many tests must have passed at the first try"),
    mostSkipped: count.default(0).describe("how many tests may have been skipped"),
    mostRetried: count
      .default(0)
      .describe("how many tests may have passed only when they were tried again"),
    suitesAtLeast: z
      .int()
      .min(1)
      .optional()
      .describe("how many suites must have such a test: the first parts of names before ' > '"),
  }),
  required: ({ atLeast, mostSkipped, mostRetried, suitesAtLeast }) =>
    `${counted(atLeast, "passed test")} or more` +
    (suitesAtLeast === undefined ? "" : ` in ${counted(suitesAtLeast, "suite")} or more`) +
    ", none failed, " +
    `no more than ${mostSkipped} skipped and ${mostRetried} retried`,
  judge: ({ result, passedTests, warnedTests, failedTests, skippedTests }, requires) => {
    const { atLeast, mostSkipped, mostRetried, suitesAtLeast = 0 } = requires;
    const reasons: Reason[] = [];
    if (failedTests.length > 0) reasons.push(fail(countedNames(failedTests, "failed test")));
    else if (result === "FAILED") reasons.push(fail("it failed, and names no failed test"));
    if (passedTests.length < atLeast)
      reasons.push(fail(counted(passedTests.length, "passed test")));
    const suites = suitesOf(passedTests);
    if (suites < suitesAtLeast)
      reasons.push(fail(`${counted(suites, "suite")} with a passed test`));
    if (skippedTests.length > mostSkipped) {
      reasons.push(fail(countedNames(skippedTests, "skipped test")));
    }
    if (warnedTests.length > mostRetried) {
      reasons.push(fail(countedNames(warnedTests, "retried test")));
    }
    return reasons;
  },
});

/** How many suites these tests come from. A test whose name has no parts is in none. */
function suitesOf(tests: readonly string[]): number {
  const parted = tests.filter((test) => test.includes(separator));
  return new Set(parted.map((test) => test.split(separator)[0])).size;
}
