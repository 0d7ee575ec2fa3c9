import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Facts } from "../../../policies/contract/predicates.ts";
import type { Kind } from "../../../policies/kind.ts";
import { kinds } from "../../../policies/kinds.ts";
import { expectHarmless, judgeBy, kindNamed } from "../../support/kind-tester.ts";
import { anyEvidence, anyReading, anyRequest, anyResources } from "./arbitraries.ts";

// A baseline is other evidence, which nothing here has: series-against-baseline draws it in its own test.
const names = kinds
  .filter(({ judges, kind }) => judges !== "release" && kind !== "series-against-baseline")
  .map(({ kind }) => kind);

test.each(names)("%s judges whatever its types allow, in words that are harmless", (name) => {
  const kind = kindNamed(name);
  fc.assert(
    fc.property(anyGiven(kind), requestOf(kind), (given, requires) => {
      for (const reason of judgeBy(kind, given as Given, requires)) {
        expect(["fail", "inconclusive"]).toContain(reason.verdict);
        expectHarmless({
          subject: "release v1.1.0",
          required: kind.required(requires),
          remedy: "produce it again",
          ...reason,
        });
      }
    }),
  );
});

test.each(names)("%s opens for some of what is drawn here and closes for some", (name) => {
  const kind = kindNamed(name);
  const drawn = fc.sample(fc.tuple(anyGiven(kind), requestOf(kind)), { numRuns: 600, seed: 1 });
  const open = drawn.filter(([given, requires]) => opens(kind, given as Given, requires)).length;
  expect(open).toBeGreaterThan(0);
  expect(open).toBeLessThan(drawn.length);
});

describe("nothing that makes a report worse opens what is closed", () => {
  const tests = anyEvidence.tests;
  const testName = fc.constantFrom("orders", "refund", "orders > refund", "x");

  test.each(["tests-passed", "list-covered"])("%s: one more test that did not pass", (name) => {
    const lists = ["failedTests", "skippedTests", "warnedTests"] as const;
    staysClosed(
      name,
      tests,
      fc.tuple(fc.constantFrom(...lists), testName),
      (report, [list, one]) => ({
        ...report,
        [list]: [...report[list], one],
      }),
    );
  });

  test.each(["tests-passed", "list-covered"])("%s: one less test that passed", (name) => {
    staysClosed(name, tests, fc.nat(), (report, index) => ({
      ...report,
      passedTests: report.passedTests.toSpliced(index % (report.passedTests.length + 1), 1),
    }));
  });

  test.each(["tests-passed", "list-covered"])("%s: a test that passed fails", (name) => {
    staysClosed(name, tests, fc.nat(), (report, index) => ({
      ...report,
      passedTests: report.passedTests.slice(1 + (index % 3)),
      failedTests: [...report.failedTests, ...report.passedTests.slice(0, 1 + (index % 3))],
    }));
  });

  test("vulnerabilities-within: one more vulnerability", () => {
    const score = fc.constantFrom("critical", "high", "medium", "low", "negligible", "other");
    staysClosed(
      "vulnerabilities-within",
      anyEvidence.vulnerabilities,
      fc.tuple(fc.constantFrom("CVE-2026-1", "orders"), score),
      ({ scanner, metadata }, [id, score]) => ({
        metadata,
        scanner: {
          ...scanner,
          result: [...scanner.result, { id, severity: [{ method: "scanner", score }] }],
        },
      }),
    );
  });

  test("findings-within: one more finding", () => {
    const level = fc.constantFrom("error", "warning", "note", "none");
    staysClosed("findings-within", anyEvidence.findings, level, (report, level) => ({
      ...report,
      result: [...report.result, { rule: "orders", level }],
    }));
  });

  test("migrations-in-sync: one more that is not applied", () => {
    const list = fc.constantFrom("pending", "failed", "diverged");
    staysClosed("migrations-in-sync", anyEvidence.migrations, list, (report, list) => ({
      ...report,
      [list]: [...report[list], "0001"],
    }));
  });

  test("metrics-within: one more failed threshold", () => {
    staysClosed(
      "metrics-within",
      anyEvidence.metrics,
      fc.string({ minLength: 1 }),
      (report, one) => ({
        ...report,
        thresholds: [...report.thresholds, { metric: one, expression: one, passed: false }],
      }),
    );
  });

  test("comparison-within: one fixture further apart", () => {
    staysClosed("comparison-within", anyEvidence.comparison, fc.nat(), (report, index) => ({
      fixtures: report.fixtures.map((fixture, at) =>
        at === index % report.fixtures.length
          ? { ...fixture, expected: -1.7e308, actual: 1.7e308 }
          : fixture,
      ),
    }));
  });
});

type Given = Readonly<Record<string, unknown>>;

function anyGiven(kind: Kind): fc.Arbitrary<unknown> {
  if (kind.judges === "release") throw new Error("nothing is drawn for a whole release");
  if (kind.judges === "resources") return anyResources;
  return kind.judges === "reading" ? anyReading : anyEvidence[kind.judges];
}

function requestOf(kind: Kind): fc.Arbitrary<unknown> {
  const request = anyRequest[kind.kind];
  if (request === undefined) throw new Error(`arbitraries.ts asks nothing of ${kind.kind}`);
  return request.map((one) => kind.requires.parse(one));
}

function opens(kind: Kind, given: Given, requires: unknown): boolean {
  return judgeBy(kind, given, requires).length === 0;
}

/** Expects that no report which is closed opens when it is made worse. */
function staysClosed<Name extends keyof typeof anyEvidence, Change>(
  name: string,
  report: fc.Arbitrary<Facts<Name>>,
  change: fc.Arbitrary<Change>,
  worse: (report: Facts<Name>, change: Change) => Given,
): void {
  const kind = kindNamed(name);
  fc.assert(
    fc.property(report, change, requestOf(kind), (report, change, requires) => {
      const wasOpen = opens(kind, report, requires);
      const isOpen = opens(kind, worse(report, change), requires);
      expect(!isOpen || wasOpen).toBe(true);
    }),
    { numRuns: 500 },
  );
}
