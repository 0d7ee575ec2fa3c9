import type { ResourceValidationPolicy } from "@pulumi/policy";
import { digestOf } from "./contract/digest.ts";
import { guardType } from "./contract/facts.ts";
import { requiredGates } from "./contract/gates.ts";
import type { Seal, WaiverNote } from "./contract/seal.ts";
import type { Verdict } from "./contract/verdict.ts";
import { wrapWords } from "./contract/text.ts";
import { readFacts } from "./facts.ts";
import { judgeGate, textWidth, type Gate } from "./gate.ts";
import { checklistPolicyName, hear, reportAt, type Judging } from "./gate-policy.ts";
import { plain } from "./values.ts";
import { judgementOf } from "./evidence/waivers.ts";

/** What the seal is made with. */
export interface SealParts extends Judging {
  /** The gates that every system has. */
  readonly gates: readonly Gate[];
  /** Name and version of the pack. */
  readonly pack: string;
}

type Props = Readonly<Record<string, unknown>>;

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
      const { facts, problems } = readFacts(() => props["facts"]);
      if (facts === undefined) {
        const text = [
          `Found: guard ${name}: ${problems.join("; ")}.`,
          "Required: facts in the form of policies/contract/facts.ts, all known.",
          "To do: give the guard plain values only, none that a resource computes",
        ];
        reportAt(report, "mandatory", text.join("\n"));
        return;
      }
      const { problem } = parts.systemOf(facts.system);
      if (problem === undefined) return;
      const text = [
        "Found: the checklist cannot be used.",
        ...problem.split("\n").flatMap((line) => wrapWords(`  ${line}`, textWidth, "    ")),
        "Required: a checklist in the form of policies/contract/checklist.ts.",
        `To do: correct checklists/${facts.system}.yaml`,
      ];
      reportAt(report, "mandatory", text.join("\n"));
    },
    remediateResource: ({ type, props }) => {
      if (type !== guardType) return undefined;
      const seal = sealOf(props, parts);
      if (seal === undefined) return undefined;
      // Written in place: a copy would lose which of the other properties are secret.
      props["seal"] = seal;
      return props;
    },
  };
}

/**
 * The seal of a guard, as its properties come from the engine. Undefined when its facts cannot be read or its checklist
 * cannot be used: a guard without a seal stays closed.
 */
function sealOf(props: Props, parts: SealParts): Seal | undefined {
  const { gates, run, judge, pack, systemOf } = parts;
  const { facts } = readFacts(() => props["facts"]);
  if (facts === undefined) return undefined;
  const system = systemOf(facts.system);
  if (system.problem !== undefined) return undefined;
  hear(facts, props, parts);
  const { guard, phase, direction } = facts;
  const required = requiredGates(guard, phase, direction, system.checklist);
  const now = judge();
  const verdicts: Record<string, Verdict> = {};
  const waivers: Record<string, WaiverNote> = {};
  const enforcement: Record<string, "on" | "off"> = {};
  for (const gate of [...gates, ...system.gates].filter(({ id }) => required.includes(id))) {
    const findings = judgeGate(gate, facts, run, run.told, now);
    const { verdict, waiver } = judgementOf(gate, findings, facts, run.told, now);
    verdicts[gate.id] = verdict;
    if (waiver !== undefined) waivers[gate.id] = waiver;
    const policy = gates.includes(gate) ? gate.id : checklistPolicyName;
    enforcement[gate.id] = run.isLive(policy) ? "on" : "off";
  }
  const factsDigest = digestOf(plain(props["facts"]));
  return { pack, factsDigest, verdicts, waivers, enforcement };
}
