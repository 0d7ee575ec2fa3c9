import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import { subjectProblems } from "../contract/statement.ts";
import type { Attested } from "../evidence/attested.ts";
import { ageProblems } from "../evidence/age.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { releaseKind, type KindContext } from "../kind.ts";
import { joined, shownName } from "../checks/names.ts";

const role = z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, "a role in kebab case");

/** Every role signed for this phase of this release, with this evidence and this checklist. */
export const approved = releaseKind({
  kind: "approved",
  title: "Every named role approved the phase, of this release and with this evidence.",
  judges: "release",
  requires: z.strictObject({
    roles: z
      .array(role)
      .min(1)
      .refine((roles) => new Set(roles).size === roles.length, "each role once")
      .describe("the roles that must all sign"),
    barred: z
      .enum(["author", "nobody"])
      .default("author")
      .describe("who may not sign: `author` are those who made the release"),
    separatePeople: z
      .boolean()
      .default(true)
      .describe("whether each role must be signed by somebody else"),
    maxAge: duration.optional().describe("how old an approval may be"),
  }),
  required: ({ roles, barred }) =>
    `approval as ${joined(roles)}${barred === "nobody" ? "" : ", by nobody who made the release"}`,
  judge: (attested, { roles, barred, separatePeople, maxAge }, context) => {
    const { facts, now, phase } = context;
    const signed: (readonly string[])[][] = [];
    const reasons = roles.flatMap((wanted): Reason[] => {
      const given = attested.approvals.filter(
        ({ content }) => content.role === wanted && content.phase === phase,
      );
      const judged = given.map(({ content, statement, principals }) => ({
        approver: content.approver,
        principals,
        problems: [
          ...subjectProblems(statement.subject, facts.release),
          ...bindingProblems(content, attested, context),
          ...(barred === "author" &&
          facts.release.authors.some((author) => principals.includes(author))
            ? ["its approver made the release"]
            : []),
          ...ageProblems(content.signedAt, maxAge ?? Number.POSITIVE_INFINITY, now),
        ],
      }));
      const valid = judged.filter(({ problems }) => problems.length === 0);
      if (valid.length > 0) {
        signed.push(valid.map(({ principals }) => principals));
        return [];
      }
      if (judged.length === 0) return [inconclusive(`nobody approved it as ${wanted}`)];
      return judged.map(({ approver, problems }) =>
        inconclusive(
          `the approval as ${wanted} by ${shownName(approver)} is void: ${problems.join(", ")}`,
        ),
      );
    });
    if (reasons.length > 0 || !separatePeople || canSeparate(signed)) return reasons;
    return [inconclusive("one person signed in more than one role")];
  },
});

function bindingProblems(
  content: Attested["approvals"][number]["content"],
  attested: Attested,
  { facts }: KindContext,
): string[] {
  return [
    ...(content.stack === facts.stack ? [] : [`it is about stack ${shownName(content.stack)}`]),
    ...(content.evidenceDigest === attested.digest ? [] : ["the evidence has changed since"]),
    ...(content.checklistDigest === facts.checklistDigest
      ? []
      : ["the checklist has changed since"]),
  ];
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
