import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { gatesOf } from "../../policies/checklist-gates.ts";
import type { Checklist, ChecklistGate } from "../../policies/contract/checklist.ts";
import { evidenceDigest } from "../../policies/contract/documents.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import type { Phase } from "../../policies/contract/phase.ts";
import { predicates, type EvidencePredicate } from "../../policies/contract/predicates.ts";
import { releaseSubjects } from "../../policies/contract/statement.ts";
import type { Attested, Told } from "../../policies/evidence/attested.ts";
import { judgeGate, type Finding, type Gate } from "../../policies/gate.ts";
import type { Seen } from "../../policies/run.ts";
import { seenOf } from "./kind-tester.ts";
import { readyFacts } from "./samples.ts";

type Entries = Record<string, unknown>;

const entries = z.record(z.string(), z.unknown());
const named = z.record(z.string(), entries.nullable()).optional();

/** What the gates are shown, or what differs from it: entries replace, and null takes away. */
const world = {
  /** Of the guard's facts; merged at every depth. */
  facts: entries.optional(),
  /** Predicates by the name of the evidence, each under the name of its type; `producedAt` says when. */
  evidence: named,
  /** Readings by name: `subject` and `value`. */
  readings: named,
  /** Approvals by role: `approver` and `signedAt`. */
  approvals: named,
  /** Principals that the allowed signers know. */
  people: z.array(z.string()).optional(),
  /** Declared resources by name: `type` and `props`. */
  resources: named,
};

const samplesSchema = z.strictObject({
  system: z.string(),
  /** What all gates are shown when all is well. */
  passing: z.strictObject({
    ...world,
    /** What differs in one phase. */
    phases: z.record(z.string(), z.strictObject(world)).optional(),
  }),
  /** What is wrong, by the gate that it closes. */
  failing: z.record(
    z.string(),
    z
      .array(
        z.strictObject({
          /** What is wrong. */
          name: z.string(),
          /** Words of what the gate says that it found. */
          says: z.string().min(4),
          ...world,
          /** What differs in rows of the checklist, by gate; for gates about the checklist itself. */
          checklist: named,
        }),
      )
      .min(1),
  ),
});

/** The samples of a checklist. */
export type Samples = z.infer<typeof samplesSchema>;

/** What the gates are shown. */
export type World = Pick<Samples["passing"], keyof typeof world>;

/** When samples are judged, produced and signed. */
export const sampleTimes = {
  now: Date.parse("2026-03-02T12:00:00Z"),
  producedAt: "2026-03-02T11:30:00Z",
  signedAt: "2026-03-02T11:45:00Z",
};

/** Reads `test/policies/checklists/<system>.yaml`. */
export function readSamples(system: string): Samples {
  const file = join(import.meta.dirname, "..", "policies", "checklists", `${system}.yaml`);
  return samplesSchema.parse(parse(readFileSync(file, "utf8")));
}

/** The world of a phase, with what one sample has wrong in it. */
export function worldOf({ passing }: Samples, phase: Phase, wrong: Partial<World> = {}): World {
  const { phases = {}, ...usual } = passing;
  return changed(changed(usual, phases[phase] ?? {}), wrong);
}

function changed(from: World, by: Partial<World>): World {
  return {
    facts: deeply(from.facts ?? {}, by.facts ?? {}) as Entries,
    evidence: byName(from.evidence, by.evidence, 1),
    readings: byName(from.readings, by.readings, 1),
    approvals: byName(from.approvals, by.approvals, 0),
    people: by.people ?? from.people,
    resources: byName(from.resources, by.resources, 1),
  };
}

type Named = World["evidence"];

/** Entries of the same name become one; so do their own entries, so many levels deep. */
function byName(from: Named = {}, by: Named = {}, depth: number): Named {
  const result: NonNullable<Named> = { ...from };
  for (const [name, change] of Object.entries(by)) {
    result[name] = change === null ? null : shallowly(from[name] ?? {}, change, depth);
  }
  return result;
}

