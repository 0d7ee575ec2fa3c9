import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { SaxesParser } from "saxes";
import type { UnitTestFacts } from "../../policies/contract/facts.ts";

/** A report larger than this is refused: 50,000 test cases take about 2.5 MB. */
const maxBytes = 32 * 1024 * 1024;

/** Elements nested deeper than this are refused; JUnit reports nest four deep. */
const maxDepth = 64;

/** Counts of a JUnit report: test cases, and those that failed, broke or were skipped. */
export interface JunitCounts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

/** Reads a JUnit XML report from disk; what is wrong with it becomes a problem that keeps the gate closed. */
export function readJunit(path: string | null): UnitTestFacts {
  if (path === null) return { report: null, problem: "the release names no unit test report" };
  const report = basename(path);
  try {
    if (statSync(path).size > maxBytes)
      return { report, problem: "the report is larger than 32 MiB" };
    const bytes = readFileSync(path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    return { report, digest, ...countJunit(bytes.toString("utf8")) };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unreadable";
    return {
      report,
      problem: missing ? `there is no file ${report}` : `the report is unreadable: ${reason}`,
    };
  }
}

/**
 * Counts the test cases of a JUnit report by its elements. The counts that a suite claims must agree with its elements,
 * so that a report that was cut short does not pass for a whole one.
 *
 * @throws Error that says what is wrong: not XML, a document type, no suite, too deep, or counts that disagree
 */
export function countJunit(xml: string): JunitCounts {
  const parser = new SaxesParser();
  const open: string[] = [];
  const suites: Suite[] = [];
  const total = emptySuite({});
  let root: string | undefined;
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("doctype", () => {
    throw new Error("it has a document type, which a report must not have");
  });
  parser.on("opentag", ({ name, attributes }) => {
    root ??= name;
    open.push(name);
    if (open.length > maxDepth) throw new Error(`its elements nest deeper than ${maxDepth}`);
    if (name === "testsuite") suites.push(emptySuite(attributes));
    const counted = countedAs[name];
    if (counted !== undefined && (name === "testcase" || open.at(-2) === "testcase")) {
      for (const suite of [...suites, total]) suite.counts[counted] += 1;
    }
  });
  parser.on("closetag", ({ name }) => {
    open.pop();
    if (name === "testsuite") agree(suites.pop());
  });
  parser.write(xml).close();
  if (root !== "testsuites" && root !== "testsuite")
    throw new Error(`its root is <${root ?? "nothing"}>, not a test suite`);
  return total.counts;
}

interface Suite {
  readonly claimed: Readonly<Record<string, string>>;
  readonly counts: { tests: number; failures: number; errors: number; skipped: number };
}

const countedAs: Readonly<Record<string, keyof JunitCounts>> = {
  testcase: "tests",
  failure: "failures",
  error: "errors",
  skipped: "skipped",
};

function emptySuite(claimed: Readonly<Record<string, string>>): Suite {
  return { claimed, counts: { tests: 0, failures: 0, errors: 0, skipped: 0 } };
}

function agree(suite: Suite | undefined): void {
  if (suite === undefined) return;
  for (const name of ["tests", "failures", "errors", "skipped"] as const) {
    const claimed = suite.claimed[name];
    if (claimed !== undefined && Number(claimed) !== suite.counts[name]) {
      throw new Error(`a suite claims ${name}="${claimed}" and holds ${suite.counts[name]}`);
    }
  }
}
