import type { ReportViolation, ResourceValidationPolicy } from "@pulumi/policy";
import { guardType, type GuardFacts } from "./contract/facts.ts";
import { nextPhaseGates, requiredGates } from "./contract/gates.ts";
import { phaseAfter } from "./contract/phase.ts";
import { readFacts } from "./facts.ts";
import {
  findingText,
  judgeCover,
  judgeGate,
  judgeResource,
  sourceText,
  type Finding,
  type Gate,
  type Judge,
} from "./gate.ts";
import { nouns } from "./nouns.ts";
import type { Run } from "./run.ts";
import type { Trust } from "./signatures/trust.ts";
import type { System } from "./system.ts";
import { readTold } from "./evidence/told.ts";
import { judgementOf, waiverText } from "./evidence/waivers.ts";

type Level = "mandatory" | "advisory";

/** What gates are judged with. */
export interface Judging {
  readonly run: Run;
  readonly judge: () => Judge;
  /** The system of this name, with its checklist. */
  readonly systemOf: (name: string) => System;
  /** Gives the signers that the pack trusts. */
  readonly readTrust: () => Trust;
}

/** Listens to the entry guard; the guards behind it are judged with what it was told. */
export function hear(
  facts: GuardFacts,
  props: Readonly<Record<string, unknown>>,
  { run, readTrust, judge }: Judging,
): void {
  if (facts.guard !== "entry") return;
  run.enter({ facts, told: readTold(props, readTrust, judge().now) });
}

/**
 * The CrossGuard policy of a gate. What a resource's own inputs show is reported on that resource, so that it is never
 * made; the rest is reported on the gate's guard. Levels are explicit: the run's policy config cannot soften them.
 */
export function gatePolicy(gate: Gate, judging: Judging): ResourceValidationPolicy {
  const { run } = judging;
  return {
    name: gate.id,
    displayName: gate.id,
    description: gate.requires,
    severity: gate.severity,
    remediationSteps: gate.remedy,
    enforcementLevel: "mandatory",
    validateResource: ({ urn, type, name, props }, report) => {
      run.markLive(gate.id);
      if (gate.about === "resource" && nouns[gate.noun].types.includes(type)) {
        const found = judgeResource(gate, { urn, type, name, props });
        if (run.entry === undefined) reportAll(report, gate, "mandatory", found);
        else reportJudged(report, gate, found, run.entry.facts, judging, "mandatory");
      }
      if (type !== guardType) return;
      const facts = guardFacts(props, judging);
      if (facts !== undefined) reportGuard(report, gate, facts, judging);
    },
  };
}

/** The one policy of all gates of checklists: each reports under its own name, `<system>/<id>`. */
export function checklistPolicy(judging: Judging): ResourceValidationPolicy {
  return {
    name: checklistPolicyName,
    displayName: checklistPolicyName,
    description: "Judges the gates of the system's checklist.",
    severity: "critical",
    remediationSteps: "See the gate that is named.",
    enforcementLevel: "mandatory",
    validateResource: ({ type, props }, report) => {
      judging.run.markLive(checklistPolicyName);
      if (type !== guardType) return;
      const facts = guardFacts(props, judging);
      if (facts === undefined) return;
      for (const gate of judging.systemOf(facts.system).gates) {
        reportGuard(report, gate, facts, judging);
      }
    },
  };
}

/** Name of the policy that judges the gates of checklists. */
export const checklistPolicyName = "checklist";

/** The facts of a guard, which is heard. Undefined when they cannot be read, which is the seal's to report. */
function guardFacts(
  props: Readonly<Record<string, unknown>>,
  judging: Judging,
): GuardFacts | undefined {
  const { facts } = readFacts(() => props["facts"]);
  // The seal has heard it, unless it was switched off: gates say what is true all the same.
  if (facts !== undefined && judging.run.entry === undefined) hear(facts, props, judging);
  return facts;
}

/** Reports a gate at its guard: what this phase requires is mandatory, what only the next one does is advice. */
function reportGuard(
  report: ReportViolation,
  gate: Gate,
  facts: GuardFacts,
  judging: Judging,
): void {
  if (facts.guard !== gate.guard) return;
  const { run, judge, systemOf } = judging;
  const { checklist } = systemOf(facts.system);
  const { guard, phase, direction } = facts;
  const found = (): Finding[] =>
    gate.about === "resource"
      ? judgeCover(gate, facts, run)
      : judgeGate(gate, facts, run, run.told, judge());
  if (requiredGates(guard, phase, direction, checklist).includes(gate.id)) {
    reportJudged(report, gate, found(), facts, judging, "mandatory");
  } else if (
    nextPhaseGates(guard, phase, direction, checklist).includes(gate.id) &&
    gate.ownPhaseOnly !== true
  ) {
    const prefix = `Next phase: ${String(phaseAfter(phase))}\n`;
    reportJudged(report, gate, found(), facts, judging, "advisory", prefix);
  }
}

/** Reports what was found; a waived gate stays visible, as advice. */
function reportJudged(
  report: ReportViolation,
  gate: Gate,
  found: readonly Finding[],
  facts: GuardFacts,
  { run, judge }: Judging,
  level: Level,
  prefix = "",
): void {
  const { findings, waiver } = judgementOf(gate, found, facts, run.told, judge());
  if (waiver === undefined) reportAll(report, gate, level, findings, prefix);
  else reportAll(report, gate, "advisory", findings, `${prefix}${waiverText(waiver)}\n`);
}

function reportAll(
  report: ReportViolation,
  gate: Gate,
  level: Level,
  found: readonly Finding[],
  prefix = "",
): void {
  for (const finding of found) {
    reportAt(report, level, prefix + findingText(finding) + sourceText(gate), gate);
  }
}

/**
 * Reports a violation at a level of its own, and under the name and severity of a gate. The SDK takes them, but its
 * types do not say so.
 */
export function reportAt(
  report: ReportViolation,
  enforcementLevel: Level,
  message: string,
  gate?: Gate,
): void {
  const reportObject = report as unknown as (violation: {
    readonly message: string;
    readonly enforcementLevel: Level;
    readonly name?: string;
    readonly description?: string;
    readonly severity?: string;
  }) => void;
  const named =
    gate === undefined
      ? {}
      : { name: gate.id, description: gate.requires, severity: gate.severity };
  reportObject({ message, enforcementLevel, ...named });
}
