import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { predicates } from "../../../policies/contract/predicates.ts";
import { releaseSubjects } from "../../../policies/contract/statement.ts";
import { nothingAttested, type Attested } from "../../../policies/evidence/attested.ts";
import { verdictOf, type Finding } from "../../../policies/gate.ts";
import { seriesAgainstBaseline as kind } from "../../../policies/kinds/series-against-baseline.ts";
import { expectReadable } from "../../support/gate-tester.ts";
import { expectHarmless, hostileNames, sampleMeta, sampleNow } from "../../support/kind-tester.ts";
import { readyFacts, sampleChecklist } from "../../support/samples.ts";
import { anyEvidence, anyRequest } from "./arbitraries.ts";

type Report = Readonly<Record<string, readonly (readonly [number, number | null])[]>>;

/** Ten minutes with a sample every minute, 11 in all. */
function steady(value: number, change: Readonly<Record<number, number | null>> = {}) {
  return Array.from(
    { length: 11 },
    (_, minute) =>
      [
        sampleNow / 1000 - 600 + minute * 60,
        Object.hasOwn(change, minute) ? (change[minute] as number | null) : value,
      ] as const,
  );
}

const requires = {
  series: "p95",
  baseline: "latency-before",
  of: "mean",
  over: "10m",
  every: "1m",
  atMost: 1.2,
  rollbackAbove: 2,
};

/** The statement of a baseline of the day before, with what differs from one that can be used. */
function baseline(report: Report, changes: Readonly<Record<string, unknown>> = {}) {
  const { name = "latency-before", release = {}, type = predicates.series.type } = changes;
  const { earlier = 86_400 } = changes;
  const series = Object.fromEntries(
    Object.entries(report).map(([one, samples]) => [
      one,
      samples.map(([at, value]) => [typeof at === "number" ? at - (earlier as number) : at, value]),
    ]),
  );
  const content = { ...sampleMeta, evidence: name as string };
  return {
    document: "latency-before.intoto.jsonl",
    statement: {
      _type: "https://in-toto.io/Statement/v1" as const,
      subject: releaseSubjects({ ...readyFacts.release, ...(release as object) }),
      predicateType: type as string,
      predicate: { series, cutover: content },
    },
    content,
  };
}

interface Given {
  readonly now?: Report;
  readonly before?: readonly ReturnType<typeof baseline>[];
  readonly refused?: Attested["refused"];
  readonly asked?: Readonly<Record<string, unknown>>;
}

function judge({ now, before, refused = [], asked = {} }: Given): Finding[] {
  const request = kind.requires.parse({ ...requires, ...asked });
  const predicate = predicates.series.schema.parse({
    cutover: sampleMeta,
    series: now ?? { p95: steady(0.2) },
  });
  const attested = {
    ...nothingAttested,
    evidence: before ?? [baseline({ p95: steady(0.2) })],
    refused,
  };
  const context = {
    facts: readyFacts,
    now: sampleNow,
    phase: readyFacts.phase,
    checklist: sampleChecklist,
    clockScale: 1,
    attested,
  };
  return kind.judge(predicate, request, context).map((reason) => ({
    subject: "release v1.1.0",
    required: kind.required(request),
    remedy: "produce it again, and sign it",
    ...reason,
  }));
}

const neither = "which is neither fine nor a reason to roll back";
const remade = "npx cutover attest latency-before --format prometheus --report <file>";

