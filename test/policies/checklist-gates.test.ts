import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { gatesOf } from "../../policies/checklist-gates.ts";
import { ChecklistError, parseChecklist } from "../../policies/contract/checklist.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import { nextPhaseGates, requiredGates } from "../../policies/contract/gates.ts";
import { phases, type Phase } from "../../policies/contract/phase.ts";
import { predicates } from "../../policies/contract/predicates.ts";
import { releaseSubjects } from "../../policies/contract/statement.ts";
import { toldNothing, type Attested, type Told } from "../../policies/evidence/attested.ts";
import { judgeGate, type Finding, type Gate } from "../../policies/gate.ts";
import { Run } from "../../policies/run.ts";
import { ago, sampleMeta, sampleNow, seenOf } from "../support/kind-tester.ts";
import { readyFacts, samplePerson } from "../support/samples.ts";

const text = {
  title: "The state that must hold.",
  severity: "high",
  why: "The harm.",
  remedy: "do it",
  waivable: true,
};
const tests = {
  ...text,
  id: "tests-passed",
  phase: "observe",
  kind: "tests-passed",
  evidence: "tests",
  maxAge: "1d",
  requires: { atLeast: 1 },
};
const alarms = {
  ...text,
  id: "alarms-on",
  phase: ["cutover", "finalize"],
  kind: "resources-show",
  guard: "switch",
  requires: { type: "aws:cloudwatch/metricAlarm:MetricAlarm", each: { enabled: { is: true } } },
};

function checklistOf(...gates: readonly object[]): ReturnType<typeof parseChecklist> {
  const file = stringify({ system: "flagship", title: "A shop", gates });
  return parseChecklist(file, "flagship", "checklists/flagship.yaml");
}

function gateOf(row: object): Gate {
  const [gate] = gatesOf(checklistOf(row));
  if (gate === undefined) throw new Error("there is no gate");
  return gate;
}

/** What is wrong with a row. */
function problemsOf(row: object): string[] {
  try {
    gateOf(row);
    return [];
  } catch (error) {
    if (error instanceof ChecklistError) return error.message.split("\n");
    throw error;
  }
}

/** What a gate finds, in words. */
function found(
  row: object,
  { facts, told, seen }: { facts?: Partial<GuardFacts>; told?: Partial<Told>; seen?: Run } = {},
): string[] {
  const all: Told = { ...toldNothing, ...told };
  const judge = { now: sampleNow, rehearsal: false };
  return judgeGate(gateOf(row), { ...readyFacts, ...facts }, seen ?? new Run(), all, judge).map(
    ({ found: what }: Finding) => what,
  );
}

/** Evidence that one test passed, produced at this time. */
function attested(producedAt: string): { readonly told: Partial<Told> } {
  const content = { ...sampleMeta, evidence: "tests", producedAt };
  const held = {
    document: "tests.json",
    content,
    statement: {
      _type: "https://in-toto.io/Statement/v1" as const,
      subject: releaseSubjects(readyFacts.release),
      predicateType: predicates.tests.type,
      predicate: {
        cutover: content,
        result: "PASSED",
        configuration: [],
        passedTests: ["a"],
        warnedTests: [],
        failedTests: [],
        skippedTests: [],
      },
    },
  };
  const evidence = [held] as unknown as Attested["evidence"];
  return { told: { attested: { ...toldNothing.attested, evidence } } };
}

