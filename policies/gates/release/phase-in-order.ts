import type { BeforeFacts, GuardFacts } from "../../contract/facts.ts";
import { phases, type Phase } from "../../contract/phase.ts";
import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";

/** From where a release stands, the phases that it and another release may take next. */
interface Moves {
  readonly sameRelease: readonly Phase[];
  readonly otherRelease: readonly Phase[];
}

/** From here on, nobody knows what another release would replace. */
const notYetObserved: readonly Phase[] = ["cutover"];
/** Before traffic moved a release may be aborted, back to `prepare`. */
const beforeTheMove: readonly Phase[] = ["prepare", "lower-ttl"];

/**
 * The moves forward in a system's own phases. Each phase may be repeated; before traffic moved a release may be aborted,
 * back to `prepare`, or another one may take over; while a cutover is not yet observed none may.
 */
function movesFrom(phase: Phase | null, phases: readonly Phase[]): Moves {
  if (phase === null) return { sameRelease: [], otherRelease: phases.slice(0, 1) };
  const next = phases[phases.indexOf(phase) + 1];
  const back = beforeTheMove.includes(phase) && phase !== "prepare" ? (["prepare"] as const) : [];
  return {
    sameRelease: [...back, phase, ...(next === undefined ? [] : [next])],
    otherRelease: notYetObserved.includes(phase) ? [] : ["prepare"],
  };
}

/** The phases that a recorded release may be brought back in: those in which it serves. */
const rollbackPhases: readonly Phase[] = ["cutover", "observe", "finalize"];

/** The release takes one step in the order of phases, or goes back to a release that was live; and time is real. */
export const phaseInOrder = defineGate({
  id: "phase-in-order",
  about: "facts",
  requires: "The release goes on by one phase, or back to a recorded release.",
  because: "A phase that is left out leaves its preparations out as well.",
  severity: "critical",
  required: `a step in the order ${phases.join(", ")}`,
  remedy: "set cutover:phase and cutover:release to an allowed step",
  judge: (facts, { rehearsal }) => [
    ...judgeClock(facts.clockScale, rehearsal),
    ...(facts.direction === "rollback" ? judgeRollback(facts) : judgeForward(facts)),
  ],
});

function judgeClock(clockScale: number, rehearsal: boolean): readonly Reason[] {
  if (clockScale === 1) return [];
  if (rehearsal && clockScale > 0) return [];
  return [
    fail(`the clock runs ${clockScale} times as fast as time`, {
      required: "real time, unless all clouds are stand-ins of a rehearsal",
      remedy: "pulumi config rm cutover:clockScale",
    }),
  ];
}

function judgeForward({ phase, phases: known, release, before }: GuardFacts): readonly Reason[] {
  if ((before.phase === null) !== (before.release === null)) {
    return [inconclusive("the ledger names a phase without a release, or the other way round")];
  }
  const same = before.release === release.version;
  if (!same && before.recorded.includes(release.version)) {
    return [
      fail("it was live before, so it cannot start anew", {
        required: "a version that was never live",
        remedy: "give the release a new version in cutover:release",
      }),
    ];
  }
  if (!known.includes(phase)) {
    return [
      fail(`this system has no phase ${phase}`, {
        required: `one of ${known.join(", ")}`,
        remedy: `pulumi config set cutover:phase ${known[0] ?? "prepare"}`,
      }),
    ];
  }
  const moves = movesFrom(before.phase, known);
  const allowed = same ? moves.sameRelease : moves.otherRelease;
  if (allowed.includes(phase)) return [];
  return [fail(`phase ${phase} does not follow ${standing(before)}`, remedyOf(allowed, before))];
}

function remedyOf(allowed: readonly Phase[], { phase, release }: BeforeFacts): Partial<Reason> {
  const next = allowed.at(-1);
  if (next !== undefined) {
    return {
      required: `phase ${allowed.join(" or ")}`,
      remedy: `pulumi config set cutover:phase ${next}`,
    };
  }
  return {
    required: `release ${String(release)} is observed or rolled back after its ${String(phase)}`,
    remedy: `set cutover:release to ${String(release)} and cutover:phase to observe, or roll back`,
  };
}

function judgeRollback({ phase, release, before }: GuardFacts): readonly Reason[] {
  const reasons: Reason[] = [];
  if (!before.recorded.includes(release.version)) {
    const known = before.recorded.length === 0 ? "none" : before.recorded.join(", ");
    reasons.push(
      fail("the ledger has no record of it", {
        required: `a recorded release: ${known}`,
        remedy: "set cutover:release to a recorded release",
      }),
    );
  }
  if (!rollbackPhases.includes(phase)) {
    reasons.push(
      fail(`a rollback cannot go to phase ${phase}`, {
        required: `phase ${rollbackPhases.join(", ")}`,
        remedy: "pulumi config set cutover:phase cutover",
      }),
    );
  }
  if (before.serving === null) {
    reasons.push(
      fail("no release serves, so there is nothing to go back from", {
        required: "a release that serves",
        remedy: "set cutover:release and cutover:phase back, and abort instead",
      }),
    );
  }
  return reasons;
}

function standing({ phase, release }: BeforeFacts): string {
  return phase === null ? "a stack that never ran" : `phase ${phase} of release ${String(release)}`;
}
