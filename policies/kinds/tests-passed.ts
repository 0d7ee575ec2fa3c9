import { z } from "zod";
import { fail, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { count } from "../checks/limits.ts";
import { counted, countedNames } from "../checks/names.ts";

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
  }),
  required: ({ atLeast, mostSkipped, mostRetried }) =>
    `${counted(atLeast, "passed test")} or more, none failed, ` +
    `no more than ${mostSkipped} skipped and ${mostRetried} retried`,
  judge: ({ result, passedTests, warnedTests, failedTests, skippedTests }, requires) => {
    const { atLeast, mostSkipped, mostRetried } = requires;
    const reasons: Reason[] = [];
    if (failedTests.length > 0) reasons.push(fail(countedNames(failedTests, "failed test")));
    else if (result === "FAILED") reasons.push(fail("it failed, and names no failed test"));
    if (passedTests.length < atLeast)
      reasons.push(fail(counted(passedTests.length, "passed test")));
    if (skippedTests.length > mostSkipped) {
      reasons.push(fail(countedNames(skippedTests, "skipped test")));
    }
    if (warnedTests.length > mostRetried) {
      reasons.push(fail(countedNames(warnedTests, "retried test")));
    }
    return reasons;
  },
});
