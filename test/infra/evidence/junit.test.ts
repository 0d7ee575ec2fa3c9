import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { afterAll, describe, expect, test } from "vitest";
import { countJunit, readJunit } from "../../../infra/evidence/junit.ts";

const folder = mkdtempSync(join(tmpdir(), "junit-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const suite = (body: string, claims = ""): string =>
  `<testsuites><testsuite${claims}>${body}</testsuite></testsuites>`;

describe("countJunit", () => {
  test.each([
    [
      "a passed case",
      suite('<testcase name="a"/>'),
      { tests: 1, failures: 0, errors: 0, skipped: 0 },
    ],
    [
      "a failed case",
      suite('<testcase><failure message="x"/></testcase>'),
      { tests: 1, failures: 1, errors: 0, skipped: 0 },
    ],
    [
      "a broken case",
      suite("<testcase><error/></testcase>"),
      { tests: 1, failures: 0, errors: 1, skipped: 0 },
    ],
    [
      "a skipped case",
      suite("<testcase><skipped/></testcase>"),
      { tests: 1, failures: 0, errors: 0, skipped: 1 },
    ],
    ["no case at all", suite(""), { tests: 0, failures: 0, errors: 0, skipped: 0 }],
    [
      "a root that is one suite",
      "<testsuite><testcase/></testsuite>",
      { tests: 1, failures: 0, errors: 0, skipped: 0 },
    ],
    [
      "suites in suites",
      suite('<testsuite tests="1"><testcase/></testsuite><testcase/>', ' tests="2"'),
      { tests: 2, failures: 0, errors: 0, skipped: 0 },
    ],
    [
      "output that looks like a failure",
      suite("<testcase><system-out>&lt;failure/&gt;</system-out></testcase>"),
      { tests: 1, failures: 0, errors: 0, skipped: 0 },
    ],
  ])("counts %s", (_, xml, counts) => {
    expect(countJunit(xml)).toEqual(counts);
  });

  test.each([
    [
      "a suite that claims more cases than it holds",
      suite("<testcase/>", ' tests="2"'),
      /claims tests="2" and holds 1/,
    ],
    [
      "a suite that hides a failure",
      suite("<testcase><failure/></testcase>", ' failures="0"'),
      /claims failures="0" and holds 1/,
    ],
    ["a report that was cut short", "<testsuites><testsuite><testcase/>", /unclosed/i],
    ["a document type", "<!DOCTYPE x><testsuites/>", /document type/],
    ["an entity of its own", suite("&lol;"), /entity/],
    ["two roots", "<testsuites/><testsuites/>", /root|text|document/i],
    ["a doubled attribute", suite("", ' failures="1" failures="0"'), /attribute/i],
    ["another document", "<html/>", /its root is <html>/],
    ["nothing", "", /root/i],
    ["nesting without end", "<testsuites>".repeat(65), /nest deeper than 64/],
  ])("refuses %s", (_, xml, message) => {
    expect(() => countJunit(xml)).toThrow(message);
  });

  property.prop([fc.array(fc.constantFrom("", "<failure/>", "<error/>", "<skipped/>"))])(
    "counts what was written",
    (bodies) => {
      const counts = countJunit(
        suite(bodies.map((body) => `<testcase>${body}</testcase>`).join("")),
      );
      expect(counts.tests).toBe(bodies.length);
      expect(counts.failures).toBe(bodies.filter((body) => body === "<failure/>").length);
      expect(counts.errors).toBe(bodies.filter((body) => body === "<error/>").length);
      expect(counts.skipped).toBe(bodies.filter((body) => body === "<skipped/>").length);
    },
  );

  property.prop([fc.string()])("never counts a case in noise", (noise) => {
    let tests = 0;
    try {
      tests = countJunit(noise).tests;
    } catch {
      // Refused, as it should be.
    }
    expect(tests).toBe(0);
  });
});

describe("readJunit", () => {
  test("keeps the digest of the file's bytes", () => {
    const path = join(folder, "good.xml");
    writeFileSync(path, suite("<testcase/>"));
    expect(readJunit(path)).toMatchObject({
      report: "good.xml",
      tests: 1,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test("a report that is not there, not named or too large is a problem, not a crash", () => {
    const large = join(folder, "large.xml");
    writeFileSync(large, "");
    truncateSync(large, 32 * 1024 * 1024 + 1);
    expect(readJunit(null)).toEqual({
      report: null,
      problem: "the release names no unit test report",
    });
    expect(readJunit(join(folder, "absent.xml"))).toEqual({
      report: "absent.xml",
      problem: "there is no file absent.xml",
    });
    expect(readJunit(large)).toEqual({
      report: "large.xml",
      problem: "the report is larger than 32 MiB",
    });
  });
});
