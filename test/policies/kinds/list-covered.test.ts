import { testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

testKind("list-covered", {
  requires: { items: ["refund", "tenants > isolation"] },
  required: "a test that passed without a retry for 2 items: refund and tenants > isolation",
  given: {
    result: "PASSED",
    configuration: [],
    url: secretText,
    passedTests: ["orders > refund > in full", "orders > refund > in part", "tenants > isolation"],
    warnedTests: ["orders > mail"],
    failedTests: ["orders > refunds"],
    skippedTests: ["orders > refund in kind"],
  },
  passes: {
    "an item that is the first segment": { requires: { items: ["tenants"] } },
    "an item that is the last segment": { requires: { items: ["isolation"] } },
    "others that failed": { given: { result: "FAILED" } },
  },
  fails: {
    "an item without a test": [
      { requires: { items: ["refund", "invoice"] } },
      "fail",
      "1 item is not in the report: invoice",
    ],
    "many items without a test": [
      { requires: { items: ["a", "b", "c", "d"] } },
      "fail",
      "4 items are not in the report: a, b, c and 1 more",
    ],
    "an item that is only a part of a segment": [
      { requires: { items: ["fund"] } },
      "fail",
      "1 item is not in the report: fund",
    ],
    "an item in other letters": [
      { requires: { items: ["Refund"] } },
      "fail",
      "1 item is not in the report: Refund",
    ],
    "an item that is two segments of three": [
      { requires: { items: ["orders > refund"] } },
      "fail",
      "1 item is not in the report: orders > refund",
    ],
    "an item of which one test failed": [
      { given: { failedTests: ["orders > refund > twice"] } },
      "fail",
      "1 failed item: refund",
    ],
    "an item of which one test was skipped": [
      { given: { skippedTests: ["orders > refund > twice"] } },
      "fail",
      "1 skipped item: refund",
    ],
    "an item of which one test was retried": [
      { given: { warnedTests: ["orders > refund > twice"] } },
      "fail",
      "1 retried item: refund",
    ],
    "an item that was only retried": [
      { requires: { items: ["mail"] } },
      "fail",
      "1 retried item: mail",
    ],
    "an item that both passed and failed": [
      { given: { failedTests: ["tenants > isolation"] } },
      "fail",
      "1 failed item: tenants > isolation",
    ],
    "no tests at all": [
      { given: { passedTests: [], warnedTests: [], failedTests: [], skippedTests: [] } },
      "fail",
      "2 items are not in the report: refund and tenants > isolation",
    ],
  },
  refuses: {
    "an item twice": { items: ["refund", "refund"] },
    "an item twice, once with a space": { items: ["refund", "refund "] },
    "an item of spaces": { items: ["  "] },
    "a text for a list": { items: "refund" },
    "a number for a name": { items: [1] },
    "no items": { items: undefined },
  },
  hostile: (name) => ({
    requires: { items: [name.trim() === "" ? "item" : name, "missing"] },
    given: { failedTests: [name, name.trim()].filter((one) => one !== "") },
  }),
});
