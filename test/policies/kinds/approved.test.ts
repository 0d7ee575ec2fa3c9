import { releaseSubjects } from "../../../policies/contract/statement.ts";
import { nothingAttested } from "../../../policies/evidence/attested.ts";
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

const byOwner = approval("database-owner", owner);
const both = [approval("release-manager", manager), byOwner];

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
  },
  hostile: (name) => ({
    given: { approvals: [approval("release-manager", manager, { stack: name }), byOwner] },
  }),
});
