import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attest } from "../../policies/evidence/attested.ts";
import { gatesOf } from "../../policies/checklist-gates.ts";
import { parseChecklist } from "../../policies/contract/checklist.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import { evidenceDigest, type SubmittedDocument } from "../../policies/contract/documents.ts";
import { parseDocument, type Envelope } from "../../policies/contract/envelope.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import type { Verdict } from "../../policies/contract/verdict.ts";
import type { Statement } from "../../policies/contract/statement.ts";
import { findingText, judgeGate, type Gate } from "../../policies/gate.ts";
import { evidenceVerified } from "../../policies/gates/evidence/evidence-verified.ts";
import { databaseEncryptedAtRest } from "../../policies/gates/databases/database-encrypted-at-rest.ts";
import { readTrust } from "../../policies/signatures/trust.ts";
import { Run } from "../../policies/run.ts";
import { judgementOf } from "../../policies/evidence/waivers.ts";
import { openWorld, readyFacts } from "../support/samples.ts";
import {
  makeTrust,
  principalOf,
  signed,
  signedBy,
  statement,
  type Person,
  type TestTrust,
} from "../support/signing.ts";

const checklist = parseChecklist(
  `
system: flagship
title: A sample
gates:
  - id: unit-tests-passed
    title: The unit tests passed.
    phase: cutover
    kind: tests-passed
    evidence: unit-tests
    maxAge: 24h
    requires: { atLeast: 2 }
    severity: critical
    why: Known faults would go live.
    remedy: attest them
    waivable: true
  - id: cutover-approved
    title: Two people agreed.
    phase: cutover
    kind: approved
    requires: { roles: [release-manager, database-owner], maxAge: 1d }
    severity: critical
    why: Nobody would have looked.
    remedy: approve it
    waivable: false
`,
  "flagship",
  "checklists/flagship.yaml",
);

const { release, stack } = readyFacts;
const now = Date.parse("2026-03-02T12:00:00Z");
const hour = 3_600_000;
const at = (milliseconds: number): string => new Date(now + milliseconds).toISOString();

let trust: TestTrust;
beforeAll(() => {
  trust = makeTrust();
});
afterAll(() => {
  trust.close();
});

interface Answer {
  readonly verdict: Verdict;
  readonly text: string;
}

/** What the gates say of documents. */
function judge(
  documents: readonly (Envelope | string)[],
  facts: Partial<GuardFacts> = {},
  when = now,
): Record<"tests" | "approved" | "verified", Answer> {
  const submitted = documents.map((document, index): SubmittedDocument => ({
    name: `document-${index}`,
    text: typeof document === "string" ? document : JSON.stringify(document),
  }));
  const all: GuardFacts = {
    ...readyFacts,
    evidenceDigest: evidenceDigest(submitted),
    checklistDigest: checklist.digest,
    ...facts,
  };
  const told = { attested: attest(submitted, () => readTrust(trust.folder), when), readings: {} };
  const answer = (gate: Gate): Answer => {
    const judging = { now: when, rehearsal: false };
    const findings = judgeGate(gate, all, new Run(), told, judging);
    const { verdict, findings: judged } = judgementOf(gate, findings, all, told, judging);
    return { verdict, text: judged.map(findingText).join("\n").replaceAll("\n  ", " ") };
  };
  const [tests, approved] = gatesOf(checklist) as [Gate, Gate];
  return { tests: answer(tests), approved: answer(approved), verified: answer(evidenceVerified) };
}

function testRun(
  changes: Record<string, unknown> = {},
  meta: Record<string, unknown> = {},
): Statement {
  return statement(release, "tests", {
    result: "PASSED",
    configuration: [],
    passedTests: ["a", "b"],
    warnedTests: [],
    failedTests: [],
    skippedTests: [],
    ...changes,
    cutover: {
      evidence: "unit-tests",
      producedAt: at(-hour),
      report: { name: "junit.xml", format: "junit", digest: { sha256: "0".repeat(64) } },
      ...meta,
    },
  });
}

