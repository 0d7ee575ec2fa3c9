import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { vitest } from "../../../../infra/evidence/readers/vitest.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const statuses = ["passed", "failed", "skipped", "pending", "todo", "disabled"] as const;
type Status = (typeof statuses)[number];

/** A report of one file whose tests ended as given, with counts and success that agree. */
function reportOf(ended: readonly Status[], changed: object = {}) {
  const countOf = (status: Status) => ended.filter((one) => one === status).length;
  const failed = countOf("failed") > 0;
  return {
    numTotalTests: ended.length,
    numPassedTests: countOf("passed"),
    numFailedTests: countOf("failed"),
    numTodoTests: countOf("todo"),
    startTime: 1_769_860_800_000,
    success: !failed,
    testResults: [fileOf(ended, { status: failed ? "failed" : "passed" })],
    ...changed,
  };
}

function fileOf(ended: readonly Status[], changed: object = {}) {
  return {
    name: "/builds/shop/test/a.test.ts",
    status: "passed",
    endTime: 1_769_860_801_000,
    assertionResults: ended.map((status, index) => testOf(status, { title: `${index}` })),
    ...changed,
  };
}

function testOf(status: Status, changed: object = {}) {
  return { ancestorTitles: [], title: "a", status, failureMessages: [], ...changed };
}

