import { z } from "zod";
import type { GuardFacts } from "../contract/facts.ts";
import type { Phase } from "../contract/phase.ts";
import { subjectProblems } from "../contract/statement.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { shownName } from "../checks/names.ts";
import { afterProblems, ageProblems, durationText } from "./age.ts";
import type { Attested } from "./attested.ts";

/** A role of people who sign, in a checklist. */
export const role = z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, "a role in kebab case");

/** A list of roles in a checklist, each once. */
export const roleList = z
  .array(role)
  .min(1)
  .refine((roles) => new Set(roles).size === roles.length, "each role once");

type Approval = Attested["approvals"][number];

/** What approvals are judged for: this phase of this release. */
export interface ApprovalContext {
  readonly facts: GuardFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly phase: Phase;
  readonly clockScale: number;
}

/** What is asked of an approval beside that it is about this phase of this release, and of nothing that has changed. */
export interface ApprovalAsked {
  /** Who may not sign: `author` are those who made the release. */
  readonly barred: "author" | "nobody";
  /** Seconds that it may be old. */
  readonly maxAge?: number | undefined;
  /** The phase after whose end it must be signed. */
  readonly after?: Phase | undefined;
  /** Seconds before the planned cutover by which it must be signed. */
  readonly lead?: number | undefined;
}

/** An approval and why it is void; without a problem it counts. */
export interface JudgedApproval {
  readonly approver: string;
  /** Every principal of the person who signed. */
  readonly principals: readonly string[];
  readonly problems: readonly string[];
}

/** The approvals of the phase in a role, whatever release they are about. */
export function approvalsAs(
  wanted: string,
  { approvals }: Attested,
  phase: Phase,
): readonly Approval[] {
  return approvals.filter(({ content }) => content.role === wanted && content.phase === phase);
}

/** Judges the approvals of the phase in a role. */
export function judgeApprovals(
  wanted: string,
  attested: Attested,
  { barred, maxAge, after, lead }: ApprovalAsked,
  { facts, now, phase, clockScale }: ApprovalContext,
): readonly JudgedApproval[] {
  return approvalsAs(wanted, attested, phase).map((approval) => {
    const { content, principals } = approval;
    const isAuthor = facts.release.authors.some((author) => principals.includes(author));
    return {
      approver: content.approver,
      principals,
      problems: [
        ...bindingProblems(approval, attested, facts),
        ...(barred === "author" && isAuthor ? ["its approver made the release"] : []),
        ...ageProblems(content.signedAt, maxAge ?? Number.POSITIVE_INFINITY, now),
        ...(after === undefined ? [] : afterProblems(content.signedAt, after, facts)),
        ...(lead === undefined ? [] : leadProblems(content.signedAt, lead / clockScale, facts)),
      ],
    };
  });
}

/** What an approval is about other than it must be: the release, the stack, the evidence, the checklist. */
export function bindingProblems(
  { content, statement }: Approval,
  attested: Attested,
  facts: GuardFacts,
): string[] {
  return [
    ...subjectProblems(statement.subject, facts.release),
    ...(content.stack === facts.stack ? [] : [`it is about stack ${shownName(content.stack)}`]),
    ...(content.evidenceDigest === attested.digest ? [] : ["the evidence has changed since"]),
    ...(content.checklistDigest === facts.checklistDigest
      ? []
      : ["the checklist has changed since"]),
  ];
}

/** What is said of an approval that is void. */
export function voidReason(wanted: string, approver: string, problems: readonly string[]): Reason {
  return inconclusive(
    `the approval as ${wanted} by ${shownName(approver)} is void: ${problems.join(", ")}`,
  );
}

function leadProblems(signedAt: string, seconds: number, { plannedCutover }: GuardFacts): string[] {
  // Without a plan there is one reason for all of them, which the caller gives.
  if (plannedCutover === null) return [];
  // Written so that a time which cannot be read comes too late.
  if (Date.parse(signedAt) + seconds * 1000 <= Date.parse(plannedCutover)) return [];
  return [
    `it is from ${signedAt}, less than ${durationText(seconds)} before the planned cutover ` +
      `(${shownName(plannedCutover)})`,
  ];
}
