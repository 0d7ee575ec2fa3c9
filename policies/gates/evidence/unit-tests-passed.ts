import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import { isAtLeast } from "../../values.ts";

/** The unit tests of this release ran and none failed. A report without a test that ran proves nothing. */
export const unitTestsPassed = defineGate({
  id: "unit-tests-passed",
  about: "facts",
  requires: "The unit tests of the release ran and passed.",
  because: "Known faults would go live.",
  severity: "critical",
  required: "a report with tests that ran, no failure and no error",
  remedy: "name the report in evidence.unitTests of the release's file",
  judge: ({ unitTests, system, release }) => {
    const file = `examples/${system}/releases/${release.version}.yaml`;
    const again = `run the tests again and name the report in evidence.unitTests of ${file}`;
    if ("problem" in unitTests) {
      const remedy =
        unitTests.report === null
          ? `name the report in evidence.unitTests of ${file}`
          : `put the report where evidence.unitTests of ${file} names it`;
      return [inconclusive(unitTests.problem, { remedy })];
    }
    const { tests, failures, errors, skipped } = unitTests;
    const reasons: Reason[] = [];
    if (failures !== 0 || errors !== 0) {
      const found = `unit tests: ${failures} failed and ${errors} broke, of ${tests}`;
      reasons.push(fail(found, { remedy: again }));
    }
    if (!isAtLeast(skipped, 0) || !isAtLeast(tests - skipped, 1)) {
      reasons.push(fail(`unit tests: ${skipped} were skipped, of ${tests}`, { remedy: again }));
    }
    return reasons;
  },
});
