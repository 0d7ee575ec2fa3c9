import { createHash } from "node:crypto";
import type { GuardFacts } from "./facts.ts";
import { requiredGates, type GateId } from "./gates.ts";

/** A gate's answer. Only `pass` and `waived` open it. */
export type Verdict = "pass" | "fail" | "inconclusive" | "waived";

/** What the pack writes into a guard's inputs: which gates it judged, on which facts, and how. */
export interface Seal {
  /** Name and version of the pack. */
  readonly pack: string;
  /** Digest of the facts that were judged. */
  readonly factsDigest: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Per gate: `on`, or `off` when the run's policy config switched the gate off. */
  readonly enforcement: Readonly<Record<string, "on" | "off">>;
}

/** One reason why a guard stays closed. */
export interface SealProblem {
  readonly gate: GateId | null;
  readonly kind: "no-pack" | "other-facts" | "switched-off" | "not-judged" | "closed";
  readonly text: string;
}

/**
 * JSON with sorted keys, so that equal values have equal texts. Null entries of an object count as absent, because the
 * engine drops them on some of its ways.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined && entry !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
  }
  return value === undefined ? "null" : JSON.stringify(value);
}

/** SHA-256 of a value's canonical JSON, hex. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/**
 * Every reason why this seal does not open this guard; none means open. A missing seal is one reason, a seal of other
 * facts is one, and each required gate that is off, not judged or not passed is one.
 */
export function sealProblems(seal: Seal | undefined, facts: GuardFacts): SealProblem[] {
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
  for (const gate of requiredGates(facts.guard, facts.phase, facts.direction)) {
    const verdict = seal.verdicts[gate];
    if (seal.enforcement[gate] !== "on") {
      problems.push({
        gate,
        kind: "switched-off",
        text: `gate ${gate} was switched off. To do: remove it from --policy-pack-config`,
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
