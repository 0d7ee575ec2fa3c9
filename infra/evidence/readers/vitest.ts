import { z } from "zod";
import type { Reader } from "../reader.ts";
import {
  checkCount,
  count,
  cut,
  emptyLists,
  list,
  nameOf,
  outsideTests,
  readShape,
  resultOf,
  testFacts,
  unreadable,
  utcTime,
  type TestLists,
} from "./shared.ts";

const endedAs = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  pending: "skipped",
  todo: "skipped",
  disabled: "skipped",
} as const;

const testSchema = z.object({
  ancestorTitles: list(z.string()),
  title: z.string(),
  status: z.enum(Object.keys(endedAs) as (keyof typeof endedAs)[]),
  /** Vitest keeps what the tries before the last one said. */
  failureMessages: list(z.unknown()).nullish(),
  /** How many tries Jest needed. */
  invocations: count.nullish(),
});

/** Milliseconds since 1970. */
const time = z.number().min(0);

const schema = z.object({
  numTotalTests: count,
  numPassedTests: count,
  numFailedTests: count,
  numTodoTests: count.optional(),
  startTime: time,
  success: z.boolean(),
  wasInterrupted: z.boolean().optional(),
  testResults: list(
    z.object({
      name: z.string(),
      // Jest calls a file focused when it left out some of its tests.
      status: z.enum(["passed", "failed", "skipped", "pending", "focused"]),
      endTime: time.nullish(),
      assertionResults: list(testSchema),
    }),
  ),
});

type Report = z.output<typeof schema>;
type Test = z.output<typeof testSchema>;

/**
 * Reads the JSON report of Vitest and of Jest. A test is named by its file without folders, the titles around it and
 * its own. A file that failed while none of its tests did, because it did not load or because of a hook, stands among
 * the failed tests by its own name. Vitest leaves out errors that belong to no file, such as an unhandled rejection;
 * its JUnit report holds them.
 */
export const vitest: Reader<"tests"> = {
  format: "vitest",
  title: "JSON report of Vitest or Jest",
  predicate: "tests",
  read(bytes) {
    const report = readShape(schema, bytes, "JSON report of Vitest or Jest");
    checkCounts(report);
    const lists = emptyLists();
    for (const { name, status, assertionResults } of report.testResults) {
      // The folders are those of the machine that ran the tests.
      const file = cut(name.replaceAll("\\", "/").split("/").at(-1) ?? "");
      for (const test of assertionResults) {
        lists[listOf(test)].push(nameOf([file, ...test.ancestorTitles, test.title]));
      }
      if (status === "failed" && !assertionResults.some(isFailed))
        lists.failed.push(nameOf([file]));
    }
    if (report.success && lists.failed.length > 0) {
      throw unreadable(`it claims success and holds ${lists.failed.length} failures`);
    }
    const broken = !report.success || report.wasInterrupted === true;
    if (broken && resultOf(lists) !== "FAILED") lists.failed.push(outsideTests);
    return { facts: testFacts(lists), producedAt: utcTime(lastTime(report)) };
  },
};

function listOf(test: Test): keyof TestLists {
  const retried = (test.failureMessages ?? []).length > 0 || (test.invocations ?? 1) > 1;
  return test.status === "passed" && retried ? "warned" : endedAs[test.status];
}

function isFailed(test: Test): boolean {
  return test.status === "failed";
}

/** Pending tests are not compared: versions of Vitest differ in what they count as such. */
function checkCounts(report: Report): void {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const held = (status: Test["status"]): number =>
    tests.filter((test) => test.status === status).length;
  checkCount("tests", report.numTotalTests, tests.length);
  checkCount("passed tests", report.numPassedTests, held("passed"));
  checkCount("failed tests", report.numFailedTests, held("failed"));
  if (report.numTodoTests !== undefined) {
    checkCount("tests to do", report.numTodoTests, held("todo"));
  }
}

function lastTime({ startTime, testResults }: Report): number {
  return testResults.reduce((last, { endTime }) => Math.max(last, endTime ?? 0), startTime);
}
