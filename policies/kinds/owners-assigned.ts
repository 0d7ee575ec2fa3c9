import { z } from "zod";
import { judgeApprovals, role, voidReason } from "../evidence/approvals.ts";
import type { Attested } from "../evidence/attested.ts";
import { inconclusive, fail, type Reason } from "../gate.ts";
import { releaseKind, type KindContext } from "../kind.ts";
import { joined, own, shownName } from "../checks/names.ts";

const task = z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, "a task in kebab case");

/** Somebody whom the pack knows is assigned to each task, and signed for it where that is asked. */
export const ownersAssigned = releaseKind({
  kind: "owners-assigned",
  title: "Somebody is assigned to each named task.",
  judges: "release",
  requires: z
    .strictObject({
      owners: z.array(task).min(1).describe("the tasks that need an owner"),
      accepted: z
        .record(task, role)
        .refine((roles) => Object.keys(roles).length > 0, "at least one entry")
        .meta({ minProperties: 1 })
        .optional()
        .describe("by task, the role in which its owner must have approved the phase"),
    })
    .refine(
      ({ owners, accepted = {} }) => Object.keys(accepted).every((one) => owners.includes(one)),
      {
        message: "each of them must be among owners",
        path: ["accepted"],
      },
    ),
  roles: ({ accepted = {} }) => [...new Set(Object.values(accepted))],
  required: ({ owners, accepted = {} }) => {
    const tasks = Object.entries(accepted).map(([one, as]) => `${one} as ${as}`);
    return (
      `an owner of ${joined(owners)} whom the allowed signers know` +
      (tasks.length === 0 ? "" : `, who signed for ${joined(tasks)}`)
    );
  },
  judge: (attested, { owners, accepted = {} }, context) =>
    owners.flatMap((one) => {
      const remedy = `pulumi config set --path cutover:owners.${one} <principal>`;
      const owner = own(context.facts.owners, one);
      if (owner === undefined || owner === "")
        return [inconclusive(`nobody owns ${one}`, { remedy })];
      if (!attested.people.includes(owner)) {
        return [
          fail(`${one} is owned by ${shownName(owner)}, whom the allowed signers do not know`, {
            remedy,
          }),
        ];
      }
      const as = own(accepted, one);
      return as === undefined ? [] : judgeAccepted(one, owner, as, attested, context);
    }),
});

/** What is wrong with the yes of a task's owner. Who made the release may own a task of it. */
function judgeAccepted(
  one: string,
  owner: string,
  as: string,
  attested: Attested,
  context: KindContext,
): Reason[] {
  const judged = judgeApprovals(as, attested, { barred: "nobody" }, context).filter(
    ({ principals }) => principals.includes(owner),
  );
  if (judged.some(({ problems }) => problems.length === 0)) return [];
  const remedy = `ask them for npx cutover approve --role ${as} --phase ${context.phase}`;
  if (judged.length === 0) {
    const found = `${shownName(owner)}, who owns ${one}, has not signed for it as ${as}`;
    return [inconclusive(found, { remedy })];
  }
  return judged.map(({ approver, problems }) => ({
    ...voidReason(as, approver, problems),
    remedy,
  }));
}