function shallowly(from: Entries, by: Entries, depth: number): Entries {
  const result: Entries = { ...from };
  for (const [key, value] of Object.entries(by)) {
    const old = from[key];
    if (value === null) delete result[key];
    else if (depth > 0 && isEntries(old) && isEntries(value)) {
      result[key] = shallowly(old, value, depth - 1);
    } else result[key] = value;
  }
  return result;
}

function deeply(from: unknown, by: unknown): unknown {
  if (!isEntries(from) || !isEntries(by)) return by;
  const result: Entries = { ...from };
  for (const [key, value] of Object.entries(by)) {
    // Facts that may be null are set to it; any other is taken away by it.
    if (value === null && !nullable.has(key)) delete result[key];
    else result[key] = deeply(from[key], value);
  }
  return result;
}

const nullable = new Set(["phase", "release", "serving", "ttl", "record", "plannedCutover"]);

function isEntries(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What every predicate has where a sample does not say otherwise. */
const usual: Readonly<Record<EvidencePredicate, Entries>> = {
  tests: {
    result: "PASSED",
    configuration: [],
    passedTests: [],
    warnedTests: [],
    failedTests: [],
    skippedTests: [],
  },
  vulnerabilities: {
    scanner: {
      uri: "https://github.com/aquasecurity/trivy",
      db: { lastUpdate: sampleTimes.producedAt },
      result: [],
    },
    metadata: { scanStartedOn: sampleTimes.producedAt, scanFinishedOn: sampleTimes.producedAt },
  },
  verification: {
    verifier: { id: "https://github.com/actions" },
    timeCreated: sampleTimes.producedAt,
    properties: [],
  },
  findings: { tool: { name: "eslint" }, result: [] },
  migrations: {
    tool: { name: "prisma" },
    state: "in-sync",
    total: 1,
    pending: [],
    failed: [],
    diverged: [],
  },
  metrics: { tool: { name: "k6" }, metrics: {}, thresholds: [] },
  document: {
    format: "markdown",
    title: "A page",
    version: null,
    sections: [],
    values: {},
    operations: [],
  },
  comparison: { fixtures: [] },
  records: { rows: [] },
  inventory: { entries: [] },
  series: { series: {} },
};

/** Puts the digest of the checklist in force where a sample says `{checklistDigest}`. */
function inForce(value: unknown, checklist: Checklist): unknown {
  if (value === "{checklistDigest}") return checklist.digest;
  if (Array.isArray(value)) return value.map((entry) => inForce(entry, checklist));
  if (!isEntries(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, inForce(entry, checklist)]),
  );
}

/** `{ vulnerabilities: { found: { high: [CVE-1] } } }` and lists of names say more with less. */
function predicateOf(name: EvidencePredicate, given: Entries): Entries {
  const { found, image, names, ...rest } = expanded(given) as Entries;
  const whole: Entries = { ...usual[name], ...rest };
  if (isEntries(found)) {
    const result = Object.entries(found).flatMap(([severity, ids]) =>
      (ids as string[]).map((id) => ({ id, severity: [{ method: "trivy", score: severity }] })),
    );
    whole["scanner"] = { ...(whole["scanner"] as Entries), result };
  }
  if (Array.isArray(names)) {
    whole["entries"] = [
      ...names.map((one: unknown) => ({ name: one })),
      ...((whole["entries"] as unknown[] | undefined) ?? []),
    ];
  }
  return { ...whole, ...(image === undefined ? {} : { image }) };
}

/** Texts with `{1..3}` in a list become as many texts. */
function expanded(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown) => {
      const range = typeof entry === "string" ? /\{(\d+)\.\.(\d+)\}/.exec(entry) : null;
      if (range === null) return [expanded(entry)];
      const [first, last] = [Number(range[1]), Number(range[2])];
      return Array.from({ length: last - first + 1 }, (_, index) =>
        (entry as string).replace(
          range[0],
          String(first + index).padStart(range[1]?.length ?? 1, "0"),
        ),
      );
    });
  }
  if (!isEntries(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, expanded(entry)]));
}

const made = new WeakMap<Checklist, readonly Gate[]>();

/** The gates of a checklist, made once. */
function gatesIn(checklist: Checklist): readonly Gate[] {
  const gates = made.get(checklist) ?? gatesOf(checklist);
  made.set(checklist, gates);
  return gates;
}