async function approval(
  person: Person,
  role: string,
  evidence: readonly Envelope[],
  changes: Record<string, unknown> = {},
): Promise<Envelope> {
  const documents = evidence.map((one) => ({ name: "any", text: JSON.stringify(one) }));
  const content = statement(release, "approval", {
    stack,
    phase: "cutover",
    role,
    approver: principalOf(person),
    evidenceDigest: evidenceDigest(documents),
    checklistDigest: checklist.digest,
    signedAt: at(-60_000),
    ...changes,
  });
  return signedBy(content, trust.people[person], role);
}

async function waiver(
  changes: Record<string, unknown> = {},
  person: Person = "manager",
): Promise<Envelope> {
  const content = statement(release, "waiver", {
    stack,
    gate: "flagship/unit-tests-passed",
    reason: "The runner is broken; the tests ran by hand.",
    approver: principalOf(person),
    expires: at(hour),
    signedAt: at(-60_000),
    ...changes,
  });
  return signedBy(content, trust.people[person], "waiver");
}

const run = (changes?: Record<string, unknown>, meta?: Record<string, unknown>): Envelope =>
  signed(testRun(changes, meta), trust.ci);

/** An envelope whose statement was changed after it was signed. */
function altered(envelope: Envelope, from: string, to: string): Envelope {
  const text = Buffer.from(envelope.payload, "base64").toString().replace(from, to);
  return { ...envelope, payload: Buffer.from(text).toString("base64") };
}

describe("evidence", () => {
  test("of this release, recent and good, opens its gate", () => {
    expect(judge([run()]).tests).toEqual({ verdict: "pass", text: "" });
    expect(judge([run()]).verified.verdict).toBe("pass");
  });

  test("that is not there", () => {
    expect(judge([]).tests.verdict).toBe("inconclusive");
    expect(judge([]).tests.text).toContain("there is no evidence unit-tests");
  });

  test("that says no", () => {
    const { tests } = judge([run({ result: "FAILED", failedTests: ["c"] })]);
    expect(tests.verdict).toBe("fail");
    expect(tests.text).toContain("1 failed test: c");
  });

  test.each([
    ["as old as it may be", -24 * hour],
    ["from a clock that is a minute ahead", 60_000],
  ])("%s opens its gate", (_, age) => {
    const { tests } = judge([run({}, { producedAt: at(age) })]);
    expect(tests).toEqual({ verdict: "pass", text: "" });
  });

  test.each([
    ["a second older than it may be", -24 * hour - 1000, "older than 1 day"],
    ["from the future", 61_000, "it is from the future"],
  ])("%s keeps its gate closed", (_, age, found) => {
    const { tests } = judge([run({}, { producedAt: at(age) })]);
    expect(tests.verdict).toBe("inconclusive");
    expect(tests.text).toContain(found);
  });

  test.each([
    ["another release", { version: "v1.0.0", digest: "0".repeat(64) }, "another release (v1.0.0)"],
    ["another commit", { commit: "0".repeat(40) }, "other images or another commit"],
    ["other images", { images: {} }, "other images or another commit"],
  ])("that was replayed from %s", (_, changes, found) => {
    const replayed = statement({ ...release, ...changes }, "tests", testRun().predicate);
    const { tests } = judge([signed(replayed, trust.ci)]);
    expect(tests.verdict).toBe("inconclusive");
    expect(tests.text).toContain(found);
  });

  test("of another type than its gate judges", () => {
    const other = statement(release, "comparison", {
      fixtures: [{ name: "a", expected: 1, actual: 1, tolerance: 0 }],
      cutover: testRun().predicate["cutover"],
    });
    const { tests } = judge([signed(other, trust.ci)]);
    expect(tests.verdict).toBe("inconclusive");
    expect(tests.text).toContain("a statement of another type");
  });

  test("whose predicate is not of its type", () => {
    const { tests } = judge([run({ passedTests: "all" })]);
    expect(tests.verdict).toBe("inconclusive");
    expect(tests.text).toContain("see passedTests");
  });

  test("of which two statements disagree", () => {
    const { tests } = judge([run(), run({ failedTests: ["c"] })]);
    expect(tests.verdict).toBe("fail");
    expect(tests.text).toContain("statements of evidence unit-tests disagree");
  });

  test("of which two statements agree", () => {
    expect(judge([run(), run({ passedTests: ["a", "b", "c"] })]).tests.verdict).toBe("pass");
  });

  test.each([
    ["altered", () => altered(run({ failedTests: ["c"] }), '["c"]', "[]")],
    ["signed by a stranger", () => signed(testRun(), trust.stranger)],
    [
      "signed by a stranger beside somebody who may",
      () => ({
        ...run(),
        signatures: [...run().signatures, ...signed(testRun(), trust.stranger).signatures],
      }),
    ],
    [
      "signed by a person, who may not",
      () => signedBy(testRun(), trust.people.manager, "release-manager"),
    ],
  ])("that was %s closes its gate and the way", async (_, make) => {
    const { tests, verified } = judge([await make()]);
    expect(tests.verdict).toBe("inconclusive");
    expect(verified.verdict).toBe("inconclusive");
    expect(verified.text).toContain("document-0:");
    expect(tests.text).toContain("document-0");
  });

  test("that was signed by a key for other evidence closes the way", () => {
    const { tests, verified } = judge([run({}, { evidence: "runbook" })]);
    expect(tests.verdict).toBe("inconclusive");
    expect(verified.verdict).toBe("inconclusive");
    expect(verified.text).toContain("document-0:");
  });

  test.each([
    ["empty", ""],
    ["no JSON", "{"],
    ["no envelope", "{}"],
    ["a key twice", '{"payload":"","payload":""}'],
    ["__proto__", '{"__proto__":{}}'],
    ["nested deeply", "[".repeat(100_000)],
    ["huge", `"${"x".repeat(5 * 1024 * 1024)}"`],
  ])("that is %s closes the way and says so", (_, text) => {
    const { tests, verified } = judge([run(), text]);
    expect(tests.verdict).toBe("pass");
    expect(verified.verdict).toBe("inconclusive");
    expect(verified.text).toContain("document-1: it");
  });
});

