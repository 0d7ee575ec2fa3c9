import { duration } from "../../contract/checklist.ts";
import { countsFromPlan } from "../../contract/phase.ts";
import type { GuardFacts } from "../../contract/facts.ts";
import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import { isTime } from "../../values.ts";

/**
 * A phase has the time that the stack config gives it: before the planned cutover, or after the one that was. Time is
 * scaled in a rehearsal only.
 */
export const phaseNotEarly = defineGate({
  id: "phase-not-early",
  about: "facts",
  requires: "The release enters no phase before its time.",
  because: "What a phase waits for, such as a day of quiet service, would not have happened.",
  severity: "high",
  required: "the time that cutover:notBefore gives the phase",
  remedy: "wait until then",
  judge: (facts, { now, rehearsal }) => {
    const { phase, before, release } = facts;
    const offset = facts.notBefore[phase];
    // Repeating a phase brings nothing forward.
    if (offset === undefined || (before.phase === phase && before.release === release.version)) {
      return [];
    }
    const length = lengthOf(offset);
    if (length === undefined) {
      return [inconclusive(`cutover:notBefore gives ${phase} a time that cannot be read`)];
    }
    const scale = rehearsal && facts.clockScale > 0 ? facts.clockScale : 1;
    const sign = offset.startsWith("-") ? -1 : 1;
    const isPlanned = countsFromPlan(phase, offset);
    return judgeTime(facts, now, (sign * length * 1000) / scale, isPlanned);
  },
});

/** Seconds; undefined when it cannot be read. */
function lengthOf(offset: string): number | undefined {
  return offset === "0h" ? 0 : duration.safeParse(offset.replace(/^-/, "")).data;
}

function judgeTime(
  { phase, before, plannedCutover }: GuardFacts,
  now: number,
  offset: number,
  isPlanned: boolean,
): readonly Reason[] {
  const from = isPlanned ? plannedCutover : before.times.cutover;
  const what = isPlanned ? "the planned cutover" : "the end of the cutover";
  if (from === undefined || from === null || !isTime(from)) {
    return [
      inconclusive(`nobody knows when ${what} is, from which its time is counted`, {
        remedy: isPlanned
          ? "pulumi config set cutoverAt <time>"
          : "go through the phases in their order",
      }),
    ];
  }
  const due = Date.parse(from) + offset;
  if (now >= due) return [];
  const opensAt = new Date(due).toISOString();
  return [
    fail(`${phase} begins at ${opensAt} at the earliest`, {
      remedy: `wait until ${opensAt}, then pulumi up`,
    }),
  ];
}
