import type { ResourceValidationPolicy } from "@pulumi/policy";
import { guardType } from "./contract/facts.ts";
import { requiredGates } from "./contract/gates.ts";
import { digestOf, type Seal, type Verdict } from "./contract/seal.ts";
import { readFacts } from "./facts.ts";
import { judgeGate, verdictOf, type Gate, type Judge } from "./gate.ts";
import { reportAt } from "./gate-policy.ts";
import type { Run } from "./run.ts";
import { plain } from "./values.ts";

/** What the seal is made with. */
export interface SealParts {
  readonly gates: readonly Gate[];
  readonly run: Run;
  readonly judge: () => Judge;
  /** Name and version of the pack. */
  readonly pack: string;
}

/**
 * The policy that remembers every resource of a run, and that writes a seal into each guard: the verdicts of all gates
 * the guard requires. It judges them itself, so that a gate whose policy was switched off is judged all the same and
 * the seal tells that it was off.
 */
export function sealPolicy(parts: SealParts): ResourceValidationPolicy {
  return {
    name: "seal",
    displayName: "seal",
    description: "Seals each guard with the verdicts of its gates.",
    severity: "critical",
    remediationSteps: "Leave the seal out of --policy-pack-config.",
    enforcementLevel: "remediate",
    validateResource: ({ urn, type, name, props }, report) => {
      parts.run.see({ urn, type, name, props });
      if (type !== guardType) return;
      const { problems } = readFacts(() => props["facts"]);
      if (problems === undefined) return;
      const text = [
        `Found: guard ${name}: ${problems.join("; ")}.`,
        "Required: facts in the form of policies/contract/facts.ts, all known.",
        "To do: give the guard plain values only, none that a resource computes",
      ];
      reportAt(report, "mandatory", text.join("\n"));
    },
    remediateResource: ({ type, props }) => {
      if (type !== guardType) return undefined;
      const seal = sealOf(() => props["facts"], parts);
      if (seal === undefined) return undefined;
      // Written in place: a copy would lose which of the other properties are secret.
      props["seal"] = seal;
      return props;
    },
  };
}

/**
 * The seal of a guard with these facts, as they come from the engine. Undefined when they cannot be read: a guard
 * without a seal stays closed.
 */
function sealOf(given: () => unknown, { gates, run, judge, pack }: SealParts): Seal | undefined {
  const { facts } = readFacts(given);
  if (facts === undefined) return undefined;
  const required = requiredGates(facts.guard, facts.phase, facts.direction);
  const now = judge();
  const verdicts: Record<string, Verdict> = {};
  const enforcement: Record<string, "on" | "off"> = {};
  for (const gate of gates.filter(({ id }) => required.includes(id))) {
    verdicts[gate.id] = verdictOf(judgeGate(gate, facts, run, now));
    enforcement[gate.id] = run.isLive(gate.id) ? "on" : "off";
  }
  return { pack, factsDigest: digestOf(plain(given())), verdicts, enforcement };
}
