import { z } from "zod";
import { listed, own, shownName, uniqueList, uniqueNames } from "../checks/names.ts";
import { checklistGates, gateName } from "../contract/checklist.ts";
import { fail, inconclusive } from "../gate.ts";
import { releaseKind, type KindContext } from "../kind.ts";

const opening = ["pass", "waived"] as const;

/** The newest release record is of this release and says how its gates were passed. */
export const recordShows = releaseKind({
  kind: "record-shows",
  title: "The release record says of the named gates how they were passed.",
  judges: "release",
  requires: z.strictObject({
    gates: z
      .union([z.literal("all"), uniqueNames], "all, or a list of gates such as dashboard/ci-green")
      .describe(
        "the gates by the names in the record; all are those of the checklist before cutover",
      ),
    verdicts: uniqueList(z.enum(opening))
      .default([...opening])
      .describe("how each of them may have been passed: pass, waived"),
  }),
  asksStack: () => true,
  required: ({ gates, verdicts }) =>
    `a record of this release that says ${verdicts.join(" or ")} of ` +
    (gates === "all" ? "every gate of the checklist before cutover" : listed(gates)),
  judge: (_, { gates, verdicts }, context) => {
    const { record } = context.facts.before;
    const { version } = context.facts.release;
    if (record === null) return [inconclusive("there is no release record yet")];
    if (record.release !== version) {
      return [
        inconclusive(
          `the newest release record is of ${shownName(record.release)}, not ${version}`,
        ),
      ];
    }
    const names = gates === "all" ? gatesBeforeCutover(context) : gates;
    if (names.length === 0) return [inconclusive("the checklist has no gate before cutover")];
    return names.flatMap((name) => {
      const verdict = own(record.verdicts, name);
      const gate = shownName(name);
      if (verdict === undefined) return [inconclusive(`the record says nothing of gate ${gate}`)];
      if (verdicts.some((one) => one === verdict)) return [];
      return [fail(`the record says ${shownName(verdict)} of gate ${gate}`)];
    });
  },
});

function gatesBeforeCutover({ checklist }: KindContext): string[] {
  return checklistGates(checklist, "cutover").map(({ id }) => gateName(checklist.system, id));
}