describe("vitest", () => {
  test("reads a report of Vitest, with files that failed beside their tests", () => {
    expect(readWith(vitest, sample("vitest/vitest.json"))).toEqual({
      facts: {
        result: "FAILED",
        configuration: [],
        passedTests: ["orders.test.ts > orders > create > works", "hooks.test.ts > hooks > works"],
        warnedTests: ["orders.test.ts > sends"],
        failedTests: [
          "orders.test.ts > orders > create > refuses",
          "hooks.test.ts",
          "absent.test.ts",
        ],
        skippedTests: ["orders.test.ts > orders > not now", "orders.test.ts > later"],
      },
      producedAt: "2026-01-31T12:00:00.507Z",
    });
  });

  test("reads a report of Jest", () => {
    expect(readWith(vitest, sample("vitest/jest.json"))).toEqual({
      facts: {
        result: "WARNED",
        configuration: [],
        passedTests: ["orders.test.js > orders > creates"],
        warnedTests: ["orders.test.js > orders > sends"],
        failedTests: [],
        skippedTests: ["orders.test.js > orders > not now", "orders.test.js > later"],
      },
      producedAt: "2026-01-31T12:00:01.500Z",
    });
  });

  test("no machine's folder is told", () => {
    for (const name of ["vitest/vitest.json", "vitest/jest.json"]) {
      expect(JSON.stringify(readWith(vitest, sample(name)))).not.toMatch(/builds|[/\\]/);
    }
  });

  const result = (report: object) => readWith(vitest, report).facts;

  test.each([
    ["all passed", reportOf(["passed", "passed"]), "PASSED", []],
    ["nothing was tested", reportOf([], { testResults: [] }), "FAILED", []],
    ["nothing passed", reportOf(["skipped", "todo", "pending", "disabled"]), "FAILED", []],
    ["one failed", reportOf(["passed", "failed"]), "FAILED", ["a.test.ts > 1"]],
    [
      "the run failed for another reason",
      reportOf(["passed"], { success: false }),
      "FAILED",
      ["errors outside of tests"],
    ],
    [
      "the run was interrupted",
      reportOf(["passed"], { wasInterrupted: true }),
      "FAILED",
      ["errors outside of tests"],
    ],
    [
      "a file failed and its tests passed",
      reportOf(["passed"], {
        success: false,
        testResults: [fileOf(["passed"], { status: "failed" })],
      }),
      "FAILED",
      ["a.test.ts"],
    ],
  ])("where %s the result is told", (_, report, expected, failed) => {
    expect(result(report).result).toBe(expected);
    expect(result(report).failedTests).toEqual(failed);
  });

  test("a report that names neither tries nor messages is read", () => {
    const one = testOf("passed", { failureMessages: null, invocations: undefined });
    const report = reportOf(["passed"], { testResults: [fileOf([], { assertionResults: [one] })] });
    expect(result(report).passedTests).toEqual(["a.test.ts > a"]);
  });

  test("empty titles are left out of a name", () => {
    const one = testOf("passed", { ancestorTitles: ["", "orders"] });
    const report = reportOf(["passed"], { testResults: [fileOf([], { assertionResults: [one] })] });
    expect(result(report).passedTests).toEqual(["a.test.ts > orders > a"]);
  });

  test("without a file it was made when it started", () => {
    expect(readWith(vitest, reportOf([], { testResults: [] })).producedAt).toBe(
      "2026-01-31T12:00:00.000Z",
    );
  });

  const fileWith = (changed: object) =>
    reportOf(["passed"], { testResults: [fileOf(["passed"], changed)] });
  const testWith = (changed: object) => fileWith({ assertionResults: [testOf("passed", changed)] });

  test.each([
    [
      "more tests claimed",
      reportOf(["passed"], { numTotalTests: 2 }),
      "it claims 2 tests and holds 1",
    ],
    [
      "fewer passed",
      reportOf(["passed"], { numPassedTests: 0 }),
      /claims 0 passed tests and holds 1/,
    ],
    [
      "a failure hidden in the counts",
      reportOf(["failed"], { numFailedTests: 0 }),
      /claims 0 failed tests and holds 1/,
    ],
    ["other tests to do", reportOf(["todo"], { numTodoTests: 0 }), /claims 0 tests to do/],
    [
      "success with a failure",
      reportOf(["failed"], { success: true }),
      /claims success and holds 1/,
    ],
    [
      "success with a file that failed",
      fileWith({ status: "failed" }),
      /claims success and holds 1/,
    ],
    ["no success told", reportOf(["passed"], { success: undefined }), /see success/],
    ["a count below zero", reportOf([], { numTotalTests: -1 }), /see numTotalTests/],
    ["half a count", reportOf([], { numTotalTests: 0.5 }), /see numTotalTests/],
    ["no start", reportOf([], { startTime: null }), /see startTime/],
    ["a start before 1970", reportOf([], { startTime: -1 }), /see startTime/],
    ["a start beyond all time", reportOf([], { startTime: 1e300 }), /has a time that is none/],
    ["an end before 1970", fileWith({ endTime: -1 }), /see testResults\.0\.endTime/],
    ["an unknown status of a file", fileWith({ status: "crashed" }), /testResults\.0\.status/],
    [
      "an unknown status of a test",
      testWith({ status: "ok" }),
      /see testResults\.0\.assertionResults\.0\.status/,
    ],
    ["no title", testWith({ title: undefined }), /assertionResults\.0\.title/],
    ["titles that are a text", testWith({ ancestorTitles: "a" }), /ancestorTitles/],
    ["no files", { ...reportOf([]), testResults: undefined }, /see testResults/],
    ["a report of Playwright", sample("playwright/passed.json"), /it is no JSON report of Vitest/],
  ])("refuses %s", (_, report, message) => {
    expect(refusal(vitest, report)).toMatch(message);
  });

  property.prop([fc.array(fc.constantFrom(...statuses))])("counts what was written", (ended) => {
    const facts = result(reportOf(ended));
    const has = (...some: Status[]) => ended.filter((one) => some.includes(one)).length;
    expect(facts.passedTests).toHaveLength(has("passed"));
    expect(facts.failedTests).toHaveLength(has("failed"));
    expect(facts.skippedTests).toHaveLength(has("skipped", "pending", "todo", "disabled"));
    expect(facts.result).toBe(has("failed") > 0 || has("passed") === 0 ? "FAILED" : "PASSED");
  });

  test("a list of a million bad entries is refused for the first of them", () => {
    const text = JSON.stringify(reportOf([])).replace(
      /"testResults":\[.*\]/,
      `"testResults":[${"0,".repeat(1_000_000)}0]`,
    );
    expect(refusal(vitest, text)).toMatch(/see testResults\.0/);
  });

  test("a long name that many tests share takes neither long nor much", () => {
    const ended = Array.from({ length: 20_000 }, () => "passed" as const);
    const file = fileOf(ended, { name: `/${" ".repeat(2_000_000)}${"f".repeat(2_000_000)}` });
    const { passedTests } = result(reportOf(ended, { testResults: [file] }));
    expect(new Set(passedTests)).toEqual(new Set([`${"f".repeat(511)}…`]));
  });

  for (const name of ["vitest", "jest"]) {
    describe(`report of ${name}`, () => {
      describeBadBytes(vitest, sample(`vitest/${name}.json`));
      describeBadJson(vitest, sample(`vitest/${name}.json`));
    });
  }
});
