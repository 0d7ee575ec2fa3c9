import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { audit } from "../../../../infra/evidence/readers/audit.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const levels = ["info", "low", "moderate", "high", "critical"] as const;
type Level = (typeof levels)[number];

const none = { info: 0, low: 0, moderate: 0, high: 0, critical: 0 };
const scores = {
  info: "negligible",
  low: "low",
  moderate: "medium",
  high: "high",
  critical: "critical",
};

/** The report of npm on packages; its counts agree unless `counts` says otherwise. */
const npm = (
  vulnerabilities: Record<string, { severity: Level; via: unknown[] }>,
  counts: Record<string, number> = {},
): object => {
  const total = Object.keys(vulnerabilities).length;
  const counted = { ...none, total };
  for (const { severity } of Object.values(vulnerabilities)) counted[severity] += 1;
  return {
    auditReportVersion: 2,
    vulnerabilities,
    metadata: { vulnerabilities: { ...counted, ...counts }, dependencies: { total: 10 } },
  };
};

const pnpm = (advisories: object, counts: object, rest: object = {}): object => ({
  advisories,
  metadata: { vulnerabilities: { ...none, ...counts }, ...rest },
});

const advisory = (severity: Level, source = 1) => ({
  source,
  url: "https://github.com/advisories/GHSA-grv7-fg5c-xmjg",
  severity,
});

/** What comes of a report, as identifier and score. */
const found = (report: object): string[] =>
  readWith(audit, report).facts.scanner.result.map(
    ({ id, severity }) => `${id} ${severity[0]?.score}`,
  );