describe("evidence of after a phase", () => {
  const hour = 3600;
  const ended = ago(2 * hour);
  const facts = {
    phase: "observe" as const,
    before: { ...readyFacts.before, times: { cutover: ended } },
  };

  test.each<readonly [string, object, number]>([
    ["produced as the phase ended", { after: "cutover" }, 2 * hour],
    ["produced when the wait was over", { after: "cutover", afterBy: "1h" }, hour],
    ["produced later", { after: "cutover", afterBy: "1h" }, 1],
    ["of which nothing is asked", {}, 10 * hour],
  ])("%s opens", (_, asked, age) => {
    expect(found({ ...tests, ...asked }, { facts, ...attested(ago(age)) })).toEqual([]);
  });

  test.each<readonly [string, object, number, string]>([
    [
      "produced before the phase ended",
      { after: "cutover" },
      2 * hour + 1,
      `it is from ${ago(2 * hour + 1)}, before the end of cutover (${ended})`,
    ],
    [
      "produced before the wait was over",
      { after: "cutover", afterBy: "1h" },
      hour + 1,
      `it is from ${ago(hour + 1)}, before 1 hour after the end of cutover (${ended})`,
    ],
    [
      "of after a phase that has not ended",
      { phase: "finalize", after: "observe" },
      0,
      "no observe of v1.1.0 has ended yet",
    ],
  ])("%s closes", (_, asked, age, said) => {
    expect(found({ ...tests, ...asked }, { facts, ...attested(ago(age)) })).toEqual([
      `evidence tests (tests.json): ${said}`,
    ]);
  });

  test("of a phase of another release closes", () => {
    const other = { ...facts, before: { ...facts.before, release: "v1.0.0" } };
    expect(found({ ...tests, after: "cutover" }, { facts: other, ...attested(ago(0)) })).toEqual([
      "evidence tests (tests.json): no cutover of v1.1.0 has ended yet",
    ]);
  });

  test("is not asked in the phases that are asked nothing of", () => {
    expect(() => gateOf({ ...tests, phase: ["cutover", "observe"], after: "cutover" })).toThrow(
      "after: found cutover, required a phase before cutover",
    );
  });
});

describe("a gate of declared resources", () => {
  const alarm = (enabled: boolean): Run =>
    seenOf({ api: { type: "aws:cloudwatch/metricAlarm:MetricAlarm", props: { enabled } } });

  test("judges what was declared before its guard", () => {
    expect(found(alarms, { seen: alarm(true) })).toEqual([]);
    expect(found(alarms, { seen: alarm(false) })).toEqual(["api: enabled is false"]);
    expect(found(alarms)).toEqual(["there are 0 declared MetricAlarm resources"]);
  });

  test("stands at its guard, in its phases, on the way forward", () => {
    const checklist = checklistOf(alarms);
    const requiring = phases.flatMap((phase) =>
      (["entry", "data", "switch"] as const)
        .filter((guard) =>
          requiredGates(guard, phase, "forward", checklist).includes("flagship/alarms-on"),
        )
        .map((guard) => [phase, guard]),
    );
    expect(requiring).toEqual([
      ["cutover", "switch"],
      ["finalize", "switch"],
    ]);
    expect(requiredGates("switch", "cutover", "rollback", checklist)).not.toContain(
      "flagship/alarms-on",
    );
  });

  test("says nothing one phase earlier, when it is not declared yet", () => {
    expect(gateOf(alarms).ownPhaseOnly).toBe(true);
    expect(gateOf(tests).ownPhaseOnly).toBeUndefined();
  });
});

test("a gate before several phases is advice in the phase before each", () => {
  const checklist = checklistOf({ ...tests, phase: ["lower-ttl", "observe"] });
  const advised = phases.filter((phase) =>
    nextPhaseGates("entry", phase, "forward", checklist).includes("flagship/tests-passed"),
  );
  expect(advised).toEqual(["prepare", "cutover"]);
});

test("a gate before every phase is nowhere advice", () => {
  const checklist = checklistOf({ ...tests, phase: "always" });
  const advised = phases.filter((phase) =>
    nextPhaseGates("entry", phase, "forward", checklist).includes("flagship/tests-passed"),
  );
  expect(advised).toEqual([]);
});

describe("approvals are asked of the phase at hand, or of the next where the gate is advice", () => {
  const approved = { ...text, id: "approved", kind: "approved", requires: { roles: ["boss"] } };
  const facts = { evidenceDigest: "", checklistDigest: "c" };

  /** What is found with an approval of a phase. */
  function foundWith(phase: unknown, here: Phase, signedFor: Phase): string[] {
    const content = {
      phase: signedFor,
      role: "boss",
      approver: samplePerson,
      signedAt: ago(60),
      stack: readyFacts.stack,
      evidenceDigest: "",
      checklistDigest: "c",
    };
    const approval = {
      document: "boss.json",
      content,
      statement: { subject: releaseSubjects(readyFacts.release) },
      principals: [samplePerson],
    };
    const approvals = [approval] as unknown as Attested["approvals"];
    return found(
      { ...approved, phase },
      {
        facts: { ...facts, phase: here },
        told: { attested: { ...toldNothing.attested, approvals } },
      },
    );
  }

  test.each<readonly [unknown, Phase, Phase]>([
    ["cutover", "cutover", "cutover"],
    ["cutover", "lower-ttl", "cutover"],
    [["cutover", "finalize"], "finalize", "finalize"],
    [["cutover", "finalize"], "observe", "finalize"],
    ["always", "observe", "observe"],
  ])("before %j, in %s: that of %s counts", (phase, here, signedFor) => {
    expect(foundWith(phase, here, signedFor)).toEqual([]);
    for (const other of phases.filter((one) => one !== signedFor)) {
      expect(foundWith(phase, here, other)).toEqual(["nobody approved it as boss"]);
    }
  });
});

