import { z } from "zod";
import { joined, uniqueList } from "../checks/names.ts";
import { stepName } from "../contract/steps.ts";
import { fail } from "../gate.ts";
import { releaseKind } from "../kind.ts";

/** This run does these steps, each after the one before it. */
export const stepsInOrder = releaseKind({
  kind: "steps-in-order",
  title: "This run does the named steps, in this order.",
  judges: "release",
  requires: z.strictObject({
    order: uniqueList(stepName).describe(
      "the steps of the release that this run must do, in their order",
    ),
  }),
  asksStack: () => true,
  required: ({ order }) =>
    `a run that does ${joined(order)}${order.length === 1 ? "" : ", in this order"}`,
  judge: (_, { order }, { facts: { steps } }) => {
    const left = order.filter((step) => !steps.includes(step));
    if (left.length > 0) return [fail(`this run does not do ${joined(left)}`)];
    return order.flatMap((step, index) => {
      const next = order[index + 1];
      if (next === undefined || steps.lastIndexOf(step) < steps.indexOf(next)) return [];
      return [fail(`this run does ${next} before ${step}`)];
    });
  },
});
