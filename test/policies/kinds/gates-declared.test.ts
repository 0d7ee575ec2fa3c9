import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { testKind } from "../../support/kind-tester.ts";

testKind("gates-declared", {
  requires: { gates: ["owners-assigned"], phase: "cutover", waivable: true },
  required:
    "the gates owners-assigned in the checklist, each before cutover and each waivable: true",
  given: { ...nothingAttested },
  passes: {
    "before whatever phase": { requires: { phase: undefined } },
    "waivable or not": { requires: { waivable: undefined } },
  },
  fails: {
    "a gate that the checklist does not hold": [
      { requires: { gates: ["owners-assigned", "backup-restored"] } },
      "fail",
      "the checklist holds no gate backup-restored",
    ],
    "a gate by the name under which it reports": [
      { requires: { gates: ["flagship/owners-assigned"] } },
      "fail",
      "the checklist holds no gate flagship/owners-assigned",
    ],
    "another phase": [
      { requires: { phase: "finalize" } },
      "fail",
      "gate owners-assigned stands before cutover, not before finalize",
    ],
    "a gate that can be waived": [
      { requires: { waivable: false } },
      "fail",
      "gate owners-assigned is waivable: true",
    ],
  },
  refuses: {
    "no gate": { gates: [] },
    "a gate twice": { gates: ["owners-assigned", "owners-assigned"] },
    "a phase that is none": { phase: "launch" },
    "a text for false": { waivable: "false" },
  },
  hostile: (name) => ({ requires: { gates: [name.trim() === "" ? "name" : name] } }),
});