/** What a gate of a checklist says of a world, in the first of its phases. */
export function judgeRow(
  checklist: Checklist,
  row: ChecklistGate,
  samples: Samples,
  wrong: Partial<World> = {},
): Finding[] {
  return judge(checklist, samples, wrong)(row);
}

/** What the gates of a checklist say of a world, each in the first of its phases. */
export function judge(
  checklist: Checklist,
  samples: Samples,
  wrong: Partial<World>,
): (row: ChecklistGate) => Finding[] {
  const { system, digest: checklistDigest } = checklist;
  const shownIn = new Map<Phase, Shown>();
  return (row) => {
    const phase = row.phase[0] as Phase;
    const shown = shownIn.get(phase) ?? show(checklist, phase, samples, wrong);
    shownIn.set(phase, shown);
    const gate = gatesIn(checklist)[checklist.gates.indexOf(row)] as Gate;
    const facts: GuardFacts = { ...shown.facts, guard: row.guard, phase, system, checklistDigest };
    const now = { now: sampleTimes.now, rehearsal: false };
    return judgeGate(gate, facts, shown.seen, shown.told, now);
  };
}

/** What the gates of one phase are shown. */
interface Shown {
  readonly facts: GuardFacts;
  readonly seen: Seen;
  readonly told: Told;
}

function show(checklist: Checklist, phase: Phase, samples: Samples, wrong: Partial<World>): Shown {
  const world = worldOf(samples, phase, wrong);
  const facts = deeply(readyFacts, world.facts ?? {}) as GuardFacts;
  const seen = seenOf(present(world.resources));
  return { facts, seen, told: toldOf(world, facts, checklist, phase) };
}

function present(given: Named = {}): Record<string, Entries> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, entry]) => (entry === null ? [] : [[name, entry]])),
  );
}

function toldOf(shown: World, facts: GuardFacts, checklist: Checklist, phase: Phase): Told {
  const { release, stack } = facts;
  const subject = releaseSubjects(release);
  const digest = evidenceDigest([]);
  const statement = { _type: "https://in-toto.io/Statement/v1" as const, subject };
  const evidence = Object.entries(present(shown.evidence)).map(
    ([name, { producedAt = sampleTimes.producedAt, ...of }]) => {
      const [type, given] = Object.entries(of)[0] as [EvidencePredicate, Entries];
      const { image, ...predicate } = predicateOf(type, inForce(given, checklist) as Entries);
      const content = {
        evidence: name,
        producedAt: producedAt as string,
        report: { name: "report", format: "sample", digest: { sha256: "0a".repeat(32) } },
        ...(image === undefined
          ? {}
          : { images: [digestOfImage(release.images[image as string])] }),
      };
      return {
        document: `${name}.intoto.jsonl`,
        statement: {
          ...statement,
          predicateType: predicates[type].type,
          predicate: { ...predicate, cutover: content },
        },
        content,
      };
    },
  );
  const people = shown.people ?? [...readyPeople];
  const approvals = Object.entries(present(shown.approvals)).map(([role, given]) => {
    const { approver = `${role}@example.com`, signedAt = sampleTimes.signedAt } = given;
    const content = {
      stack,
      phase,
      role,
      approver: approver as string,
      evidenceDigest: digest,
      checklistDigest: checklist.digest,
      signedAt: signedAt as string,
    };
    return {
      document: `${role}.approval.jsonl`,
      statement: { ...statement, predicateType: predicates.approval.type, predicate: content },
      content,
      principals: [approver as string],
    };
  });
  const attested: Attested = {
    evidence,
    approvals,
    waivers: [],
    refused: [],
    digest,
    people,
  };
  const readings = Object.fromEntries(
    Object.entries(present(shown.readings)).map(([name, reading]) => [
      name,
      {
        kind: "sample",
        subject: "sample",
        at: new Date(sampleTimes.now).toISOString(),
        ...reading,
      },
    ]),
  );
  return { attested, readings };
}

const readyPeople = ["release-manager@example.com", "database-owner@example.com"];

function digestOfImage(image = ""): string {
  return image.split("@sha256:")[1] ?? "";
}