describe("series-against-baseline", () => {
  test("says what it requires", () => {
    expect(kind.required(kind.requires.parse(requires))).toBe(
      "the mean of p95 at most 1.2 times its baseline latency-before, over 10 minutes or more, " +
        "with a sample every 1 minute; a rollback when it is above 2 times",
    );
    expect(kind.title).toMatch(/^[A-Z].+\.$/);
  });

  test.each<[string, Given]>([
    ["as much as before", {}],
    ["just as much as is allowed", { now: { p95: steady(0.24) } }],
    ["nothing any more", { now: { p95: steady(0) } }],
    ["one that is high where the mean counts", { now: { p95: steady(0.2, { 3: 0.6 }) } }],
    [
      "the last where the last counts",
      { now: { p95: steady(0.9, { 10: 0.2 }) }, asked: { of: "last" } },
    ],
    [
      "the highest where the highest counts",
      {
        now: { p95: steady(0.1, { 3: 0.7 }) },
        before: [baseline({ p95: steady(0.1, { 9: 0.7 }) })],
        asked: { of: "highest" },
      },
    ],
    [
      "every sample against the mean",
      { now: { p95: steady(0.24, { 3: 0.1 }) }, asked: { of: "every" } },
    ],
    [
      "each series where none is named",
      {
        now: { p95: steady(0.2), p99: steady(0.4) },
        before: [baseline({ p95: steady(0.2), p99: steady(0.4), other: [] })],
        asked: { series: undefined },
      },
    ],
    [
      "two baselines that agree",
      { before: [baseline({ p95: steady(0.2) }), baseline({ p95: steady(0.21) })] },
    ],
    [
      "a baseline that ends when it begins",
      { before: [baseline({ p95: steady(0.2) }, { earlier: 600 })] },
    ],
    [
      "other evidence that cannot be used",
      {
        before: [
          baseline({ p95: steady(0.2) }),
          baseline({}, { name: "another", type: predicates.metrics.type }),
        ],
        refused: [{ document: "a.jsonl", claims: "another", why: "nobody signed it" }],
      },
    ],
  ])("passes: %s", (_, given) => {
    expect(judge(given)).toEqual([]);
  });

  test.each<[string, Given, "fail" | "inconclusive", string]>([
    [
      "a little more than is allowed",
      { now: { p95: steady(0.2402) } },
      "inconclusive",
      `hold and ask: p95 is 1.201 times its baseline, ${neither}`,
    ],
    [
      "as much as is not bad yet",
      { now: { p95: steady(0.4) } },
      "inconclusive",
      `hold and ask: p95 is 2 times its baseline, ${neither}`,
    ],
    [
      "too much",
      { now: { p95: steady(0.42) } },
      "fail",
      "roll back: p95 was 2.1 times its baseline, above 2",
    ],
    [
      "too much, where nothing is a reason to roll back",
      { now: { p95: steady(0.42) }, asked: { rollbackAbove: undefined } },
      "fail",
      "p95 is 2.1 times its baseline, over 1.2",
    ],
    [
      "one sample that is too much",
      { now: { p95: steady(0.2, { 3: 0.5, 4: 0.45 }) }, asked: { of: "every" } },
      "fail",
      "roll back: p95 was 2.5 times its baseline, above 2",
    ],
    ["no baseline", { before: [] }, "inconclusive", "there is no baseline latency-before"],
    [
      "a baseline that nobody vouches for",
      {
        before: [],
        refused: [{ document: "a.jsonl", claims: "latency-before", why: "nobody signed it" }],
      },
      "inconclusive",
      "baseline latency-before (a.jsonl): nobody signed it",
    ],
    [
      "a baseline that nobody vouches for beside one that counts",
      { refused: [{ document: "a.jsonl", claims: "latency-before", why: "nobody signed it" }] },
      "inconclusive",
      "baseline latency-before (a.jsonl): nobody signed it",
    ],
    [
      "the baseline of another release",
      {
        before: [
          baseline({ p95: steady(9) }, { release: { version: "v1.0.0", digest: "0".repeat(64) } }),
        ],
      },
      "inconclusive",
      "baseline latency-before (latency-before.intoto.jsonl): " +
        "it is about another release (v1.0.0)",
    ],
    [
      "a baseline of another type",
      { before: [baseline({ p95: steady(9) }, { type: predicates.metrics.type })] },
      "inconclusive",
      "baseline latency-before (latency-before.intoto.jsonl): " +
        `it is a statement of another type than ${predicates.series.type}`,
    ],
    [
      "a baseline of another shape",
      { before: [baseline({ p95: [["then", 1]] } as never)] },
      "inconclusive",
      "baseline latency-before (latency-before.intoto.jsonl): its predicate has another shape",
    ],
    [
      "itself",
      {
        before: [baseline({ p95: steady(0.2) }, { name: "sample" })],
        asked: { baseline: "sample" },
      },
      "inconclusive",
      "it is compared with itself, evidence sample",
    ],
    [
      "the same report under another name",
      {
        now: { p95: steady(9) },
        before: [baseline({ p95: steady(9) }, { earlier: 0 })],
      },
      "inconclusive",
      "in the baseline, p95 ends at 2026-03-02T12:00:00Z, after 2026-03-02T11:50:00Z",
    ],
    [
      "a baseline that was measured afterwards",
      { now: { p95: steady(9) }, before: [baseline({ p95: steady(9) }, { earlier: -86_400 })] },
      "inconclusive",
      "in the baseline, p95 ends at 2026-03-03T12:00:00Z, after 2026-03-02T11:50:00Z",
    ],
    [
      "a baseline of nothing",
      { before: [baseline({ p95: steady(0) })] },
      "inconclusive",
      "in the baseline, p95 is 0: it has no ratio",
    ],
    [
      "nothing and a baseline of nothing",
      { now: { p95: steady(0) }, before: [baseline({ p95: steady(0) })] },
      "inconclusive",
      "in the baseline, p95 is 0: it has no ratio",
    ],
    [
      "a baseline below zero",
      { before: [baseline({ p95: steady(-0.2) })] },
      "inconclusive",
      "in the baseline, p95 is -0.2 at 2026-03-01T11:50:00Z, which is below zero, and 10 more faults",
    ],
    [
      "a baseline without the series",
      { before: [baseline({ p99: steady(0.2) })] },
      "inconclusive",
      "in the baseline, series p95 is not in the report",
    ],
    [
      "a baseline that is too short",
      { before: [baseline({ p95: steady(0.2).slice(1) })] },
      "inconclusive",
      "in the baseline, p95 spans 9 minutes, less than 10 minutes",
    ],
    [
      "a baseline with a gap",
      { before: [baseline({ p95: steady(0.2).toSpliced(4, 1) })] },
      "inconclusive",
      "in the baseline, p95 has no sample for 2 minutes after 2026-03-01T11:53:00Z",
    ],
    [
      "one of two baselines is passed by",
      { before: [baseline({ p95: steady(0.2) }), baseline({ p95: steady(0.05) })] },
      "fail",
      "roll back: p95 was 4 times its baseline, above 2",
    ],
    [
      "a value that was not measured",
      { now: { p95: steady(0.2, { 3: null }) } },
      "inconclusive",
      "p95 has no value at 2026-03-02T11:53:00Z",
    ],
    [
      "a gap",
      { now: { p95: steady(0.2).toSpliced(4, 1) } },
      "inconclusive",
      "p95 has no sample for 2 minutes after 2026-03-02T11:53:00Z",
    ],
    [
      "an end that comes too early",
      { now: { p95: steady(0.2).slice(0, -1) } },
      "inconclusive",
      "p95 spans 9 minutes, less than 10 minutes",
    ],
    ["no series", { now: {} }, "inconclusive", "series p95 is not in the report"],
    [
      "no series where none is named",
      { now: {}, asked: { series: undefined } },
      "inconclusive",
      "it holds no series",
    ],
  ])("fails: %s", (_, given, verdict, found) => {
    const findings = judge(given);
    expect(findings.map((finding) => finding.found)).toContain(found);
    expect(verdictOf(findings)).toBe(verdict);
    findings.forEach(expectReadable);
  });

  test("says how to make the baseline, and that a person decides", () => {
    expect(judge({ before: [] })[0]?.remedy).toBe(remade);
    expect(judge({ now: { p95: steady(0.3) } })[0]?.remedy).toMatch(
      /^decide now: roll back, or .+/,
    );
  });

  test.each(Object.entries(hostileNames))("stays harmless with a name that is %s", (_, name) => {
    const series = name === "__proto__" ? "proto" : name;
    const given: Given[] = [
      { now: { [series]: steady(0.3) }, before: [baseline({ [series]: steady(0.2) })] },
      { now: { [series]: steady(0.3) } },
      { refused: [{ document: name, claims: "latency-before", why: "nobody signed it" }] },
    ];
    for (const one of given) {
      const findings = judge({ ...one, asked: { series: undefined } });
      expect(findings).not.toEqual([]);
      findings.forEach(expectHarmless);
    }
  });

  test.each(
    Object.entries({
      "an unknown key": { unknownKey: 1 },
      "no baseline": { baseline: undefined },
      "a baseline that is no name": { baseline: "Before it" },
      "a ratio of nothing": { atMost: 0 },
      "a ratio below zero": { atMost: -1 },
      "a ratio beyond every number": { atMost: Infinity },
      "a ratio in words": { atMost: "120%" },
      "a bad ratio that is fine": { rollbackAbove: 1.1 },
      "another aggregate": { of: "median" },
      "a distance that is longer than the whole": { every: "1h" },
      "no length": { over: undefined },
    }),
  )("a checklist may not ask: %s", (_, asked) => {
    expect(kind.requires.safeParse({ ...requires, ...asked }).success).toBe(false);
  });

  test("the mean is compared where nothing is said of it", () => {
    expect(kind.requires.parse({ ...requires, of: undefined }).of).toBe("mean");
  });

  test("has a JSON Schema for editors that describes every key and allows no other", () => {
    const schema = z.toJSONSchema(kind.requires, { io: "input" });
    expect(schema.additionalProperties).toBe(false);
    for (const property of Object.values(schema.properties ?? {})) {
      expect((property as { description?: string }).description).toMatch(/^[a-z].+[^.]$/);
    }
  });

  const reports = fc.tuple(anyEvidence.series, anyEvidence.series, fc.boolean());

  test("judges whatever its types allow, in words that are harmless, and opens for some", () => {
    const opened: boolean[] = [];
    fc.assert(
      fc.property(
        reports,
        anyRequest[kind.kind] as fc.Arbitrary<object>,
        ([now, other, same], asked) => {
          const before = [baseline((same ? now : other).series, { name: "baseline" })];
          const findings = judge({ now: now.series, before, asked: asked as never });
          findings.forEach(expectHarmless);
          opened.push(findings.length === 0);
        },
      ),
      { numRuns: 1000, seed: 1 },
    );
    expect(new Set(opened)).toEqual(new Set([true, false]));
  });

  test("a higher sample opens nothing that is closed", () => {
    const value = fc.double({ min: 0, max: 10, noNaN: true });
    const values = fc.array(value, { minLength: 11, maxLength: 11 });
    const of = fc.constantFrom("every", "last", "mean", "highest");
    fc.assert(
      fc.property(values, of, fc.nat({ max: 10 }), value, (all, aggregate, at, more) => {
        const report = (change: object) => ({
          now: { p95: steady(0, { ...Object.fromEntries(all.entries()), ...change }) },
          before: [baseline({ p95: steady(5) })],
          asked: { of: aggregate },
        });
        const isOpen = judge(report({ [at]: (all[at] ?? 0) + more })).length === 0;
        expect(!isOpen || judge(report({})).length === 0).toBe(true);
      }),
    );
  });
});
