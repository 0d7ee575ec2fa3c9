import { expect, test } from "vitest";
import { releaseSubjects } from "../../../policies/contract/statement.ts";
import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { ownersAssigned } from "../../../policies/kinds/owners-assigned.ts";
import { ago, testKind, type KindSample } from "../../support/kind-tester.ts";
import { readyFacts, samplePerson } from "../../support/samples.ts";

function approval(approver: string, changes: object = {}, principals = [approver]): object {
  return {
    document: "approval.intoto.jsonl",
    statement: { subject: releaseSubjects(readyFacts.release) },
    principals,
    content: {
      stack: readyFacts.stack,
      phase: readyFacts.phase,
      role: "rollback-owner",
      approver,
      evidenceDigest: readyFacts.evidenceDigest,
      checklistDigest: readyFacts.checklistDigest,
      signedAt: ago(60),
      ...changes,
    },
  };
}

const accepted = { accepted: { rollback: "rollback-owner" } };
const signed = (...approvals: readonly object[]): KindSample => ({
  requires: accepted,
  given: { digest: readyFacts.evidenceDigest, approvals },
});

testKind("owners-assigned", {
  requires: { owners: ["rollback", "communication"] },
  required: "an owner of rollback and communication whom the allowed signers know",
  given: { ...nothingAttested, people: [samplePerson] },
  facts: { owners: { rollback: samplePerson, communication: samplePerson } },
  passes: {
    "an owner who signed for the task": signed(approval(samplePerson)),
    "an owner who signed under another name": signed(
      approval("old@example.com", {}, ["old@example.com", samplePerson]),
    ),
    "an owner who made the release": {
      ...signed(approval(samplePerson)),
      facts: {
        owners: { rollback: samplePerson, communication: samplePerson },
        release: { ...readyFacts.release, authors: [samplePerson] },
      },
    },
    "a void yes beside one that counts": signed(
      approval(samplePerson, { stack: "other" }),
      approval(samplePerson),
    ),
    "another task without an owner": {
      facts: { owners: { rollback: samplePerson, communication: samplePerson, other: "" } },
    },
  },
  fails: {
    "an owner who did not sign": [
      signed(),
      "inconclusive",
      "release-manager@example.com, who owns rollback, has not signed for it as rollback-owner",
    ],
    "somebody else who signed": [
      signed(approval("database-owner@example.com")),
      "inconclusive",
      "release-manager@example.com, who owns rollback, has not signed for it as rollback-owner",
    ],
    "an owner who signed in another role": [
      signed(approval(samplePerson, { role: "release-manager" })),
      "inconclusive",
      "release-manager@example.com, who owns rollback, has not signed for it as rollback-owner",
    ],
    "an owner who signed for another phase": [
      signed(approval(samplePerson, { phase: "finalize" })),
      "inconclusive",
      "release-manager@example.com, who owns rollback, has not signed for it as rollback-owner",
    ],
    "an owner whose yes is void": [
      signed(approval(samplePerson, { checklistDigest: "0".repeat(64), signedAt: ago(-61) })),
      "inconclusive",
      "the approval as rollback-owner by release-manager@example.com is void: " +
        `the checklist has changed since, it is from the future (${ago(-61)})`,
    ],
    "nobody who could have signed": [
      { ...signed(approval(samplePerson)), facts: { owners: { communication: samplePerson } } },
      "inconclusive",
      "nobody owns rollback",
    ],
    "nobody for one task": [
      { facts: { owners: { rollback: samplePerson } } },
      "inconclusive",
      "nobody owns communication",
    ],
    "nobody at all": [{ facts: { owners: {} } }, "inconclusive", "nobody owns rollback"],
    "somebody whom nobody knows": [
      { facts: { owners: { rollback: "tbd", communication: samplePerson } } },
      "fail",
      "rollback is owned by tbd, whom the allowed signers do not know",
    ],
    "an empty name": [
      { facts: { owners: { rollback: "", communication: samplePerson } } },
      "inconclusive",
      "nobody owns rollback",
    ],
    "nobody whom the pack knows": [
      { given: { people: [] } },
      "fail",
      "rollback is owned by release-manager@example.com, whom the allowed signers do not know",
    ],
  },
  refuses: {
    "no task": { owners: [] },
    "a task that is no name": { owners: ["Roll back"] },
    "a yes for a task that needs no owner": { accepted: { freeze: "rollback-owner" } },
    "a yes for no task": { accepted: {} },
    "a role that is no name": { accepted: { rollback: "Rollback owner" } },
  },
  hostile: (name) => ({ facts: { owners: { rollback: name, communication: samplePerson } } }),
});

test("says for what the owners sign, and asks for each role once", () => {
  const asked = ownersAssigned.requires.parse({
    owners: ["rollback", "freeze", "communication"],
    accepted: { rollback: "release-manager", freeze: "release-manager" },
  });
  expect(ownersAssigned.required(asked)).toBe(
    "an owner of rollback, freeze and communication whom the allowed signers know, " +
      "who signed for rollback as release-manager and freeze as release-manager",
  );
  expect(ownersAssigned.roles?.(asked)).toEqual(["release-manager"]);
  expect(ownersAssigned.roles?.({ owners: ["rollback"] })).toEqual([]);
});
