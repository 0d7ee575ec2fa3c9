import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Attested } from "../../policies/evidence/attested.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import { predicates } from "../../policies/contract/predicates.ts";
import type { Reading } from "../../policies/contract/readings.ts";
import type { Verdict } from "../../policies/contract/verdict.ts";
import { verdictOf, type Finding, type Reason } from "../../policies/gate.ts";
import type { Kind } from "../../policies/kind.ts";
import { kinds } from "../../policies/kinds.ts";
import { expectReadable } from "./gate-tester.ts";
import { nothingAttested } from "../../policies/evidence/attested.ts";
import { Run } from "../../policies/run.ts";
import { openWorld, readyFacts, sampleChecklist, type SampleResource } from "./samples.ts";

type Entries = Readonly<Record<string, unknown>>;

/** What differs from the open sample: entries replace, and `undefined` takes away. */
export interface KindSample {
  readonly requires?: Entries;
  /** Of the predicate or the reading. */
  readonly given?: Entries;
  readonly facts?: Partial<GuardFacts> & Entries;
}

/** The samples of one kind. */
export interface KindSamples {
  /** What a checklist asks, as it is written there. */
  readonly requires: Entries;
  /** The end of the line "Required: " for it. */
  readonly required: string;
  /** A predicate without what its evidence says of itself, or a reading, that passes. */
  readonly given: Entries;
  readonly facts?: KindSample["facts"];
  readonly passes: Readonly<Record<string, KindSample>>;
  /** What is wrong, and how the kind must say so. */
  readonly fails: Readonly<Record<string, readonly [KindSample, Verdict, string]>>;
  /** What a checklist may not ask, beside what no kind may be asked. */
  readonly refuses: Readonly<Record<string, Entries>>;
  /** A sample that is closed and has this name wherever a name can stand. */
  readonly hostile: (name: string) => KindSample;
}

/** The kind of this name. */
export function kindNamed(name: string): Kind {
  const kind = kinds.find((one) => one.kind === name);
  if (kind === undefined) throw new Error(`policies/kinds.ts has no ${name}`);
  return kind;
}

/** When the samples are judged. */
export const sampleNow = openWorld().now;

/** A time so many seconds before the samples are judged; after it where it is below zero. */
export function ago(seconds: number): string {
  return new Date(sampleNow - seconds * 1000).toISOString();
}

/** What every piece of evidence says of itself. */
export const sampleMeta = {
  evidence: "sample",
  producedAt: "2026-03-02T11:00:00Z",
  report: { name: "report", format: "sample", digest: { sha256: "0a".repeat(32) } },
};

/** Names that want to be more than names. */
export const hostileNames: Readonly<Record<string, string>> = {
  "a colour": "\u001B[31mred\u001B[0m",
  "a colour in one character": "\u009B31mred",
  "a window title": "\u001B]0;title\u0007name",
  "a link": "\u001B]8;;https://example.com\u001B\\name\u001B]8;;\u001B\\",
  "a cleared screen": "\u001B[2J\u001B[Hname",
  "a sequence in two parts": "\u001B\u200B[31mname",
  "lines of its own": "name\nRequired: nothing.\r\nTo do: pulumi destroy",
  "other ends of lines": "name\u2028Required: nothing.\u2029\u0085\u000B\u000Cend",
  "a line that is written over": "name\rFound: nothing",
  backspaces: "name\b\b\b\bpass",
  "an order of letters turned round": "name\u202Eeman\u2066name",
  "no letters": "\u0000\u0001\u200B",
  "white space only": " \t\n ",
  "a command to a runner": "name ::stop-commands::x ##[error]x ##vso[task.complete]x",
  "a command to a runner at its begin": "::warning::name",
  "half a character": "name\uD83D",
  "one long word": "n".repeat(512),
  "many words": "name ".repeat(100).trim(),
  "emojis at every place of a cut": "😀".repeat(200),
  "a key of every object": "__proto__",
  "another key of every object": "constructor",
};

/** Judges a sample as a gate would: the request by the kind's schema, the evidence by its predicate's. */
export function judgeSample(kind: Kind, samples: KindSamples, sample: KindSample): Finding[] {
  const requires = kind.requires.parse(merged(samples.requires, sample.requires));
  const facts = { ...readyFacts, ...samples.facts, ...sample.facts };
  const reasons = judgeBy(kind, merged(samples.given, sample.given), requires, facts);
  return reasons.map((reason) => ({
    subject: `release ${facts.release.version}`,
    required: kind.required(requires),
    remedy: "produce it again, and sign it",
    ...reason,
  }));
}

