import type { ReportViolation, ResourceValidationPolicy } from "@pulumi/policy";
import { guardType } from "./contract/facts.ts";
import { nextPhaseGates, requiredGates } from "./contract/gates.ts";
import { phaseAfter } from "./contract/phase.ts";
import { readFacts } from "./facts.ts";
import {
  findingText,
  judgeCover,
  judgeGate,
  judgeResource,
  type Finding,
  type Gate,
  type Judge,
} from "./gate.ts";
import { nouns } from "./nouns.ts";
import type { Run } from "./run.ts";

type Level = "mandatory" | "advisory";

/**
 * The CrossGuard policy of a gate. What a resource's own inputs show is reported on that resource, so that it is never
 * made; the rest is reported on the gate's guard. Levels are explicit: the run's policy config cannot soften them.
 */
export function gatePolicy(gate: Gate, run: Run, judge: () => Judge): ResourceValidationPolicy {
  return {
    name: gate.id,
    displayName: gate.id,
    description: gate.requires,
    severity: gate.severity,
    remediationSteps: gate.remedy,
    enforcementLevel: "mandatory",
    validateResource: ({ urn, type, name, props }, report) => {
      run.markLive(gate.id);
      if (gate.about === "resource" && type === nouns[gate.noun].type) {
        reportAll(report, "mandatory", judgeResource(gate, { urn, type, name, props }));
      }
      if (type !== guardType) return;
      const { facts } = readFacts(() => props["facts"]);
      // Facts that cannot be read are the seal's to report.
      if (facts === undefined || facts.guard !== gate.guard) return;
      const { guard, phase, direction } = facts;
      const found = (): Finding[] =>
        gate.about === "resource"
          ? judgeCover(gate, facts, run)
          : judgeGate(gate, facts, run, judge());
      if (requiredGates(guard, phase, direction).includes(gate.id)) {
        reportAll(report, "mandatory", found());
      } else if (
        nextPhaseGates(guard, phase, direction).includes(gate.id) &&
        gate.ownPhaseOnly !== true
      ) {
        reportAll(report, "advisory", found(), `Next phase: ${String(phaseAfter(phase))}\n`);
      }
    },
  };
}

function reportAll(
  report: ReportViolation,
  level: Level,
  found: readonly Finding[],
  prefix = "",
): void {
  for (const finding of found) reportAt(report, level, prefix + findingText(finding));
}

/** Reports a violation at a level of its own. The SDK takes one, but its types do not say so. */
export function reportAt(report: ReportViolation, enforcementLevel: Level, message: string): void {
  const reportObject = report as unknown as (violation: {
    readonly message: string;
    readonly enforcementLevel: Level;
  }) => void;
  reportObject({ message, enforcementLevel });
}
