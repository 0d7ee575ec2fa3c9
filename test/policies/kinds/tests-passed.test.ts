import { expect, test } from "vitest";
import { testsPassed } from "../../../policies/kinds/tests-passed.ts";
import { testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

testKind("tests-passed", {
  requires: { atLeast: 3, mostSkipped: 1, mostRetried: 1 },
  required: "3 passed tests or more, none failed, no more than 1 skipped and 1 retried",
  given: {
    result: "WARNED",
    configuration: [{ name: secretText }],
    url: secretText,
    passedTests: ["orders > pays", "orders > ships", "orders > bills"],
    warnedTests: ["orders > mails"],
    failedTests: [],
    skippedTests: ["orders > prints"],
  },
  passes: {
    "nothing skipped and nothing retried": {
      requires: { mostSkipped: undefined, mostRetried: undefined },
      given: { result: "PASSED", warnedTests: [], skippedTests: [] },
    },
    "as many suites as are needed": {
      requires: { suitesAtLeast: 2 },
      given: { passedTests: ["orders > pays", "orders > ships", "mails > bills > late"] },
    },
    "one more than needed": { requires: { atLeast: 2 } },
  },
  fails: {
    "one failed": [
      { given: { result: "FAILED", failedTests: ["orders > refunds"] } },
      "fail",
      "1 failed test: orders > refunds",
    ],
    "one failed, and a result that says otherwise": [
      { given: { result: "PASSED", failedTests: ["orders > refunds"] } },
      "fail",
      "1 failed test: orders > refunds",
    ],
    "many failed": [
      { given: { failedTests: ["a", "b", "c", "d", "e"] } },
      "fail",
      "5 failed tests: a, b, c and 2 more",
    ],
    "a result that no list explains": [
      { given: { result: "FAILED" } },
      "fail",
      "it failed, and names no failed test",
    ],
    "one too few": [{ requires: { atLeast: 4 } }, "fail", "3 passed tests"],
    "too few, did those count that were retried": [
      { requires: { atLeast: 4, mostRetried: 9 } },
      "fail",
      "3 passed tests",
    ],
    "one too many skipped": [
      { requires: { mostSkipped: 0 } },
      "fail",
      "1 skipped test: orders > prints",
    ],
    "one skipped where nothing is said of it": [
      { requires: { mostSkipped: undefined } },
      "fail",
      "1 skipped test: orders > prints",
    ],
    "one too many retried": [
      { requires: { mostRetried: 0 } },
      "fail",
      "1 retried test: orders > mails",
    ],
    "one retried where nothing is said of it": [
      { requires: { mostRetried: undefined } },
      "fail",
      "1 retried test: orders > mails",
    ],
    "one suite too few": [{ requires: { suitesAtLeast: 2 } }, "fail", "1 suite with a passed test"],
    "suites of tests that did not pass at the first try": [
      {
        requires: { suitesAtLeast: 2 },
        given: { warnedTests: ["mails > sends"], skippedTests: ["bills > prints"] },
      },
      "fail",
      "1 suite with a passed test",
    ],
    "tests without suites": [
      { requires: { suitesAtLeast: 1 }, given: { passedTests: ["pays", "ships", "bills >late"] } },
      "fail",
      "0 suites with a passed test",
    ],
    "no tests at all": [
      { given: { result: "PASSED", passedTests: [], warnedTests: [], skippedTests: [] } },
      "fail",
      "0 passed tests",
    ],
    "everything skipped": [
      { requires: { mostSkipped: 99 }, given: { passedTests: [], skippedTests: ["a", "b", "c"] } },
      "fail",
      "0 passed tests",
    ],
  },
  refuses: {
    "no test at least": { atLeast: 0 },
    "half a test": { atLeast: 1.5 },
    "half a skipped test": { mostSkipped: 0.5 },
    "a number in words": { atLeast: "3" },
    "nothing of how many": { atLeast: undefined },
    "no suite at least": { suitesAtLeast: 0 },
    "half a suite": { suitesAtLeast: 1.5 },
  },
  hostile: (name) => ({
    given: {
      result: "FAILED",
      failedTests: [name],
      skippedTests: [name, `${name}2`.slice(-512)],
      warnedTests: [name, `${name}2`.slice(-512)],
    },
  }),
});

test("says how many suites must have passed", () => {
  const asked = testsPassed.requires.parse({ atLeast: 9, suitesAtLeast: 2 });
  expect(testsPassed.required(asked)).toBe(
    "9 passed tests or more in 2 suites or more, none failed, no more than 0 skipped and 0 retried",
  );
});
