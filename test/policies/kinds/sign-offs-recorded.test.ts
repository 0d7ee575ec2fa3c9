import { releaseSubjects } from "../../../policies/contract/statement.ts";
import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { ago, testKind, type KindSample } from "../../support/kind-tester.ts";
import { readyFacts } from "../../support/samples.ts";

const manager = "release-manager@example.com";
const owner = "database-owner@example.com";
const stranger = "stranger@example.com";

function signOff(role: string, approver: string, changes: object = {}, release = {}): object {
  return {
    document: `approval-${role}.intoto.jsonl`,
    statement: { subject: releaseSubjects({ ...readyFacts.release, ...release }) },
    principals: [approver],
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

const byOwner = signOff("database-owner", owner);
const managers = (changes: object = {}, release = {}): KindSample => ({
  given: { approvals: [signOff("release-manager", manager, changes, release), byOwner] },
});
const time = { shows: "time" };
const { before } = readyFacts;

testKind("sign-offs-recorded", {
  requires: { roles: ["release-manager", "database-owner"], shows: "who" },
  required:
    "a sign-off as release-manager and database-owner by somebody whom the allowed signers know",
  given: {
    ...nothingAttested,
    digest: readyFacts.evidenceDigest,
    people: [manager, owner],
    approvals: [signOff("release-manager", manager), byOwner],
  },
  passes: {
    "both times": { requires: time },
    "a name, whatever its time is": managers({ signedAt: ago(-3600) }),
    "a time, whoever signed": {
      requires: time,
      given: { approvals: [signOff("release-manager", stranger), byOwner] },
    },
    "one of two that is known": {
      given: {
        approvals: [
          signOff("release-manager", stranger),
          signOff("release-manager", manager),
          byOwner,
        ],
      },
    },
    "as old as it may be": {
      requires: { ...time, within: "1h" },
      ...managers({ signedAt: ago(3600) }),
    },
    "at the very end of the phase before": {
      requires: time,
      ...managers({ signedAt: "2026-03-02T10:00:00Z" }),
    },
    "before a phase of another release ended": {
      requires: time,
      ...managers({ signedAt: "2026-03-01T10:00:00Z" }),
      facts: { before: { ...before, release: "v1.0.0" } },
    },
    "where no phase has ended": {
      requires: time,
      ...managers({ signedAt: "2026-01-01T10:00:00Z" }),
      facts: { before: { ...before, times: {} } },
    },
  },
  fails: {
    "nobody as one role": [
      { given: { approvals: [byOwner] } },
      "inconclusive",
      "no sign-off as release-manager is recorded",
    ],
    "no time of one role": [
      { requires: time, given: { approvals: [byOwner] } },
      "inconclusive",
      "no sign-off as release-manager is recorded",
    ],
    "of another phase": [
      managers({ phase: "finalize" }),
      "inconclusive",
      "no sign-off as release-manager is recorded",
    ],
    "of another release": [
      managers({}, { version: "v1.0.0", digest: "0".repeat(64) }),
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        "it is about another release (v1.0.0)",
    ],
    "of another stack and other evidence": [
      { requires: time, ...managers({ stack: "staging", evidenceDigest: "0".repeat(64) }) },
      "inconclusive",
      "the approval as release-manager by release-manager@example.com is void: " +
        "it is about stack staging, the evidence has changed since",
    ],
    "a stranger": [
      { given: { approvals: [signOff("release-manager", stranger), byOwner] } },
      "inconclusive",
      "the sign-off as release-manager: it is by stranger@example.com, " +
        "whom the allowed signers do not know",
    ],
    "a time to come": [
      { requires: time, ...managers({ signedAt: ago(-61) }) },
      "inconclusive",
      `the sign-off as release-manager: it is from the future (${ago(-61)})`,
    ],
    "a second older than it may be": [
      { requires: { ...time, within: "1h" }, ...managers({ signedAt: ago(3601) }) },
      "inconclusive",
      `the sign-off as release-manager: it is from ${ago(3601)}, older than 1 hour`,
    ],
    "before the phase before ended": [
      { requires: time, ...managers({ signedAt: "2026-03-02T09:59:59Z" }) },
      "inconclusive",
      "the sign-off as release-manager: it is from 2026-03-02T09:59:59Z, " +
        "before the end of lower-ttl (2026-03-02T10:00:00Z)",
    ],
    "before the newest phase that ended, where one was left out": [
      {
        requires: time,
        ...managers({ signedAt: "2026-02-20T09:59:59Z" }),
        facts: { before: { ...before, times: { prepare: "2026-02-20T10:00:00Z" } } },
      },
      "inconclusive",
      "the sign-off as release-manager: it is from 2026-02-20T09:59:59Z, " +
        "before the end of prepare (2026-02-20T10:00:00Z)",
    ],
    "a phase that ended at a time that is none": [
      { requires: time, facts: { before: { ...before, times: { "lower-ttl": "then" } } } },
      "inconclusive",
      `the sign-off as database-owner: it is from ${ago(60)}, before the end of lower-ttl (then)`,
    ],
  },
  refuses: {
    "a role twice": { roles: ["release-manager", "release-manager"] },
    "a role that is no name": { roles: ["Release manager"] },
    "something else": { shows: "place" },
    "nothing of what they show": { shows: undefined },
    "an age of a name": { within: "7d" },
    "a length of time without a unit": { ...time, within: "7" },
  },
  hostile: (name) => ({
    given: {
      approvals: [
        signOff("release-manager", name),
        signOff("database-owner", owner, { stack: name }),
      ],
    },
  }),
});
