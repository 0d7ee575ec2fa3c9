import { digestOf } from "./digest.ts";
import type { GuardFacts } from "./facts.ts";
import type { Checklist } from "./checklist.ts";
import { requiredGates } from "./gates.ts";
import type { Verdict } from "./verdict.ts";

/** A waiver that a gate is open by. */
export interface WaiverNote {
  readonly approver: string;
  /** ISO 8601. */
  readonly expires: string;
  readonly reason: string;
}

/** What the pack writes into a guard's inputs: which gates it judged, on which facts, and how. */
export interface Seal {
  /** Name and version of the pack. */
  readonly pack: string;
  /** Digest of the facts that were judged. */
  readonly factsDigest: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Of each waived gate: who waived it, until when and why. */
  readonly waivers: Readonly<Record<string, WaiverNote>>;
  /** Per gate: `on`, or `off` when the run's policy config switched the gate off. */
  readonly enforcement: Readonly<Record<string, "on" | "off">>;
}

/** One reason why a guard stays closed. */
export interface SealProblem {
  readonly gate: string | null;
  readonly kind:
    | "no-pack"
    | "other-facts"
    | "other-checklist"
    | "switched-off"
    | "not-judged"
    | "not-required"
    | "closed";
  readonly text: string;
}

/**
 * Every reason why this seal does not open this guard; none means open. A missing seal is one reason, a seal of other
 * facts is one, facts of another checklist are one, and each required gate that is off, not judged or not passed is one.
 * The seal covers exactly what is required: a gate more, and it was made for something else.
 */
export function sealProblems(
  seal: Seal | undefined,
  facts: GuardFacts,
  checklist: Checklist,
): SealProblem[] {
  if (seal === undefined) {
    return [
      {
        gate: null,
        kind: "no-pack",
        text:
          "no policy pack judged this run, or its seal was switched off. " +
          "To do: run the command again with --policy-pack policies",
      },
    ];
  }
  const problems: SealProblem[] = [];
  if (seal.factsDigest !== digestOf(facts)) {
    problems.push({
      gate: null,
      kind: "other-facts",
      text: "the seal is about other facts than these. To do: run pulumi up again",
    });
  }
  if (facts.checklistDigest !== checklist.digest) {
    problems.push({
      gate: null,
      kind: "other-checklist",
      text: `the facts are about another checklist than checklists/${facts.system}.yaml. To do: run pulumi up again`,
    });
  }
  const required = requiredGates(facts.guard, facts.phase, facts.direction, checklist);
  for (const gate of Object.keys(seal.verdicts).filter((id) => !required.includes(id))) {
    problems.push({ gate, kind: "not-required", text: `gate ${gate} is sealed and not required` });
  }
  for (const gate of required) {
    const verdict = seal.verdicts[gate];
    if (seal.enforcement[gate] !== "on") {
      problems.push({
        gate,
        kind: "switched-off",
        text: `gate ${gate} was switched off. To do: remove ${gate.includes("/") ? "checklist" : "it"} from --policy-pack-config`,
      });
    }
    if (verdict === undefined) {
      problems.push({ gate, kind: "not-judged", text: `gate ${gate} was not judged` });
    } else if (verdict !== "pass" && verdict !== "waived") {
      problems.push({ gate, kind: "closed", text: `gate ${gate} is closed: ${verdict}` });
    }
  }
  return problems;
}
