import { z } from "zod";
import { joined, listed, shownName, uniqueNames } from "../checks/names.ts";
import { phases } from "../contract/phase.ts";
import { fail } from "../gate.ts";
import { releaseKind } from "../kind.ts";

/** The checklist itself holds the named gates, before this phase, and waivable or not as it must be. */
export const gatesDeclared = releaseKind({
  kind: "gates-declared",
  title: "The checklist of this run holds the named gates.",
  judges: "release",
  requires: z.strictObject({
    gates: uniqueNames.describe("the ids of the gates"),
    phase: z.enum(phases).optional().describe("the phase that each of them must stand before"),
    waivable: z
      .boolean()
      .optional()
      .describe("whether a waiver may open them; false asks that none can"),
  }),
  required: ({ gates, phase, waivable }) =>
    joined([
      `the gates ${listed(gates)} in the checklist`,
      ...(phase === undefined ? [] : [`each before ${phase}`]),
      ...(waivable === undefined ? [] : [`each waivable: ${String(waivable)}`]),
    ]),
  judge: (_, { gates, phase, waivable }, { checklist }) =>
    gates.flatMap((id) => {
      const name = shownName(id);
      const gate = checklist.gates.find((one) => one.id === id);
      if (gate === undefined) return [fail(`the checklist holds no gate ${name}`)];
      return [
        ...(phase === undefined || gate.phase.includes(phase)
          ? []
          : [fail(`gate ${name} stands before ${joined(gate.phase)}, not before ${phase}`)]),
        ...(waivable === undefined || gate.waivable === waivable
          ? []
          : [fail(`gate ${name} is waivable: ${String(gate.waivable)}`)]),
      ];
    }),
});
