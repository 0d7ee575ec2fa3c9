import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { playwright } from "../../../../infra/evidence/readers/playwright.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const good = sample("playwright/passed.json");

const statuses = ["expected", "unexpected", "flaky", "skipped"] as const;
type Status = (typeof statuses)[number];

const expectedStatus = (status: Status) => (status === "skipped" ? "skipped" : "passed");

/** A report of one file with a spec for each status, whose counts agree. */
function reportOf(ended: readonly Status[], changed: object = {}) {
  const counts = Object.fromEntries(
    statuses.map((status) => [status, ended.filter((one) => one === status).length]),
  );
  return {
    suites: [{ title: "a.spec.ts", file: "a.spec.ts", specs: ended.map((one) => specOf(one)) }],
    errors: [],
    stats: { startTime: "2026-01-31T12:00:00.000Z", duration: 1000, ...counts },
    ...changed,
  };
}

function specOf(status: Status, changed: object = {}) {
  return {
    title: status,
    ok: status !== "unexpected",
    tests: [{ status, expectedStatus: expectedStatus(status), projectName: "" }],
    ...changed,
  };
}

describe("playwright", () => {
  test("reads a report, with a test that passed at its second try", () => {
    expect(readWith(playwright, good)).toEqual({
      facts: {
        result: "WARNED",
        configuration: [],
        passedTests: ["orders.spec.ts > has a title [chromium]"],
        warnedTests: ["orders.spec.ts > checkout > pays by card [chromium]"],
        failedTests: [],
        skippedTests: ["orders.spec.ts > checkout > pays by invoice [chromium]"],
      },
      producedAt: "2026-01-31T12:00:36.373Z",
    });
  });

  test("no machine's folder is told", () => {
    const suites = ["/builds/a.spec.ts", "C:\\builds\\a.spec.ts", "file:///builds/a.spec.ts"].map(
      (file) => ({ title: file, file, specs: [specOf("expected")] }),
    );
    const report = { ...reportOf(["expected", "expected", "expected"]), suites };
    expect(readWith(playwright, report).facts.passedTests).toEqual(
      suites.map(() => "a.spec.ts > expected"),
    );
  });

  const facts = (report: object) => readWith(playwright, report).facts;

  test.each([
    ["all passed", reportOf(["expected"]), "PASSED", []],
    ["one passed at its second try", reportOf(["expected", "flaky"]), "WARNED", []],
    ["one was skipped", reportOf(["expected", "skipped"]), "PASSED", []],
    ["nothing ran", reportOf([]), "FAILED", []],
    ["nothing passed", reportOf(["skipped"]), "FAILED", []],
    ["one failed", reportOf(["expected", "unexpected"]), "FAILED", ["a.spec.ts > unexpected"]],
    [
      "a file did not load",
      reportOf(["expected"], { errors: [{ message: "SyntaxError: password=hunter2" }] }),
      "FAILED",
      ["errors outside of tests"],
    ],
    [
      "a test was to run and did not",
      reportOf(["expected", "skipped"], {
        suites: [
          {
            title: "a.spec.ts",
            specs: [
              specOf("expected"),
              specOf("skipped", { tests: [{ status: "skipped", expectedStatus: "passed" }] }),
            ],
          },
        ],
      }),
      "FAILED",
      ["a.spec.ts > skipped"],
    ],
  ])("where %s the result is told", (_, report, result, failed) => {
    expect(facts(report).result).toBe(result);
    expect(facts(report).failedTests).toEqual(failed);
  });

  test("a spec of two projects is two tests", () => {
    const tests = ["chromium", "webkit"].map((projectName) => ({
      status: "expected",
      expectedStatus: "passed",
      projectName,
    }));
    const suites = [{ title: "a", file: "a", specs: [specOf("expected", { title: "b", tests })] }];
    expect(facts(reportOf(["expected", "expected"], { suites })).passedTests).toEqual([
      "a > b [chromium]",
      "a > b [webkit]",
    ]);
  });

  const spec = (changed: object) =>
    reportOf(["expected"], {
      suites: [{ title: "a", file: "a", specs: [specOf("expected", changed)] }],
    });
  const stats = (changed: object) => {
    const report = reportOf(["expected"]);
    return { ...report, stats: { ...report.stats, ...changed } };
  };

  test.each([
    ["a test left out", stats({ expected: 2 }), "it claims 2 expected tests and holds 1"],
    ["a test too many", stats({ expected: 0 }), /claims 0 expected tests and holds 1/],
    ["a failure left out", stats({ unexpected: 1 }), /claims 1 unexpected tests and holds 0/],
    ["a second try left out", stats({ flaky: 1 }), /claims 1 flaky tests and holds 0/],
    ["a skipped test left out", stats({ skipped: 1 }), /claims 1 skipped tests and holds 0/],
    ["no counts, as before version 1.33", { ...reportOf([]), stats: undefined }, /see stats/],
    ["a count below zero", stats({ flaky: -1 }), /see stats\.flaky/],
    ["a time below zero", stats({ duration: -1 }), /see stats\.duration/],
    ["no duration", stats({ duration: null }), /see stats\.duration/],
    ["a duration beyond all time", stats({ duration: 1e300 }), /has a time that is none/],
    ["no start", stats({ startTime: undefined }), /see stats\.startTime/],
    ["a start that is none", stats({ startTime: "now" }), /has a time that is none/],
    ["no list of errors", { ...reportOf([]), errors: undefined }, /see errors/],
    [
      "a spec that claims to be ok",
      reportOf(["unexpected"], {
        suites: [{ title: "a", file: "a", specs: [specOf("unexpected", { ok: true })] }],
      }),
      /claims that unexpected is ok/,
    ],
    ["a spec that claims not to be", spec({ ok: false }), /claims that expected is not ok/],
    [
      "an unknown status",
      spec({ tests: [{ status: "passed", expectedStatus: "passed" }] }),
      /see suites\.0\.specs\.0\.tests\.0\.status/,
    ],
    ["a spec without tests", spec({ tests: undefined }), /see suites\.0\.specs\.0\.tests/],
    [
      "a fault in an inner suite",
      reportOf([], { suites: [{ title: "a", specs: [], suites: [{ title: "b" }] }] }),
      /see suites\.0\.suites\.0\.specs/,
    ],
    [
      "a test without a name",
      reportOf(["expected"], {
        suites: [{ title: "", specs: [specOf("expected", { title: " " })] }],
      }),
      "it has a test without a name",
    ],
    ["a report of Vitest", sample("vitest/vitest.json"), /it is no JSON report of Playwright/],
  ])("refuses %s", (_, report, message) => {
    expect(refusal(playwright, report)).toMatch(message);
  });

  test("what an error outside of tests says is not told", () => {
    const report = reportOf(["expected"], { errors: [{ message: "password=hunter2" }] });
    expect(JSON.stringify(readWith(playwright, report))).not.toContain("hunter2");
  });

  test("a long name that many tests share takes neither long nor much", () => {
    const ended = Array.from({ length: 20_000 }, () => "expected" as const);
    const tests = ended.map((status) => ({ status, expectedStatus: "passed", projectName: "p" }));
    const title = "t".repeat(2_000_000);
    const inner = [{ title, specs: [specOf("expected", { title, tests })] }];
    const suites = [{ title: "a", specs: [], suites: inner }];
    expect(new Set(facts(reportOf(ended, { suites })).passedTests)).toEqual(
      new Set([`a > ${"t".repeat(507)}…`]),
    );
  });

  const suiteOf = (inner: fc.Arbitrary<Suite[]>): fc.Arbitrary<Suite> =>
    fc.record({
      title: fc.string().map((title) => `${title}.`),
      specs: fc.array(fc.constantFrom(...statuses).map((status) => specOf(status))),
      suites: inner,
    });
  const suite = suiteOf(fc.array(suiteOf(fc.array(suiteOf(fc.constant([])), { maxLength: 2 }))));

  property.prop([fc.array(suite, { maxLength: 3 })])("counts what was written", (suites) => {
    const ended = suites.flatMap(statusesOf);
    const has = (status: Status) => ended.filter((one) => one === status).length;
    const { passedTests, failedTests, warnedTests, skippedTests } = facts(
      reportOf(ended, { suites }),
    );
    expect(passedTests).toHaveLength(has("expected"));
    expect(failedTests).toHaveLength(has("unexpected"));
    expect(warnedTests).toHaveLength(has("flaky"));
    expect(skippedTests).toHaveLength(has("skipped"));
  });

  describeBadBytes(playwright, good);
  describeBadJson(playwright, good);
});

interface Suite {
  readonly title: string;
  readonly specs: readonly { readonly tests: readonly { readonly status: Status }[] }[];
  readonly suites: readonly Suite[];
}

function statusesOf({ specs, suites }: Suite): Status[] {
  return [
    ...specs.flatMap(({ tests }) => tests.map(({ status }) => status)),
    ...suites.flatMap(statusesOf),
  ];
}