/** Judges what a kind is given, at the time of the samples. */
export function judgeBy(
  kind: Kind,
  given: Entries,
  requires: unknown,
  facts: GuardFacts = readyFacts,
): readonly Reason[] {
  const context = {
    facts,
    now: sampleNow,
    phase: facts.phase,
    checklist: sampleChecklist,
    clockScale: 1,
    attested: nothingAttested,
  };
  if (kind.judges === "resources") return kind.judge(seenOf(given), requires, context);
  if (kind.judges === "reading") return kind.judge(given as unknown as Reading, requires, context);
  if (kind.judges === "release") return kind.judge(given as unknown as Attested, requires, context);
  const predicate = predicates[kind.judges].schema.parse({ cutover: sampleMeta, ...given });
  return kind.judge(predicate, requires, context);
}

/** Declared resources by short name, as the pack has seen them. */
export function seenOf(resources: Readonly<Record<string, unknown>>): Run {
  const run = new Run();
  for (const [name, resource] of Object.entries(resources)) {
    const { type, props } = resource as SampleResource;
    run.see({ urn: `urn:pulumi:production::cutover::${type}::${name}`, type, name, props });
  }
  return run;
}

/**
 * Tests a kind on its samples, and on what every kind owes: its schema says what it is for, and refuses what is unknown,
 * below zero, no number or empty; its messages are complete, fit the screen, show no secret and obey no name.
 */
export function testKind(name: string, samples: KindSamples): void {
  const kind = kindNamed(name);
  const { requires, passes, fails, refuses, hostile } = samples;
  if (Object.keys(passes).length === 0 || Object.keys(fails).length === 0) {
    throw new Error(`${kind.kind} needs samples that pass and samples that fail`);
  }
  describe.each([kind.kind])("%s", () => {
    test("passes the open sample and says what it requires", () => {
      expect(judgeSample(kind, samples, {})).toEqual([]);
      expect(kind.required(kind.requires.parse(requires))).toBe(samples.required);
      expect(kind.title).toMatch(/^[A-Z].+\.$/);
    });

    test.each(Object.entries(passes))("passes: %s", (_, sample) => {
      expect(judgeSample(kind, samples, sample)).toEqual([]);
    });

    test.each(Object.entries(fails))("fails: %s", (_, [sample, verdict, found]) => {
      const findings = judgeSample(kind, samples, sample);
      expect(findings.map((finding) => finding.found)).toContain(found);
      expect(verdictOf(findings)).toBe(verdict);
      findings.forEach(expectReadable);
    });

    test.each(Object.entries(hostileNames))("stays harmless with a name that is %s", (_, name) => {
      const findings = judgeSample(kind, samples, hostile(name));
      expect(findings).not.toEqual([]);
      findings.forEach(expectHarmless);
    });

    test.each(Object.entries({ ...refuses, "an unknown key": { unknownKey: 1 } }))(
      "a checklist may not ask: %s",
      (_, asked) => {
        expect(kind.requires.safeParse(merged(requires, asked)).success).toBe(false);
      },
    );

    test.each(Object.keys(requires))("no checklist gives %s a value of no use", (key) => {
      const taken = Object.entries(neverTaken).filter(
        ([, value]) => kind.requires.safeParse({ ...requires, [key]: value }).success,
      );
      expect(taken).toEqual([]);
    });

    test("has a JSON Schema for editors that describes every key and allows no other", () => {
      const schema = z.toJSONSchema(kind.requires, { io: "input" });
      expect(schema.additionalProperties).toBe(false);
      const properties = Object.entries(schema.properties ?? {});
      expect(properties).not.toEqual([]);
      for (const [key, property] of properties) {
        expect([key, (property as { description?: string }).description]).toEqual([
          key,
          expect.stringMatching(/^[a-z].+[^.]$/),
        ]);
      }
    });
  });
}

/** Expects a message to be readable, and to hold nothing that a terminal or a CI runner obeys. */
export function expectHarmless(finding: Finding): void {
  expectReadable(finding);
  const text = `${finding.found} ${finding.required}`;
  expect(text).not.toMatch(/\p{C}|[\u2028\u2029]|(?:^|\s)::|##/u);
}

function merged(entries: Entries, changes: Entries = {}): Entries {
  return Object.fromEntries(
    Object.entries({ ...entries, ...changes }).filter(([, value]) => value !== undefined),
  );
}

/** Values that no key of any kind takes. */
const neverTaken: Readonly<Record<string, unknown>> = {
  "nothing (null)": null,
  "less than nothing": -1,
  "not a number": Number.NaN,
  "beyond every number": Number.POSITIVE_INFINITY,
  "an empty list": [],
  "an empty record": {},
  "a list with an empty text": [""],
  "a list in a list": [[]],
};
