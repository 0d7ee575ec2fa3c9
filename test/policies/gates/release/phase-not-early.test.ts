import { describe, expect, test } from "vitest";
import { phases, type Phase } from "../../../../policies/contract/phase.ts";
import { phaseNotEarly } from "../../../../policies/gates/release/phase-not-early.ts";
import { judgeWorld, set, testGate, type Change } from "../../../support/gate-tester.ts";

const planned = "2026-03-10T02:00:00Z";
const cutover = "2026-03-10T02:12:00Z";
const hour = 3_600_000;

/** A release of which a phase is to begin, `milliseconds` after some time. */
function at(time: string, milliseconds = 0): Change {
  return set("now", Date.parse(time) + milliseconds);
}

/** What the stack config gives a phase, and that this phase is to begin. */
function entering(phase: Phase, offset: string): Change[] {
  return [
    set("facts.phase", phase),
    set("facts.notBefore", { [phase]: offset }),
    set("facts.before.phase", phases[phases.indexOf(phase) - 1] ?? null),
    set("facts.before.times", { prepare: "2026-03-01T00:00:00Z", cutover }),
    set("facts.plannedCutover", planned),
  ];
}

testGate(phaseNotEarly, {
  needs: [],
  mayRead: [
    ...["facts.phase", "facts.notBefore", "facts.before", "facts.plannedCutover"],
    "facts.clockScale",
  ],
  passes: {
    "no time for any phase": [set("facts.notBefore", {})],
    "no time for this phase": [set("facts.notBefore", { finalize: "24h" }), set("now", 0)],
    "exactly a day before the planned cutover": [
      ...entering("lower-ttl", "-24h"),
      at(planned, -24 * hour),
    ],
    "exactly at the planned cutover": [...entering("cutover", "0h"), at(planned)],
    "exactly a day after the cutover": [...entering("finalize", "24h"), at(cutover, 24 * hour)],
    "at the end of the cutover": [...entering("observe", "0h"), at(cutover)],
    "long after": [...entering("decommission", "7d"), at(cutover, 365 * 24 * hour)],
    "a phase that is repeated": [
      ...entering("finalize", "24h"),
      set("facts.before.phase", "finalize"),
      at(cutover),
    ],
    "a repeated phase of which nobody knows the time": [
      ...entering("finalize", "24h"),
      set("facts.before.phase", "finalize"),
      set("facts.before.times", {}),
    ],
    "an hour of a rehearsal, in its own time": [
      ...entering("finalize", "24h"),
      set("rehearsal", true),
      set("facts.clockScale", 24),
      at(cutover, hour),
    ],
    "a time before the cutover, in a rehearsal's own time": [
      ...entering("lower-ttl", "-24h"),
      set("rehearsal", true),
      set("facts.clockScale", 24),
      at(planned, -hour),
    ],
    "a plan in another zone": [
      ...entering("cutover", "0h"),
      set("facts.plannedCutover", "2026-03-10T03:00:00+01:00"),
      at(planned),
    ],
  },
  fails: {
    "a millisecond more than a day before the planned cutover": [
      [...entering("lower-ttl", "-24h"), at(planned, -24 * hour - 1)],
      "fail",
      "release v1.1.0: lower-ttl begins at 2026-03-09T02:00:00.000Z at the earliest",
    ],
    "a millisecond before the planned cutover": [
      [...entering("cutover", "0h"), at(planned, -1)],
      "fail",
      "release v1.1.0: cutover begins at 2026-03-10T02:00:00.000Z at the earliest",
    ],
    "a millisecond less than a day after the cutover": [
      [...entering("finalize", "24h"), at(cutover, 24 * hour - 1)],
      "fail",
      "release v1.1.0: finalize begins at 2026-03-11T02:12:00.000Z at the earliest",
    ],
    "a cutover that was, when it is the plan that counts": [
      [...entering("cutover", "1h"), at(cutover)],
      "fail",
      "release v1.1.0: cutover begins at 2026-03-10T03:00:00.000Z at the earliest",
    ],
    "a phase before the cutover counts from the plan, not from another release's cutover": [
      [...entering("prepare", "0h"), at(planned, -1)],
      "fail",
      "release v1.1.0: prepare begins at 2026-03-10T02:00:00.000Z at the earliest",
    ],
    "no plan to count from": [
      [...entering("lower-ttl", "-24h"), set("facts.plannedCutover", null)],
      "inconclusive",
      "release v1.1.0: nobody knows when the planned cutover is, from which its time is counted",
    ],
    "a plan without a zone": [
      [...entering("cutover", "0h"), set("facts.plannedCutover", "2026-03-10T02:00:00")],
      "inconclusive",
      "release v1.1.0: nobody knows when the planned cutover is, from which its time is counted",
    ],
    "no cutover to count from": [
      [...entering("observe", "1h"), set("facts.before.times", {})],
      "inconclusive",
      "release v1.1.0: nobody knows when the end of the cutover is, from which its time is counted",
    ],
    "a cutover at a time that is none": [
      [...entering("observe", "1h"), set("facts.before.times", { cutover: "yesterday" })],
      "inconclusive",
      "release v1.1.0: nobody knows when the end of the cutover is, from which its time is counted",
    ],
    "a length of time that is none": [
      [...entering("finalize", "soon"), at(cutover, 365 * 24 * hour)],
      "inconclusive",
      "release v1.1.0: cutover:notBefore gives finalize a time that cannot be read",
    ],
    "zero with a minus": [
      [...entering("finalize", "-0h"), at(cutover, 365 * 24 * hour)],
      "inconclusive",
      "release v1.1.0: cutover:notBefore gives finalize a time that cannot be read",
    ],
    "the same phase of another release": [
      [
        ...entering("finalize", "24h"),
        set("facts.before.phase", "finalize"),
        set("facts.before.release", "v1.0.9"),
        at(cutover),
      ],
      "fail",
      "release v1.1.0: finalize begins at 2026-03-11T02:12:00.000Z at the earliest",
    ],
    "a clock that is scaled outside a rehearsal": [
      [...entering("finalize", "24h"), set("facts.clockScale", 24), at(cutover, hour)],
      "fail",
      "release v1.1.0: finalize begins at 2026-03-11T02:12:00.000Z at the earliest",
    ],
    "a clock that stands still in a rehearsal": [
      [
        ...entering("finalize", "24h"),
        set("rehearsal", true),
        set("facts.clockScale", 0),
        at(cutover, hour),
      ],
      "fail",
      "release v1.1.0: finalize begins at 2026-03-11T02:12:00.000Z at the earliest",
    ],
    "a millisecond too early in a rehearsal": [
      [
        ...entering("finalize", "24h"),
        set("rehearsal", true),
        set("facts.clockScale", 24),
        at(cutover, hour - 1),
      ],
      "fail",
      "release v1.1.0: finalize begins at 2026-03-10T03:12:00.000Z at the earliest",
    ],
  },
});

describe("what to do", () => {
  test.each([
    ["wait", entering("finalize", "24h"), "wait until 2026-03-11T02:12:00.000Z, then pulumi up"],
    [
      "plan the cutover",
      [...entering("cutover", "0h"), set("facts.plannedCutover", null)],
      "pulumi config set cutoverAt <time>",
    ],
    [
      "keep the order",
      [...entering("observe", "1h"), set("facts.before.times", {})],
      "go through the phases in their order",
    ],
  ])("%s", (_, changes, remedy) => {
    expect(judgeWorld(phaseNotEarly, [at(cutover), ...changes])).toMatchObject([{ remedy }]);
  });
});

test.each(phases)("facts that give %s no time read none of its times", (phase) => {
  const changes = [set("facts.phase", phase), set("facts.before.times", {}), set("now", 0)];
  expect(judgeWorld(phaseNotEarly, changes)).toEqual([]);
});
