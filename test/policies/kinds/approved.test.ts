import { expect, test } from "vitest";
import { releaseSubjects } from "../../../policies/contract/statement.ts";
import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { approved } from "../../../policies/kinds/approved.ts";
import { requirements } from "../../../policies/requirements.ts";
import { ago, testKind } from "../../support/kind-tester.ts";
import { readyFacts } from "../../support/samples.ts";

const manager = "release-manager@example.com";
const owner = "database-owner@example.com";
const [author = ""] = readyFacts.release.authors;
const old = ["an-older-name@example.com", author];

function approval(
  role: string,
  approver: string,
  changes: object = {},
  principals: readonly string[] = [approver],
): object {
  return {
    document: `approval-${role}.intoto.jsonl`,
    statement: { subject: releaseSubjects(readyFacts.release) },
    principals,
    content: {
      stack: readyFacts.stack,
      phase: readyFacts.phase,
      role,
      approver,
      evidenceDigest: readyFacts.evidenceDigest,
      checklistDigest: readyFacts.checklistDigest,
      signedAt: ago(60),
      ...changes,
    },
  };
}

/** Evidence that is there, about this release or another. */
function evidence(name: string, release: object = {}, producedAt = ago(60)): object {
  return {
    document: `${name}.intoto.jsonl`,
    statement: { subject: releaseSubjects({ ...readyFacts.release, ...release }) },
    content: { evidence: name, producedAt },
  };
}

const cutoverEnded = {
  before: { ...readyFacts.before, times: { cutover: "2026-03-02T11:58:00Z" } },
};

const byOwner = approval("database-owner", owner);
const early = approval("release-manager", manager, { signedAt: "2026-03-02T11:57:59Z" });
const both = [approval("release-manager", manager), byOwner];

function withTime(one: object, signedAt: string): object {
  const { content, ...rest } = one as { content: object };
  return { ...rest, content: { ...content, signedAt } };
}