describe("approvals", () => {
  const both = async (evidence: readonly Envelope[], changes = {}): Promise<Envelope[]> =>
    Promise.all([
      approval("manager", "release-manager", evidence, changes),
      approval("owner", "database-owner", evidence, changes),
    ]);

  test("by every role open the gate", async () => {
    const evidence = [run()];
    const { approved, verified } = judge([...evidence, ...(await both(evidence))]);
    expect(approved).toEqual({ verdict: "pass", text: "" });
    expect(verified.verdict).toBe("pass");
  });

  test("do not change the digest of the evidence", async () => {
    const documents = (await both([])).map((one, index) => ({
      name: String(index),
      text: JSON.stringify(one),
    }));
    expect(evidenceDigest(documents)).toBe(evidenceDigest([]));
  });

  test.each([
    ["nobody", async () => [], "nobody approved it as database-owner"],
    [
      "one role of two",
      async () => [await approval("manager", "release-manager", [])],
      "nobody approved it as database-owner",
    ],
    [
      "one person for both roles",
      async () => [
        await approval("both", "release-manager", []),
        await approval("both", "database-owner", []),
      ],
      "one person signed in more than one role",
    ],
    [
      "who made the release",
      async () => [
        await approval("developer", "release-manager", []),
        await approval("owner", "database-owner", []),
      ],
      "its approver made the release",
    ],
    ["for another stack", () => both([], { stack: "flagship/staging" }), "flagship/staging"],
    ["for another phase", () => both([], { phase: "finalize" }), "nobody approved it as"],
    [
      "with other evidence",
      () => both([], { evidenceDigest: digestOf("other") }),
      "the evidence has changed since",
    ],
    [
      "by another checklist",
      () => both([], { checklistDigest: digestOf("other") }),
      "the checklist has changed since",
    ],
    ["too long ago", () => both([], { signedAt: at(-25 * hour) }), "older than 1 day"],
    ["in the future", () => both([], { signedAt: at(hour) }), "it is from the future"],
  ])("by %s do not count", async (_, make, found) => {
    const { approved } = judge(await make());
    expect(approved.verdict).toBe("inconclusive");
    expect(approved.text).toContain(found);
  });

  test("of another release do not count", async () => {
    const { approved } = judge(await both([]), { release: { ...release, version: "v1.2.0" } });
    expect(approved.text).toContain("it is about another release (v1.1.0)");
  });

  test("are void when evidence or a waiver comes later", async () => {
    const approvals = await both([run()]);
    for (const more of [run({ passedTests: ["a", "b", "c"] }), await waiver()]) {
      const { approved } = judge([run(), more, ...approvals]);
      expect(approved.text).toContain("the evidence has changed since");
    }
  });

  test("in a role that the key does not have are refused", async () => {
    const content = statement(release, "approval", {
      stack,
      phase: "cutover",
      role: "database-owner",
      approver: principalOf("manager"),
      evidenceDigest: evidenceDigest([]),
      checklistDigest: checklist.digest,
      signedAt: at(0),
    });
    for (const role of ["database-owner", "release-manager"]) {
      const wrong = await signedBy(content, trust.people.manager, role);
      const { approved, verified } = judge([wrong]);
      expect(approved.verdict).toBe("inconclusive");
      expect(verified.verdict).toBe("inconclusive");
    }
  });

  test("in the name of somebody else are refused", async () => {
    const stolen = await approval("manager", "release-manager", [], {
      approver: principalOf("both"),
    });
    expect(judge([stolen]).verified.verdict).toBe("inconclusive");
  });
});

