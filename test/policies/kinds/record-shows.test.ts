import { nothingAttested } from "../../../policies/evidence/attested.ts";
import type { GuardFacts } from "../../../policies/contract/facts.ts";
import type { Verdict } from "../../../policies/contract/verdict.ts";
import { testKind } from "../../support/kind-tester.ts";
import { readyFacts } from "../../support/samples.ts";

/** The facts after a cutover whose record says so of the gates. */
function recorded(
  verdicts: Record<string, Verdict>,
  release: string = readyFacts.release.version,
): Partial<GuardFacts> {
  const record = { release, at: "2026-03-02T11:00:00Z", verdicts };
  return { phase: "observe", before: { ...readyFacts.before, record } };
}

const gate = "flagship/owners-assigned";

testKind("record-shows", {
  requires: { gates: "all" },
  required:
    "a record of this release that says pass or waived of every gate of the checklist before cutover",
  given: { ...nothingAttested },
  facts: recorded({ [gate]: "pass", "phase-in-order": "pass" }),
  passes: {
    "a gate by name": { requires: { gates: ["phase-in-order", gate] } },
    "a gate that was waived": { facts: recorded({ [gate]: "waived" }) },
    "a gate that was waived, where only that is asked": {
      requires: { verdicts: ["waived"] },
      facts: recorded({ [gate]: "waived" }),
    },
    "another gate that failed": { facts: recorded({ [gate]: "pass", other: "fail" }) },
  },
  fails: {
    "no record": [
      { facts: { before: { ...readyFacts.before, record: null } } },
      "inconclusive",
      "there is no release record yet",
    ],
    "a record of another release": [
      { facts: recorded({ [gate]: "pass" }, "v1.0.0") },
      "inconclusive",
      "the newest release record is of v1.0.0, not v1.1.0",
    ],
    "a record that says nothing of a gate": [
      { facts: recorded({ "phase-in-order": "pass" }) },
      "inconclusive",
      `the record says nothing of gate ${gate}`,
    ],
    "a record that says nothing of a gate that every object has": [
      { requires: { gates: ["constructor"] } },
      "inconclusive",
      "the record says nothing of gate constructor",
    ],
    "a gate that failed": [
      { facts: recorded({ [gate]: "fail" }) },
      "fail",
      `the record says fail of gate ${gate}`,
    ],
    "a gate that could not be judged": [
      { facts: recorded({ [gate]: "inconclusive" }) },
      "fail",
      `the record says inconclusive of gate ${gate}`,
    ],
    "a gate that was waived, where it must have passed": [
      { requires: { verdicts: ["pass"] }, facts: recorded({ [gate]: "waived" }) },
      "fail",
      `the record says waived of gate ${gate}`,
    ],
  },
  refuses: {
    "no gate": { gates: [] },
    "a gate twice": { gates: [gate, gate] },
    "some gates": { gates: "some" },
    "gates that failed": { verdicts: ["fail"] },
    "no verdict": { verdicts: [] },
    "a verdict twice": { verdicts: ["pass", "pass"] },
  },
  hostile: (name) => ({
    requires: { gates: [name.trim() === "" ? "name" : name, "other"] },
    facts: recorded({ other: name as Verdict }),
  }),
});
