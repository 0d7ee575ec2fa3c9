import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import type { GuardFacts } from "../contract/facts.ts";
import { phases, type Phase } from "../contract/phase.ts";
import { ageProblems, durationText } from "../evidence/age.ts";
import { approvalsAs, bindingProblems, roleList, voidReason } from "../evidence/approvals.ts";
import type { Attested } from "../evidence/attested.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { releaseKind, type KindContext } from "../kind.ts";
import { joined, shownName } from "../checks/names.ts";

type Approval = Attested["approvals"][number];

/**
 * The sign-offs of a phase name who signed, or when. The two are judged apart: a stranger's signature has a time, and
 * one with a time that cannot be has a name.
 */
export const signOffsRecorded = releaseKind({
  kind: "sign-offs-recorded",
  title: "The sign-off of each named role says who signed, or when.",
  judges: "release",
  requires: z
    .strictObject({
      roles: roleList.describe("the roles whose sign-offs are recorded"),
      shows: z
        .enum(["who", "time"])
        .describe("what each must say: who signed it, or the time when it was signed"),
      within: duration.optional().describe("how old the time may be, such as 7d"),
    })
    .refine(({ shows, within }) => shows === "time" || within === undefined, {
      message: "only a time can be old",
      path: ["within"],
    }),
  asksStack: ({ shows }) => shows === "time",
  roles: ({ roles }) => roles,
  required: ({ roles, shows, within }) =>
    shows === "who"
      ? `a sign-off as ${joined(roles)} by somebody whom the allowed signers know`
      : `a sign-off as ${joined(roles)} with a real time, after the phase before` +
        (within === undefined ? "" : ` and within the last ${durationText(within)}`),
  judge: (attested, { roles, shows, within }, context) => {
    const { facts, phase } = context;
    const remedy = (wanted: string) => ({
      remedy: `npx cutover approve --role ${wanted} --phase ${phase}`,
    });
    return roles.flatMap((wanted): Reason[] => {
      const given = approvalsAs(wanted, attested, phase).map((approval) => ({
        approval,
        problems: bindingProblems(approval, attested, facts),
      }));
      if (given.length === 0) {
        return [inconclusive(`no sign-off as ${wanted} is recorded`, remedy(wanted))];
      }
      const about = given.filter(({ problems }) => problems.length === 0);
      if (about.length === 0) {
        return given.map(({ approval, problems }) => ({
          ...voidReason(wanted, approval.content.approver, problems),
          ...remedy(wanted),
        }));
      }
      const judged = about.map(({ approval }) =>
        shows === "who" ? whoProblems(approval, attested) : timeProblems(approval, within, context),
      );
      if (judged.some((problems) => problems.length === 0)) return [];
      return judged.map((problems) =>
        inconclusive(`the sign-off as ${wanted}: ${problems.join(", ")}`, remedy(wanted)),
      );
    });
  },
});

function whoProblems({ content }: Approval, { people }: Attested): string[] {
  if (people.includes(content.approver)) return [];
  return [`it is by ${shownName(content.approver)}, whom the allowed signers do not know`];
}

function timeProblems(
  { content }: Approval,
  within: number | undefined,
  { facts, now, phase }: KindContext,
): string[] {
  const { signedAt } = content;
  const age = ageProblems(signedAt, within ?? Number.POSITIVE_INFINITY, now);
  const before = endBefore(phase, facts);
  // The end is what the ledger says; one that cannot be read proves no order.
  if (before === undefined || Date.parse(signedAt) >= Date.parse(before.at)) return age;
  return [
    ...age,
    `it is from ${signedAt}, before the end of ${before.phase} (${shownName(before.at)})`,
  ];
}

/** When the phase before ended: the newest earlier one that this release went through. */
function endBefore(
  phase: Phase,
  { before, release }: GuardFacts,
): { readonly phase: Phase; readonly at: string } | undefined {
  if (before.release !== release.version) return undefined;
  return phases
    .slice(0, phases.indexOf(phase))
    .toReversed()
    .flatMap((one) => {
      const at = before.times[one];
      return at === undefined ? [] : [{ phase: one, at }];
    })[0];
}