testKind("approved", {
  requires: { roles: ["release-manager", "database-owner"], maxAge: "1d" },
  required: "approval as release-manager and database-owner, by nobody who made the release",
  given: { ...nothingAttested, digest: readyFacts.evidenceDigest, approvals: both },
  passes: {
    "as old as it may be": {
      given: {
        approvals: [
          approval("release-manager", manager, { signedAt: ago(86_400) }),
          approval("database-owner", owner),
        ],
      },
    },
    "one person in both roles where that is allowed": {
      requires: { separatePeople: false },
      given: {
        approvals: [approval("release-manager", manager), approval("database-owner", manager)],
      },
    },
    "two people for one role, of whom one has the other role too": {
      given: {
        approvals: [
          approval("release-manager", manager),
          approval("database-owner", manager),
          byOwner,
        ],
      },
    },
    "the author where nobody is barred": {
      requires: { barred: "nobody" },
      given: { approvals: [approval("release-manager", author), byOwner] },
    },
    "the documents that are approved": {
      requires: { documents: ["rehearsal", "runbook"] },
      given: { evidence: [evidence("rehearsal"), evidence("runbook"), evidence("other")] },
    },
    "just after the end of the phase": {
      requires: { after: "cutover" },
      given: {
        approvals: [
          approval("release-manager", manager, { signedAt: "2026-03-02T11:58:00Z" }),
          byOwner,
        ],
      },
      facts: cutoverEnded,
    },
    "just early enough before the cutover": {
      requires: { lead: "24h" },
      given: { approvals: both.map((one) => withTime(one, ago(86_400))) },
      facts: { plannedCutover: ago(0) },
    },
    "a cutover that begins a little before its time": {
      requires: { lead: "24h" },
      given: { approvals: both.map((one) => withTime(one, ago(86_400))) },
      facts: { plannedCutover: ago(-requirements.clockSkewSeconds) },
    },
    "no plan of a cutover where nobody asks for one": { facts: { plannedCutover: null } },
    "a void one beside one that counts": {
      given: { approvals: [approval("release-manager", manager, { stack: "other" }), ...both] },
    },
  },
  fails: {
    "nobody at all": [
      { given: { approvals: [] } },
      "inconclusive",
      "nobody approved it as release-manager",
    ],
    "one role of two": [
      { given: { approvals: both.slice(0, 1) } },
      "inconclusive",
      "nobody approved it as database-owner",
    ],
    "a second older than it may be": [
      {
        given: {
          approvals: [approval("release-manager", manager, { signedAt: ago(86_401) }), byOwner],
        },
      },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        "it is from 2026-03-01T11:59:59.000Z, older than 1 day",
    ],
    "one person in both roles": [
      {
        given: {
          approvals: [approval("release-manager", manager), approval("database-owner", manager)],
        },
      },
      "inconclusive",
      "one person signed in more than one role",
    ],
    "the author under another name": [
      {
        given: {
          approvals: [approval("release-manager", "an-older-name@example.com", {}, old), byOwner],
        },
      },
      "inconclusive",
      "the approval as release-manager by an-older-name@example.com is void: its approver made the release",
    ],
    "of other evidence and another checklist": [
      {
        given: {
          approvals: [
            approval("release-manager", manager, {
              evidenceDigest: "0".repeat(64),
              checklistDigest: "0".repeat(64),
            }),
            byOwner,
          ],
        },
      },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        "the evidence has changed since, the checklist has changed since",
    ],
    "a document that is not there": [
      {
        requires: { documents: ["rehearsal", "runbook"] },
        given: { evidence: [evidence("rehearsal")] },
      },
      "inconclusive",
      "there is no evidence runbook, so the approval is about nothing",
    ],
    "a document about another release": [
      {
        requires: { documents: ["rehearsal"] },
        given: {
          evidence: [evidence("rehearsal", { version: "v1.0.0", digest: "0".repeat(64) })],
        },
      },
      "inconclusive",
      "evidence rehearsal: it is about another release (v1.0.0)",
    ],
    "a document that is too old": [
      {
        requires: { documents: ["rehearsal"] },
        given: { evidence: [evidence("rehearsal", {}, ago(86_401))] },
      },
      "inconclusive",
      `evidence rehearsal: it is from ${ago(86_401)}, older than 1 day`,
    ],
    "a document from before the end of the phase": [
      {
        requires: { documents: ["rehearsal"], after: "cutover" },
        facts: cutoverEnded,
        given: { evidence: [evidence("rehearsal", {}, "2026-03-02T11:57:59Z")] },
      },
      "inconclusive",
      "evidence rehearsal: it is from 2026-03-02T11:57:59Z, before the end of cutover (2026-03-02T11:58:00Z)",
    ],
    "a document about another release beside one about this": [
      {
        requires: { documents: ["rehearsal"] },
        given: { evidence: [evidence("rehearsal"), evidence("rehearsal", { commit: "0" })] },
      },
      "inconclusive",
      "evidence rehearsal: it is about other images or another commit than this release",
    ],
    "a document that nobody vouches for": [
      {
        requires: { documents: ["rehearsal"] },
        given: {
          refused: [{ document: "a.jsonl", claims: "rehearsal", why: "nobody signed it" }],
        },
      },
      "inconclusive",
      "evidence rehearsal: nobody signed it",
    ],
    "before the end of the phase": [
      {
        requires: { after: "cutover" },
        facts: cutoverEnded,
        given: { approvals: [early, byOwner] },
      },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        "it is from 2026-03-02T11:57:59Z, before the end of cutover (2026-03-02T11:58:00Z)",
    ],
    "a phase that has not ended": [
      { requires: { after: "cutover" } },
      "inconclusive",
      "the approval as database-owner by database-owner@example.com is void: " +
        "no cutover of v1.1.0 has ended yet",
    ],
    "too late before the cutover": [
      { requires: { lead: "24h" }, facts: { plannedCutover: ago(61 - 86_400) } },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        `it is from ${ago(60)}, less than 1 day before the planned cutover (${ago(61 - 86_400)})`,
    ],
    "a plan that the cutover does not wait for": [
      { requires: { lead: "24h" }, facts: { plannedCutover: "2030-01-01T00:00:00Z" } },
      "inconclusive",
      "the planned cutover (2030-01-01T00:00:00Z) is still to come",
    ],
    "a plan that is no time": [
      { requires: { lead: "24h" }, facts: { plannedCutover: "soon" } },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        `it is from ${ago(60)}, less than 1 day before the planned cutover (soon)`,
    ],
    "no plan of the cutover": [
      { requires: { lead: "24h" }, facts: { plannedCutover: null } },
      "inconclusive",
      "nobody knows when the cutover is to begin",
    ],
    "of another phase": [
      {
        given: {
          approvals: [approval("release-manager", manager, { phase: "finalize" }), byOwner],
        },
      },
      "inconclusive",
      "nobody approved it as release-manager",
    ],
  },
  refuses: {
    "no roles": { roles: [] },
    "a role twice": { roles: ["release-manager", "release-manager"] },
    "somebody else barred": { barred: "manager" },
    "a length of time without a unit": { maxAge: "7" },
    "no documents": { documents: [] },
    "a document twice": { documents: ["runbook", "runbook"] },
    "a document that is no name": { documents: ["Run book"] },
    "a phase that there is none of": { after: "freeze" },
    "a lead without a unit": { lead: "24" },
  },
  hostile: (name) => ({
    given: { approvals: [approval("release-manager", manager, { stack: name }), byOwner] },
  }),
});

test("says all that is required of an approval, and whose approval it asks for", () => {
  const asked = approved.requires.parse({
    roles: ["release-manager", "database-owner"],
    documents: ["rehearsal"],
    after: "cutover",
    lead: "24h",
  });
  expect(approved.required(asked)).toBe(
    "approval as release-manager and database-owner of rehearsal, after the end of cutover, " +
      "1 day before the planned cutover, by nobody who made the release",
  );
  expect(approved.roles?.(asked)).toEqual(["release-manager", "database-owner"]);
});
