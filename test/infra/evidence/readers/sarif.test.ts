import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { sarif } from "../../../../infra/evidence/readers/sarif.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const commit = "9f2c1e7b4a6d8035c1e2f3a4b5c6d7e8f9012345";
const driver = { name: "Linter", version: "1.2.3", rules: [{ id: "no-eval" }] };
const finding = { ruleId: "no-eval", message: { text: "eval can be harmful" } };

const run = (rest: object): object => ({ tool: { driver }, results: [], ...rest });
const log = (...runs: object[]): object => ({ version: "2.1.0", runs: runs.map(run) });

/** The findings that come of one result. */
const found = (result: object, rest: object = {}) =>
  readWith(sarif, log({ results: [{ ...finding, ...result }], ...rest })).facts.result;

describe("sarif", () => {
  test("reads what CodeQL finds: levels of rules, places, commit and time", () => {
    expect(readWith(sarif, sample("sarif/codeql.sarif"))).toEqual({
      facts: {
        tool: { name: "CodeQL", version: "2.20.1" },
        result: [
          { rule: "js/sql-injection", level: "error", location: "src/orders.ts:42" },
          { rule: "js/unused-local-variable", level: "note", location: "src/totals.ts:3" },
          { rule: "js/useless-assignment", level: "warning" },
        ],
      },
      producedAt: "2026-01-31T12:00:00.000Z",
      about: { commit },
    });
  });

  test("reads what ESLint finds, without what was suppressed and without paths of a machine", () => {
    expect(readWith(sarif, sample("sarif/eslint.sarif"))).toEqual({
      facts: {
        tool: { name: "ESLint", version: "9.18.0" },
        result: [{ rule: "no-eval", level: "error" }],
      },
      producedAt: null,
      about: {},
    });
  });

  test("an analysis that found nothing has no findings", () => {
    expect(readWith(sarif, log({})).facts.result).toEqual([]);
  });

  describe("the level", () => {
    const rules = [
      { id: "a", defaultConfiguration: { level: "note" } },
      { id: "b", defaultConfiguration: { level: "error" } },
    ];
    const tool = { driver: { ...driver, rules: [] }, extensions: [{ name: "more", rules }] };
    const overrides = [
      { descriptor: { id: "a" }, configuration: { level: "error" } },
      { descriptor: { id: "unknown" }, configuration: { level: "error" } },
    ];
    const invocations = [
      { executionSuccessful: true },
      { executionSuccessful: true, ruleConfigurationOverrides: overrides },
    ];

    test.each<[string, object, object, string]>([
      ["its own before that of its rule", { ruleId: "b", level: "note" }, {}, "note"],
      ["that of its rule by name", { ruleId: "b" }, {}, "error"],
      ["that of its rule by the start of its name", { ruleId: "b/1/2" }, {}, "error"],
      [
        "that of its rule by place",
        { rule: { index: 1, toolComponent: { index: 0 } } },
        { tool },
        "error",
      ],
      [
        "that of the tool itself, where an extension has the same rule",
        { ruleId: "b" },
        {
          tool: {
            driver: { ...driver, rules: [{ ...rules[1], id: "b" }] },
            extensions: [{ name: "more", rules: [{ id: "b" }] }],
          },
        },
        "error",
      ],
      ["that of its rule in an extension by name", { ruleId: "b" }, { tool }, "error"],
      [
        "that of the named rule, where its place is another's",
        { ruleId: "b", ruleIndex: 0 },
        {},
        "error",
      ],
      ["a warning where the rule is unknown", { ruleId: "c" }, {}, "warning"],
      ["a warning where the place is beyond the rules", { ruleIndex: 7 }, {}, "warning"],
      ["none where the tool left it open", { ruleId: "b", kind: "open" }, {}, "none"],
      ["none where it is for review", { ruleId: "b", kind: "review" }, {}, "none"],
      [
        "what its invocation set for its rule",
        { ruleId: "a", provenance: { invocationIndex: 1 } },
        { invocations },
        "error",
      ],
      [
        "that of its rule, where another invocation set it otherwise",
        { ruleId: "a", provenance: { invocationIndex: 0 } },
        { invocations },
        "note",
      ],
    ])("is %s", (_, result, rest, level) => {
      const one = { message: finding.message, ...result };
      const whole = log({ tool: { driver: { ...driver, rules } }, results: [one], ...rest });
      expect(readWith(sarif, whole).facts.result).toMatchObject([{ level }]);
    });
  });

  test.each<[string, object, number]>([
    ["passed", { kind: "pass" }, 0],
    ["passed, of level none", { kind: "pass", level: "none" }, 0],
    ["passed and yet an error", { kind: "pass", level: "error" }, 1],
    ["is for information", { kind: "informational" }, 0],
    ["does not apply", { kind: "notApplicable" }, 0],
    ["failed", { kind: "fail" }, 1],
    ["is new", { baselineState: "new" }, 1],
    ["is unchanged", { baselineState: "unchanged" }, 1],
    ["is gone", { baselineState: "absent" }, 0],
    ["is suppressed", { suppressions: [{ kind: "inSource" }] }, 0],
    ["is accepted", { suppressions: [{ kind: "external", status: "accepted" }] }, 0],
    ["may be accepted", { suppressions: [{ kind: "external", status: "underReview" }] }, 1],
    ["was not accepted", { suppressions: [{ kind: "external", status: "rejected" }] }, 1],
    [
      "is suppressed in one place and rejected in another",
      { suppressions: [{ kind: "inSource" }, { kind: "external", status: "rejected" }] },
      1,
    ],
    ["is not suppressed", { suppressions: [] }, 1],
  ])("of what %s comes the right number of findings", (_, result, count) => {
    expect(found(result)).toHaveLength(count);
  });

  test.each([
    ["src/a.ts", 7, "src/a.ts:7"],
    ["src/a.ts", undefined, "src/a.ts"],
    ["/home/somebody/a.ts", 7, undefined],
    ["file:///home/somebody/a.ts", 7, undefined],
    ["C:/Users/somebody/a.ts", 7, undefined],
    ["C:\\Users\\somebody\\a.ts", 7, undefined],
    ["\\\\server\\a.ts", 7, undefined],
    ["../../home/somebody/a.ts", 7, undefined],
    ["%2Fhome%2Fsomebody%2Fa.ts", 7, undefined],
    ["~/a.ts", 7, undefined],
    ["", 7, undefined],
    ["x".repeat(1100), 7, undefined],
    [undefined, 7, undefined],
  ])("the place of %s is told within the repository only", (uri, startLine, location) => {
    const physicalLocation = {
      artifactLocation: uri === undefined ? {} : { uri },
      region: startLine === undefined ? {} : { startLine },
    };
    expect(found({ locations: [{ physicalLocation }] })[0]?.location).toBe(location);
  });

  test("several runs become one: names joined, versions left out, the earliest end", () => {
    const other = { driver: { name: "Scanner" } };
    const ended = (...times: string[]) => ({
      invocations: times.map((endTimeUtc) => ({ executionSuccessful: true, endTimeUtc })),
    });
    const read = readWith(
      sarif,
      log(
        { results: [finding], ...ended("2026-01-31T10:00:00Z", "2026-01-31T12:00:00Z") },
        { results: [finding], tool: other, ...ended("2026-01-31T11:00:00Z") },
        { results: [] },
      ),
    );
    expect(read.facts.tool).toEqual({ name: "Linter + Scanner" });
    expect(read.facts.result).toHaveLength(2);
    expect(read.producedAt).toBe("2026-01-31T11:00:00.000Z");
  });

  test("runs of one tool keep its version, unless they differ", () => {
    expect(readWith(sarif, log({}, {})).facts.tool).toEqual({ name: "Linter", version: "1.2.3" });
    const older = { driver: { ...driver, version: "1.2.2" } };
    expect(readWith(sarif, log({}, { tool: older })).facts.tool).toEqual({ name: "Linter" });
  });

  const provenance = (...revisions: string[]): object => ({
    versionControlProvenance: revisions.map((revisionId) => ({
      repositoryUri: "https://github.com/example/orders",
      revisionId,
    })),
  });

  test.each([
    ["a commit", [commit], { commit }],
    ["a commit in capitals", [commit.toUpperCase()], { commit }],
    ["one commit twice", [commit, commit], { commit }],
    ["a short commit", [commit.slice(0, 12)], {}],
    ["a branch", ["main"], {}],
  ])("of %s it tells what it is about", (_, revisions, about) => {
    expect(readWith(sarif, log(provenance(...revisions))).about).toEqual(about);
  });

  test.each([
    ["no runs", log(), /it holds no run/],
    ["another version", { ...log({}), version: "2.0.0" }, /see version/],
    [
      "no list of results",
      { version: "2.1.0", runs: [{ tool: { driver } }] },
      /Linter gave no list/,
    ],
    [
      "null for results",
      { version: "2.1.0", runs: [{ tool: { driver }, results: null }] },
      /no list/,
    ],
    [
      "a run that did not end well",
      log({ invocations: [{ executionSuccessful: true }, { executionSuccessful: false }] }),
      /Linter did not end well/,
    ],
    [
      "an invocation that does not say how it ended",
      { version: "2.1.0", runs: [{ ...run({}), invocations: [{}] }] },
      /see runs\.0\.invocations\.0\.executionSuccessful/,
    ],
    [
      "results in another file",
      log({ externalPropertyFileReferences: { results: [{ guid: "x" }] } }),
      /outside of its runs/,
    ],
    [
      "results beside the runs",
      { ...log({}), inlineExternalProperties: [{}] },
      /outside of its runs/,
    ],
    ["two commits", log(provenance(commit, commit.replace("9", "8"))), /about 2 commits/],
    [
      "two commits in two runs",
      log(provenance(commit), provenance("0".repeat(40))),
      /about 2 commits/,
    ],
    [
      "a time that is none",
      log({ invocations: [{ executionSuccessful: true, endTimeUtc: "today" }] }),
      /time that is none/,
    ],
    ["an unknown level", log({ results: [{ ...finding, level: "bad" }] }), /results\.0\.level/],
    ["an unknown kind", log({ results: [{ ...finding, kind: "maybe" }] }), /results\.0\.kind/],
    [
      "an unknown state of a suppression",
      log({
        results: [{ ...finding, suppressions: [{ kind: "inSource", status: "maybe" }] }],
      }),
      /suppressions\.0\.status/,
    ],
    ["an empty rule", log({ results: [{ ...finding, ruleId: "" }] }), /results\.0\.ruleId/],
    [
      "a long rule",
      log({ results: [{ ...finding, ruleId: "x".repeat(513) }] }),
      /results\.0\.ruleId/,
    ],
    [
      "a negative index",
      log({ results: [{ ...finding, ruleIndex: -2 }] }),
      /results\.0\.ruleIndex/,
    ],
    [
      "more findings than evidence holds",
      log({ results: Array.from({ length: 50_001 }, () => finding) }),
      /see result: .*50000/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(sarif, report)).toMatch(message);
  });

  property.prop([fc.array(fc.constantFrom("error", "warning", "note", "none"))])(
    "each result keeps its level",
    (levels) => {
      const results = levels.map((level) => ({ ...finding, level }));
      const { result } = readWith(sarif, log({ results })).facts;
      expect(result.map(({ level }) => level)).toEqual(levels);
    },
  );

  describeBadBytes(sarif, sample("sarif/codeql.sarif"));
  describeBadJson(sarif, sample("sarif/codeql.sarif"));
});
