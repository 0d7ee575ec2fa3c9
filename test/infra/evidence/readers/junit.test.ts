import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { junit } from "../../../../infra/evidence/readers/junit.ts";
import { attempt, describeBadBytes, readWith, refusal, sample } from "./samples.ts";

const suite = (body: string, claims = ""): string =>
  `<testsuites><testsuite name="s"${claims}>${body}</testsuite></testsuites>`;

const named = (body: string, name = "a"): string => `<testcase name="${name}">${body}</testcase>`;

describe("junit", () => {
  test("reads a report of Vitest, with an error that belongs to no test", () => {
    expect(readWith(junit, sample("junit/vitest.xml"))).toEqual({
      facts: {
        result: "FAILED",
        configuration: [],
        passedTests: [
          "test/orders.test.ts > orders > create > works",
          "test/orders.test.ts > top",
          "test/mail.test.ts > leaks",
        ],
        warnedTests: [],
        failedTests: [
          "test/orders.test.ts > orders > create > refuses",
          "vitest unhandled errors > Uncaught Exception: late",
        ],
        skippedTests: ["test/orders.test.ts > orders > create > later"],
      },
      producedAt: "2026-01-31T12:00:02.589Z",
    });
  });

  test("reads a report of Node, whose suites count what is directly in them", () => {
    expect(readWith(junit, sample("junit/node.xml"))).toEqual({
      facts: {
        result: "FAILED",
        configuration: [],
        passedTests: ["orders > create > test > works", "orders > test > lists", "test > top"],
        warnedTests: [],
        failedTests: ["orders > create > test > refuses"],
        skippedTests: ["orders > create > test > not now", "orders > create > test > later"],
      },
      producedAt: null,
    });
  });

  test("reads a report of Surefire, with a test that passed at its second try", () => {
    expect(readWith(junit, sample("junit/surefire.xml"))).toEqual({
      facts: {
        result: "WARNED",
        configuration: [],
        passedTests: [
          "com.example.OrderTest > creates",
          "com.example.OrderTest > com.example.order.Sums > totals",
        ],
        warnedTests: ["com.example.OrderTest > sends"],
        failedTests: [],
        skippedTests: [],
      },
      producedAt: "2026-01-31T12:00:00.000Z",
    });
  });

  test.each([
    ["a test that passed", suite(named("")), "PASSED", { passedTests: ["s > a"] }],
    ["a failure", suite(named('<failure message="x"/>')), "FAILED", { failedTests: ["s > a"] }],
    ["an error", suite(named("<error/>")), "FAILED", { failedTests: ["s > a"] }],
    ["a skipped test only", suite(named("<skipped/>")), "FAILED", { skippedTests: ["s > a"] }],
    [
      "a failure of a skipped test",
      suite(named("<skipped/><failure/>")),
      "FAILED",
      { failedTests: ["s > a"] },
    ],
    [
      "a failure after tries",
      suite(named("<flakyFailure/><failure/><rerunFailure/>")),
      "FAILED",
      { failedTests: ["s > a"] },
    ],
    [
      "an error at the first try",
      suite(named("<flakyError/>")),
      "WARNED",
      { warnedTests: ["s > a"] },
    ],
    ["no test at all", suite(""), "FAILED", {}],
    ["no suite at all", "<testsuites/>", "FAILED", {}],
    [
      "a root that is one suite",
      '<testsuite><testcase name="a"/></testsuite>',
      "PASSED",
      { passedTests: ["a"] },
    ],
    [
      "suites in suites",
      suite(`<testsuite name="t" tests="1">${named("")}</testsuite>${named("")}`, ' tests="2"'),
      "PASSED",
      { passedTests: ["s > t > a", "s > a"] },
    ],
    [
      "two failures of one test that count once",
      suite(named("<failure/><failure/>"), ' failures="1"'),
      "FAILED",
      { failedTests: ["s > a"] },
    ],
    [
      "a test that GoogleTest did not run",
      suite('<testcase name="a" status="notrun" result="suppressed"/>', ' tests="1" skipped="0"'),
      "FAILED",
      { skippedTests: ["s > a"] },
    ],
    [
      "an error in a suite and in no test",
      suite(`${named("")}<error/>`, ' errors="1"'),
      "FAILED",
      { passedTests: ["s > a"], failedTests: ["s"] },
    ],
    [
      "a failure in no named suite",
      `<testsuites><testsuite>${named("")}</testsuite><failure/></testsuites>`,
      "FAILED",
      { passedTests: ["a"], failedTests: ["errors outside of tests"] },
    ],
    [
      "a failure that Node tells in a comment only",
      `<testsuites><testsuite name="s" failures="0">${named("")}</testsuite><!-- fail 1 --></testsuites>`,
      "FAILED",
      { passedTests: ["s > a"], failedTests: ["errors outside of tests"] },
    ],
    [
      "a comment of Node that tells of no failure",
      `<testsuites>${named("")}<!-- fail 0 --><!-- cancelled 0 --></testsuites>`,
      "PASSED",
      { passedTests: ["a"] },
    ],
    [
      "a comment in a suite, which may be of a test's own",
      suite(`${named("")}<!-- fail 1 -->`),
      "PASSED",
      { passedTests: ["s > a"] },
    ],
    [
      "output that looks like a failure",
      suite(named("<system-out>&lt;failure/&gt;<![CDATA[<failure/>]]></system-out>")),
      "PASSED",
      { passedTests: ["s > a"] },
    ],
    [
      "properties that are named as a mark",
      suite(named('<properties><failure name="x"/></properties>')),
      "PASSED",
      { passedTests: ["s > a"] },
    ],
    [
      "a class that says more than the name",
      suite('<testcase classname="c" name="a"/>'),
      "PASSED",
      { passedTests: ["s > c > a"] },
    ],
    [
      "a class that is the name",
      suite('<testcase classname="a" name="a"/>'),
      "PASSED",
      { passedTests: ["s > a"] },
    ],
    [
      "a class and no name",
      suite('<testcase classname="c"/>'),
      "PASSED",
      { passedTests: ["s > c"] },
    ],
    [
      "an attribute called __proto__",
      suite('<testcase name="a" __proto__="x" constructor="y"/>'),
      "PASSED",
      { passedTests: ["s > a"] },
    ],
  ])("reads %s", (_, xml, result, lists) => {
    expect(readWith(junit, xml).facts).toEqual({
      result,
      configuration: [],
      passedTests: [],
      warnedTests: [],
      failedTests: [],
      skippedTests: [],
      ...lists,
    });
  });

  test("a long name is cut", () => {
    const [name] = readWith(junit, suite(named("", "x".repeat(600)))).facts.passedTests;
    expect(name).toBe(`s > ${"x".repeat(507)}…`);
    expect(name).toHaveLength(512);
  });

  test.each([
    ["none", "", null],
    ["an empty one", ' timestamp=""', null],
    ["one in UTC", ' timestamp="2026-01-31T12:00:00Z"', "2026-01-31T12:00:00.000Z"],
    ["one without a zone", ' timestamp="2026-01-31T12:00:00.5"', "2026-01-31T12:00:00.500Z"],
    ["one with a zone", ' timestamp="2026-01-31T12:00:00+02:00"', "2026-01-31T10:00:00.000Z"],
    ["a zone without colon", ' timestamp="2026-01-31T12:00:00-0130"', "2026-01-31T13:30:00.000Z"],
  ])("of a time, %s", (_, attribute, producedAt) => {
    expect(readWith(junit, suite("", attribute)).producedAt).toBe(producedAt);
  });

  test("of several times, the latest counts", () => {
    const xml = `<testsuites timestamp="2026-01-31T10:00:00Z">
      <testsuite timestamp="2026-01-31T12:00:00+02:00"/>
      <testsuite timestamp="2026-01-31T11:00:00Z"><testsuite timestamp="2026-01-31T09:00:00"/></testsuite>
    </testsuites>`;
    expect(readWith(junit, xml).producedAt).toBe("2026-01-31T11:00:00.000Z");
  });

  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${suite("&b;")}`;

  test.each([
    [
      "a suite that claims more tests than it holds",
      suite(named(""), ' tests="2"'),
      'a suite claims tests="2" and holds 1',
    ],
    ["a suite that claims fewer", suite(named(""), ' tests="0"'), /claims tests="0" and holds 1/],
    [
      "a suite that hides a failure",
      suite(named("<failure/>"), ' failures="0"'),
      /claims failures="0" and holds 1/,
    ],
    [
      "a suite that hides an error",
      suite(named("<error/>"), ' errors="0"'),
      /claims errors="0" and holds 1/,
    ],
    [
      "a suite that hides a skipped test",
      suite(named("<skipped/>"), ' skipped="0"'),
      /claims skipped="0" and holds 1/,
    ],
    [
      "several suites that claim more than they hold",
      `<testsuites tests="3"><testsuite>${named("")}</testsuite></testsuites>`,
      /claims tests="3" and holds 1/,
    ],
    ["a count below zero", suite("", ' tests="-1"'), /claims a number of tests that is none/],
    ["a count that is no number", suite("", ' tests="NaN"'), /a number of tests that is none/],
    ["an empty count", suite("", ' failures=""'), /a number of failures that is none/],
    ["a time that is none", suite("", ' timestamp="today"'), /has a time that is none/],
    ["a time before 1970", suite("", ' timestamp="1969-12-31T23:59:59"'), /time that is none/],
    ["a report that was cut short", `<testsuites><testsuite>${named("")}`, /well-formed.*unclosed/],
    ["a document type", "<!DOCTYPE x><testsuites/>", /document type/],
    ["entities that grow", bomb, /document type/],
    ["an entity of its own", suite("&lol;"), /well-formed.*entity/],
    ["two roots", "<testsuites/><testsuites/>", /well-formed/],
    ["a doubled attribute", suite("", ' failures="1" failures="0"'), /well-formed.*attribute/],
    ["another document", "<html/>", "its root is <html>, not a test suite"],
    ["nothing", "", /well-formed/],
    ["JSON", "{}", /well-formed/],
    ["nesting without end", "<testsuites>".repeat(65), "its elements nest deeper than 64"],
    ["a test in a test", suite(named(named(""))), /has <testcase> in <testcase>/],
    [
      "a test in the output of a test",
      suite(named(`<system-out>${named("")}</system-out>`)),
      /has <testcase> in <system-out>/,
    ],
    ["a suite in a test", suite(named("<testsuite/>")), /has <testsuite> in <testcase>/],
    ["a test without a name", "<testsuite><testcase/></testsuite>", "it has a test without a name"],
    [
      "a test with an empty name",
      '<testsuite name=""><testcase classname=" " name=""/></testsuite>',
      "it has a test without a name",
    ],
  ])("refuses %s", (_, xml, message) => {
    expect(refusal(junit, xml)).toMatch(message);
  });

  test("64 levels are not too deep", () => {
    const xml = `${"<testsuite>".repeat(63)}${named("")}${"</testsuite>".repeat(63)}`;
    expect(readWith(junit, xml).facts.passedTests).toEqual(["a"]);
  });

  const manyTests = (howMany: number): string =>
    suite(
      Array.from({ length: howMany }, (_, index) => `<testcase name="test ${index}"/>`).join("\n"),
      ` tests="${howMany}"`,
    );

  test("50,000 tests are read in reasonable time, and not one more", () => {
    const started = performance.now();
    expect(readWith(junit, manyTests(50_000)).facts.passedTests).toHaveLength(50_000);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(refusal(junit, manyTests(50_001))).toMatch(/see passedTests: .*50000/);
  });

  test("a long name that many tests share takes neither long nor much", () => {
    const outer = `<testsuite name="${"s".repeat(400_000)}">`;
    const xml = `${outer.repeat(10)}${named("").repeat(20_000)}${"</testsuite>".repeat(10)}`;
    const { passedTests } = readWith(junit, xml).facts;
    expect(passedTests).toHaveLength(20_000);
    expect(new Set(passedTests)).toEqual(new Set([`${"s".repeat(511)}…`]));
  });

  property.prop([
    fc.array(fc.constantFrom("", "<failure/>", "<error/>", "<skipped/>", "<flakyFailure/>")),
  ])("counts what was written", (bodies) => {
    const has = (...marks: string[]) => bodies.filter((body) => marks.includes(body)).length;
    const claims = ` tests="${bodies.length}" failures="${has("<failure/>")}" errors="${has("<error/>")}"`;
    const xml = suite(bodies.map((body, index) => named(body, `${index}`)).join(""), claims);
    const { facts } = readWith(junit, xml);
    expect(facts.passedTests).toHaveLength(has(""));
    expect(facts.failedTests).toHaveLength(has("<failure/>", "<error/>"));
    expect(facts.skippedTests).toHaveLength(has("<skipped/>"));
    expect(facts.warnedTests).toHaveLength(has("<flakyFailure/>"));
  });

  property.prop([
    fc.array(
      fc.constantFrom(
        ...["<testsuites>", "</testsuites>", "<testsuite>", "</testsuite>", "<testcase name='a'>"],
        ...["</testcase>", "<failure/>", "<system-out>", "</system-out>", "<!--x-->", " ", "x"],
      ),
      { maxLength: 12 },
    ),
  ])("tags in any order make no other error", (tags) => {
    const xml = tags.join("");
    const outcome = attempt(junit, xml);
    if (typeof outcome === "string") return;
    expect(outcome.facts.passedTests.length > 0).toBe(outcome.facts.result === "PASSED");
    expect(outcome.facts.failedTests.length > 0).toBe(xml.includes("<failure/>"));
  });

  for (const name of ["vitest", "node", "surefire"]) {
    describe(`report of ${name}`, () => {
      describeBadBytes(junit, sample(`junit/${name}.xml`));
    });
  }
});
