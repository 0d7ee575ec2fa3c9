import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import { phases } from "../contract/phase.ts";
import { subjectProblems } from "../contract/statement.ts";
import { afterProblems, ageProblems, durationText } from "../evidence/age.ts";
import { judgeApprovals, roleList, voidReason, type ApprovalAsked } from "../evidence/approvals.ts";
import type { Attested } from "../evidence/attested.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { releaseKind, type KindContext } from "../kind.ts";
import { requirements } from "../requirements.ts";
import { joined, listed, shownName, uniqueList } from "../checks/names.ts";

const { clockSkewSeconds } = requirements;

/** Every role signed for this phase of this release, with this evidence and this checklist. */
export const approved = releaseKind({
  kind: "approved",
  title: "Every named role approved the phase, of this release and with this evidence.",
  judges: "release",
  requires: z.strictObject({
    roles: roleList.describe("the roles that must all sign"),
    barred: z
      .enum(["author", "nobody"])
      .default("author")
      .describe("who may not sign: `author` are those who made the release"),
    separatePeople: z
      .boolean()
      .default(true)
      .describe("whether each role must be signed by somebody else"),
    maxAge: duration
      .optional()
      .describe("how old an approval may be, and the documents that are approved"),
    documents: uniqueList(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a name in kebab case"))
      .optional()
      .describe("names of the evidence that is approved, which must be there"),
    after: z
      .enum(phases)
      .optional()
      .describe(
        "a phase of this release that must have ended before they sign, and before the documents were made",
      ),
    lead: duration
      .optional()
      .describe(
        "how long before the planned cutover they must have signed, such as 24h; it may not begin earlier then",
      ),
  }),
  asksStack: ({ after }) => after !== undefined,
  roles: ({ roles }) => roles,
  documents: ({ documents = [] }) => documents,
  required: ({ roles, barred, documents, after, lead }) =>
    `approval as ${joined(roles)}` +
    (documents === undefined ? "" : ` of ${listed(documents)}`) +
    (after === undefined ? "" : `, after the end of ${after}`) +
    (lead === undefined ? "" : `, ${durationText(lead)} before the planned cutover`) +
    (barred === "nobody" ? "" : ", by nobody who made the release"),
  judge: (attested, { roles, separatePeople, documents = [], ...asked }, context) => {
    const signed: (readonly string[])[][] = [];
    const reasons = roles.flatMap((wanted): Reason[] => {
      const judged = judgeApprovals(wanted, attested, asked, context);
      const valid = judged.filter(({ problems }) => problems.length === 0);
      if (valid.length > 0) {
        signed.push(valid.map(({ principals }) => principals));
        return [];
      }
      if (judged.length === 0) return [inconclusive(`nobody approved it as ${wanted}`)];
      return judged.map(({ approver, problems }) => voidReason(wanted, approver, problems));
    });
    const all = [
      ...documents.flatMap((name) => judgeDocument(name, attested, asked, context)),
      ...(asked.lead === undefined ? [] : planProblems(context)),
      ...reasons,
    ];
    if (all.length > 0 || !separatePeople || canSeparate(signed)) return all;
    return [inconclusive("one person signed in more than one role")];
  },
});

const unplanned = inconclusive("nobody knows when the cutover is to begin", {
  remedy: "pulumi config set cutoverAt <time>",
});

/** What is wrong with the plan that a lead is counted to: a cutover that begins before it has none. */
function planProblems({ facts, now, clockScale }: KindContext): Reason[] {
  const { phase, plannedCutover } = facts;
  if (plannedCutover === null) return [unplanned];
  const wait = Date.parse(plannedCutover) - now;
  // A rehearsal, where time is scaled, comes before the cutover that it rehearses.
  if (phase !== "cutover" || clockScale !== 1 || !(wait > clockSkewSeconds * 1000)) return [];
  return [
    inconclusive(`the planned cutover (${shownName(plannedCutover)}) is still to come`, {
      remedy: "wait until then, or plan the cutover for now in cutover:cutoverAt",
    }),
  ];
}

/** What is wrong with a document that is approved: it must be there, verified, about this release, and recent enough. */
function judgeDocument(
  name: string,
  { evidence, refused }: Attested,
  { maxAge, after }: Pick<ApprovalAsked, "maxAge" | "after">,
  { facts, now }: KindContext,
): Reason[] {
  const held = evidence.filter(({ content }) => content.evidence === name);
  const problems = [
    ...refused.filter(({ claims }) => claims === name).map(({ why }) => why),
    ...held.flatMap(({ statement, content: { producedAt } }) => [
      ...subjectProblems(statement.subject, facts.release),
      ...ageProblems(producedAt, maxAge ?? Number.POSITIVE_INFINITY, now),
      ...(after === undefined ? [] : afterProblems(producedAt, after, facts)),
    ]),
  ];
  const remedy = `npx cutover attest ${name} --format <format> --report <file>`;
  if (held.length === 0 && problems.length === 0) {
    return [
      inconclusive(`there is no evidence ${name}, so the approval is about nothing`, { remedy }),
    ];
  }
  return problems.map((problem) => inconclusive(`evidence ${name}: ${problem}`, { remedy }));
}

/** Whether a person of their own can be found for each role, among those who signed for it. */
function canSeparate(
  [first, ...rest]: readonly (readonly (readonly string[])[])[],
  taken: readonly string[] = [],
): boolean {
  if (first === undefined) return true;
  return first.some(
    (person) =>
      !person.some((principal) => taken.includes(principal)) &&
      canSeparate(rest, [...taken, ...person]),
  );
}
