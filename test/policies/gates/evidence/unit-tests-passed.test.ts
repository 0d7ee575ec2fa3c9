import { unitTestsPassed } from "../../../../policies/gates/evidence/unit-tests-passed.ts";
import { set, testGate } from "../../../support/gate-tester.ts";

const counts = {
  report: "evidence/unit-tests.xml",
  digest: "e2".repeat(32),
  tests: 10,
  failures: 0,
  errors: 0,
  skipped: 0,
};

testGate(unitTestsPassed, {
  needs: ["facts.unitTests", "facts.unitTests.tests"],
  mayRead: ["facts.system"],
  passes: {
    "none skipped": [set("facts.unitTests", counts)],
    "all but one skipped": [set("facts.unitTests", { ...counts, skipped: 9 })],
  },
  fails: {
    "one failed": [
      [set("facts.unitTests.failures", 1)],
      "fail",
      "release v1.1.0: unit tests: 1 failed and 0 broke, of 120",
    ],
    "one broke": [
      [set("facts.unitTests.errors", 1)],
      "fail",
      "release v1.1.0: unit tests: 0 failed and 1 broke, of 120",
    ],
    "no tests": [
      [set("facts.unitTests", { ...counts, tests: 0 })],
      "fail",
      "release v1.1.0: unit tests: 0 were skipped, of 0",
    ],
    "all skipped": [
      [set("facts.unitTests", { ...counts, skipped: 10 })],
      "fail",
      "release v1.1.0: unit tests: 10 were skipped, of 10",
    ],
    "more failures than nothing can explain": [
      [set("facts.unitTests.failures", -1)],
      "fail",
      "release v1.1.0: unit tests: -1 failed and 0 broke, of 120",
    ],
    "fewer skipped than none": [
      [set("facts.unitTests", { ...counts, tests: 0, skipped: -5 })],
      "fail",
      "release v1.1.0: unit tests: -5 were skipped, of 0",
    ],
    "no report": [
      [set("facts.unitTests", { report: null, problem: "the release names no unit test report" })],
      "inconclusive",
      "release v1.1.0: the release names no unit test report",
    ],
    "a report that cannot be read, with counts beside it": [
      [set("facts.unitTests", { ...counts, problem: "the report is no JUnit XML" })],
      "inconclusive",
      "release v1.1.0: the report is no JUnit XML",
    ],
    "a report without a digest": [
      [set("facts.unitTests.digest", "")],
      "inconclusive",
      "facts: facts.unitTests is not a test report's counts or a problem",
    ],
  },
});