describe("what a row says beside its kind", () => {
  const facts = { ...text, id: "facts", phase: "cutover", kind: "facts-show" };
  const requires = { fields: { ttlSeconds: { atMost: 60 } } };
  const reading = { ...text, id: "reading", phase: "cutover", kind: "reading-shows" };

  test.each<readonly [string, object]>([
    ["a release kind", { ...facts, requires }],
    ["a reading kind", { ...reading, reading: "dns", requires }],
    ["a resources kind at the data guard", { ...alarms, guard: "data" }],
    ["evidence after a phase", { ...tests, after: "cutover", afterBy: "1h" }],
  ])("%s may say", (_, row) => {
    expect(() => gateOf(row)).not.toThrow();
  });

  test.each<readonly [string, object, readonly string[]]>([
    [
      "a release kind says of evidence",
      { ...facts, requires, evidence: "tests", maxAge: "1d" },
      ["evidence: of no use for facts-show", "maxAge: of no use for facts-show"],
    ],
    [
      "a release kind says of a guard and a phase",
      { ...facts, requires, guard: "data", after: "prepare" },
      ["after: of no use for facts-show", "guard: of no use for facts-show"],
    ],
    [
      "a reading kind says of evidence",
      { ...reading, requires, evidence: "dns" },
      ["reading: required for reading-shows", "evidence: of no use for reading-shows"],
    ],
    [
      "a resources kind says of a reading",
      { ...alarms, reading: "alarms" },
      ["reading: of no use for resources-show"],
    ],
    [
      "a resources kind says of the entry guard",
      { ...alarms, guard: "entry" },
      ["guard: required for resources-show: data or switch"],
    ],
    [
      "evidence says of a wait alone",
      { ...tests, afterBy: "1h" },
      ["after: required beside afterBy"],
    ],
    [
      "evidence says of its age nothing",
      { ...tests, maxAge: undefined },
      ["maxAge: required for tests-passed"],
    ],
  ])("%s is refused", (_, row, said) => {
    const { id } = row as { id: string };
    expect(problemsOf(row)).toEqual(
      said.map((one) => `checklists/flagship.yaml: gate ${id}, ${one}`),
    );
  });
});

test("a predicate of another shape shows no name that a CI runner would obey", () => {
  const row = {
    ...tests,
    id: "document-says",
    phase: "cutover",
    kind: "document-says",
    requires: { sections: ["Rollback"] },
  };
  const { told } = attested(ago(0));
  const [held] = told.attested?.evidence ?? [];
  const predicate = { format: "markdown", title: "", version: null, sections: [], operations: [] };
  const values = { [`a\n::error::${"b".repeat(200)}`]: 1 };
  const statement = {
    ...held?.statement,
    predicateType: predicates.document.type,
    predicate: { ...predicate, values, cutover: held?.content },
  };
  const evidence = [{ ...held, statement }] as unknown as Attested["evidence"];
  const [said = ""] = found(row, { told: { attested: { ...toldNothing.attested, evidence } } });
  expect(said).toMatch(
    /^evidence tests \(tests\.json\): its predicate has another shape, see values\.a/,
  );
  expect(said).not.toMatch(/\n|(?:^| )::/);
  expect(said.length).toBeLessThan(150);
});

test("a reading is none that every object has", () => {
  const row = {
    ...text,
    id: "reading-shows",
    phase: "cutover",
    kind: "reading-shows",
    reading: "constructor",
    requires: { fields: { status: { is: 200 } } },
  };
  expect(found(row)).toEqual(["there is no reading constructor"]);
});

test("a gate is told by the words of its row", () => {
  expect(gateOf({ ...tests, waivable: false })).toMatchObject({
    id: "flagship/tests-passed",
    guard: "entry",
    requires: text.title,
    because: text.why,
    severity: "high",
    remedy: text.remedy,
    waivable: false,
  });
});