describe("a waiver", () => {
  test("opens its gate, and what it waives stays told", async () => {
    const { tests } = judge([await waiver()]);
    expect(tests.verdict).toBe("waived");
    expect(tests.text).toContain("there is no evidence unit-tests");
  });

  test.each([
    ["given for more than 30 days", { expires: at(31 * 24 * hour) }, "for more than 30 days"],
    ["signed in the future", { signedAt: at(hour), expires: at(2 * hour) }, "signed in the future"],
    ["for another stack", { stack: "flagship/staging" }, "it is about stack flagship/staging"],
  ])("%s does not count, and the gate says so", async (_, changes, found) => {
    const { tests } = judge([await waiver(changes)]);
    expect(tests.verdict).toBe("inconclusive");
    expect(tests.text).toContain("the waiver by manager@example.com");
    expect(tests.text).toContain(found);
  });

  test("that has expired counts as failed, and the gate says so", async () => {
    const { tests } = judge([await waiver({ expires: at(0), signedAt: at(-hour) })]);
    expect(tests.verdict).toBe("fail");
    expect(tests.text).toContain(`does not count: it expired at ${at(0)}`);
  });

  test("for another release does not count", async () => {
    const { tests } = judge([await waiver()], { release: { ...release, version: "v1.2.0" } });
    expect(tests.text).toContain("it is about another release (v1.1.0)");
  });

  test("by the author of the release does not count", async () => {
    const { tests } = judge([await waiver({}, "developer")]);
    expect(tests.text).toContain("its approver made the release");
  });

  test("of a gate that cannot be waived does not count", async () => {
    const gate = "flagship/cutover-approved";
    const { approved } = judge([await waiver({ gate })]);
    expect(approved.verdict).toBe("inconclusive");
    expect(approved.text).toContain("this gate cannot be waived");
  });

  test("of encryption does not count, whoever signed it", async () => {
    const document = await waiver({ gate: databaseEncryptedAtRest.id });
    const submitted = [{ name: "waiver", text: JSON.stringify(document) }];
    const told = { attested: attest(submitted, () => readTrust(trust.folder), now), readings: {} };
    const world = openWorld();
    const finding = {
      verdict: "fail" as const,
      subject: "database orders",
      found: "storageEncrypted is false",
      required: "storageEncrypted is true",
      remedy: "encrypt it",
    };
    const { verdict } = judgementOf(databaseEncryptedAtRest, [finding], readyFacts, told, world);
    expect(verdict).toBe("fail");
  });
});

test("the pack's trust files being wrong closes everything, and is told once", () => {
  const told = {
    attested: attest([], () => readTrust("/nowhere"), now),
    readings: {},
  };
  const findings = judgeGate(evidenceVerified, readyFacts, new Run(), told, openWorld());
  expect(findings.map(findingText).join()).toContain("trusted signers cannot be read");
});

test("an envelope is read as it was written", () => {
  expect(parseDocument(JSON.stringify(run())).envelope).toEqual(run());
});