describe("audit", () => {
  test("reads npm audit: each advisory once, at the time of reading", () => {
    expect(readWith(audit, sample("audit/npm.json"))).toEqual({
      facts: {
        scanner: {
          uri: "https://docs.npmjs.com/cli/commands/npm-audit",
          db: { lastUpdate: "2026-02-01T00:00:00.000Z" },
          result: [
            { id: "GHSA-grv7-fg5c-xmjg", severity: [{ method: "npm", score: "high" }] },
            { id: "GHSA-952p-6rrq-rcjv", severity: [{ method: "npm", score: "medium" }] },
          ],
        },
        metadata: {
          scanStartedOn: "2026-02-01T00:00:00.000Z",
          scanFinishedOn: "2026-02-01T00:00:00.000Z",
        },
      },
      producedAt: null,
    });
  });

  test("reads an npm audit that found nothing", () => {
    expect(readWith(audit, sample("audit/npm-clean.json")).facts.scanner.result).toEqual([]);
  });

  test("reads pnpm audit", () => {
    const { scanner } = readWith(audit, sample("audit/pnpm.json")).facts;
    expect(scanner.uri).toBe("https://pnpm.io/cli/audit");
    expect(scanner.result).toEqual([
      { id: "GHSA-grv7-fg5c-xmjg", severity: [{ method: "pnpm", score: "high" }] },
      { id: "CVE-2024-4067", severity: [{ method: "pnpm", score: "medium" }] },
    ]);
  });

  test.each(levels)("a severity of %s is told in the words of evidence", (level) => {
    expect(found(npm({ a: { severity: level, via: [advisory(level)] } }))).toEqual([
      `GHSA-grv7-fg5c-xmjg ${scores[level]}`,
    ]);
    expect(found(pnpm({ 7: { severity: level } }, { [level]: 1 }))).toEqual([
      `npm:7 ${scores[level]}`,
    ]);
  });

  test("an advisory without an address is told by its number", () => {
    expect(found(npm({ a: { severity: "low", via: [{ source: 7, severity: "low" }] } }))).toEqual([
      "npm:7 low",
    ]);
  });

  test("an advisory of two severities counts with both", () => {
    const via = [advisory("low"), advisory("high"), advisory("high")];
    expect(found(npm({ a: { severity: "high", via } }))).toEqual([
      "GHSA-grv7-fg5c-xmjg low",
      "GHSA-grv7-fg5c-xmjg high",
    ]);
  });

  test.each([
    ["what it counts and lists", { high: 1 }, []],
    ["what it counts for each way", { high: 2 }, []],
    ["what it counts more often than there are ways", { high: 3 }, ["unlisted:high high"]],
    ["what it counts and does not list", { high: 1, critical: 4 }, ["unlisted:critical critical"]],
    [
      "what is for information and not listed by default",
      { high: 1, info: 1 },
      ["unlisted:info negligible"],
    ],
  ])("of pnpm audit it tells %s", (_, counts, unlisted) => {
    const findings = [{ version: "1.0.0", paths: [".>a", ".>b>a"] }];
    const report = pnpm({ 7: { severity: "high", cves: [], findings } }, counts);
    expect(found(report)).toEqual(["npm:7 high", ...unlisted]);
  });

  test.each([
    [
      "npm's failure",
      sample("audit/npm-error.json"),
      "the audit itself failed (ENOLOCK); solve that and run it again",
    ],
    [
      "a failure beside a report",
      { ...npm({}), error: { code: "E503" } },
      "the audit itself failed (E503); solve that and run it again",
    ],
    [
      "a failure that tells an address",
      { error: { code: "https://user:secret@registry.example.com", summary: "secret" } },
      "the audit itself failed; solve that and run it again",
    ],
    [
      "a failure without a code",
      { error: "secret" },
      "the audit itself failed; solve that and run it again",
    ],
    [
      "a failure that is null",
      { error: null },
      "the audit itself failed; solve that and run it again",
    ],
  ])("%s is refused by its code", (_, report, message) => {
    expect(refusal(audit, report)).toBe(message);
  });

  const one = { a: { severity: "high" as const, via: [advisory("high")] } };

  test.each([
    ["an older report of npm", { ...npm({}), auditReportVersion: 1 }, /see auditReportVersion/],
    ["no counts", { ...npm({}), metadata: {} }, /see metadata\.vulnerabilities/],
    [
      "a count that is missing",
      pnpm({}, { high: undefined }),
      /see metadata\.vulnerabilities\.high/,
    ],
    ["a negative count", npm({}, { low: -1 }), /see metadata\.vulnerabilities\.low/],
    ["a count that is a text", pnpm({}, { low: "0" }), /see metadata\.vulnerabilities\.low/],
    [
      "a count that is too low",
      npm(one, { high: 0 }),
      /claims 0 packages of severity high and holds 1/,
    ],
    [
      "a count that is too high",
      npm(one, { low: 1 }),
      /claims 1 packages of severity low and holds 0/,
    ],
    ["a total that is too high", npm(one, { total: 2 }), /claims 2 packages and holds 1/],
    [
      "a count of pnpm that is too low",
      pnpm({ 7: { severity: "high" } }, {}),
      /claims 0 advisories of severity high and holds 1/,
    ],
    [
      "a package that is vulnerable through itself",
      npm({ a: { severity: "high", via: ["a"] } }),
      /no advisory for a/,
    ],
    [
      "packages that are vulnerable through each other",
      npm({ ...one, b: { severity: "low", via: ["c"] }, c: { severity: "low", via: ["b"] } }),
      /no advisory for b/,
    ],
    [
      "a package that is vulnerable through another that is not told",
      npm({ a: { severity: "low", via: ["b"] } }),
      /no advisory for a/,
    ],
    [
      "a package that is vulnerable through nothing",
      npm({ a: { severity: "low", via: [] } }),
      /no advisory for a/,
    ],
    ["an unknown severity", pnpm({ 7: { severity: "bad" } }, {}), /see advisories\.7\.severity/],
    [
      "an unknown severity of an advisory",
      npm({ a: { severity: "high", via: [{ source: 1, severity: "bad" }] } }),
      /see vulnerabilities\.a\.via\.0/,
    ],
    [
      "no dependency",
      {
        ...npm({}),
        metadata: { vulnerabilities: { ...none, total: 0 }, dependencies: { total: 0 } },
      },
      /audited no dependency/,
    ],
    ["no dependency of pnpm", pnpm({}, {}, { totalDependencies: 0 }), /audited no dependency/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(audit, report)).toMatch(message);
  });

  test("a long way from a package to its advisory is followed at once", () => {
    const size = 20_000;
    const packages = Object.fromEntries(
      Array.from({ length: size }, (_, at) => [
        `p${at}`,
        {
          severity: "low" as const,
          via: at === size - 1 ? [advisory("low")] : [`p${at + 1}`, "p0"],
        },
      ]),
    );
    expect(found(npm(packages))).toHaveLength(1);
  });

  property.prop([fc.array(fc.constantFrom(...levels), { maxLength: 20 })])(
    "no advisory is lost",
    (severities) => {
      const packages = Object.fromEntries(
        severities.map((severity, at) => [
          `p${at}`,
          { severity, via: [{ source: at, severity }, ...(at > 0 ? [`p${at - 1}`] : [])] },
        ]),
      );
      expect(found(npm(packages))).toEqual(severities.map((one, at) => `npm:${at} ${scores[one]}`));
    },
  );

  describeBadBytes(audit, sample("audit/npm.json"));
  describeBadJson(audit, sample("audit/npm.json"));
  describeBadJson(audit, sample("audit/pnpm.json"));
});
