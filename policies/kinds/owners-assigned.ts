import { z } from "zod";
import { inconclusive, fail } from "../gate.ts";
import { releaseKind } from "../kind.ts";
import { joined, own, shownName } from "../checks/names.ts";

/** Somebody whom the pack knows is assigned to each task. */
export const ownersAssigned = releaseKind({
  kind: "owners-assigned",
  title: "Somebody is assigned to each named task.",
  judges: "release",
  requires: z.strictObject({
    owners: z
      .array(z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, "a task in kebab case"))
      .min(1)
      .describe("the tasks that need an owner"),
  }),
  required: ({ owners }) => `an owner of ${joined(owners)} whom the allowed signers know`,
  judge: ({ people }, { owners }, { facts }) =>
    owners.flatMap((task) => {
      const remedy = `pulumi config set --path cutover:owners.${task} <principal>`;
      const owner = own(facts.owners, task);
      if (owner === undefined || owner === "")
        return [inconclusive(`nobody owns ${task}`, { remedy })];
      if (people.includes(owner)) return [];
      return [
        fail(`${task} is owned by ${shownName(owner)}, whom the allowed signers do not know`, {
          remedy,
        }),
      ];
    }),
});
