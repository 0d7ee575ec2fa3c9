import { describe, expect, test } from "vitest";
import { phases, type Direction, type Phase } from "../../../../policies/contract/phase.ts";
import { phaseInOrder } from "../../../../policies/gates/release/phase-in-order.ts";
import { judgeWorld, set, testGate } from "../../../support/gate-tester.ts";

const from = (phase: Phase | null, release: string | null = "v1.1.0") => [
  set("facts.before.phase", phase),
  set("facts.before.release", phase === null ? null : release),
];
const to = (phase: Phase) => set("facts.phase", phase);
const rollback = [
  set("facts.direction", "rollback"),
  set("facts.release.version", "v1.0.0"),
  set("facts.before.serving", "v1.1.0"),
];

testGate(phaseInOrder, {
  needs: [
    "facts.phase",
    "facts.direction",
    "facts.before.phase",
    "facts.before.release",
    "facts.clockScale",
  ],
  mayRead: ["facts.phases"],
  passes: {
    "the next phase": [...from("prepare"), to("lower-ttl")],
    "the same phase again": [...from("cutover"), to("cutover")],
    "the first phase of the first release": [
      ...from(null),
      set("facts.before.recorded", []),
      to("prepare"),
    ],
    "an abort before traffic moved": [...from("lower-ttl"), to("prepare")],
    "scaled time in a rehearsal": [set("facts.clockScale", 3600), set("rehearsal", true)],
    "back to a recorded release": rollback,
  },
  fails: {
    "a phase left out": [
      [...from("prepare"), to("cutover")],
      "fail",
      "release v1.1.0: phase cutover does not follow phase prepare of release v1.1.0",
    ],
    "a first release that starts in the middle": [
      [...from(null), set("facts.before.recorded", []), to("cutover")],
      "fail",
      "release v1.1.0: phase cutover does not follow a stack that never ran",
    ],
    "another release before the last one is observed": [
      [...from("cutover", "v1.0.9"), to("prepare")],
      "fail",
      "release v1.1.0: phase prepare does not follow phase cutover of release v1.0.9",
    ],
    "a release that was live starts again": [
      [...from("finalize", "v1.0.0"), set("facts.before.recorded", ["v1.0.0", "v1.1.0"])],
      "fail",
      "release v1.1.0: it was live before, so it cannot start anew",
    ],
    "a phase without a release": [
      [set("facts.before.release", null)],
      "inconclusive",
      "release v1.1.0: the ledger names a phase without a release, or the other way round",
    ],
    "back to a release that nobody recorded": [
      [...rollback, set("facts.before.recorded", ["v0.9.0"])],
      "fail",
      "release v1.0.0: the ledger has no record of it",
    ],
    "back with nothing recorded": [
      [...rollback, set("facts.before.recorded", [])],
      "fail",
      "release v1.0.0: the ledger has no record of it",
    ],
    "back into a phase before the traffic": [
      [...rollback, to("prepare")],
      "fail",
      "release v1.0.0: a rollback cannot go to phase prepare",
    ],
    "back while only the legacy system serves": [
      [...rollback, set("facts.before.serving", null)],
      "fail",
      "release v1.0.0: no release serves, so there is nothing to go back from",
    ],
    "scaled time outside a rehearsal": [
      [set("facts.clockScale", 3600)],
      "fail",
      "release v1.1.0: the clock runs 3600 times as fast as time",
    ],
    "a clock that runs backwards in a rehearsal": [
      [set("facts.clockScale", -1), set("rehearsal", true)],
      "fail",
      "release v1.1.0: the clock runs -1 times as fast as time",
    ],
  },
});

/** Every allowed move, written out: a change of the gate's table must be a change here. */
const allowed = new Set([
  "forward, other release: never ran > prepare",
  "forward, same release: prepare > prepare",
  "forward, other release: prepare > prepare",
  "forward, same release: prepare > lower-ttl",
  "forward, same release: lower-ttl > prepare",
  "forward, other release: lower-ttl > prepare",
  "forward, same release: lower-ttl > lower-ttl",
  "forward, same release: lower-ttl > cutover",
  "forward, same release: cutover > cutover",
  "forward, same release: cutover > observe",
  "forward, same release: observe > observe",
  "forward, same release: observe > finalize",
  "forward, other release: observe > prepare",
  "forward, same release: finalize > finalize",
  "forward, same release: finalize > decommission",
  "forward, other release: finalize > prepare",
  "forward, same release: decommission > decommission",
  "forward, other release: decommission > prepare",
  // A rollback is about where it goes, not from where.
  ...[...phases, "never ran"].flatMap((before) =>
    ["same release", "other release"].flatMap((release) =>
      before === "never ran" && release === "same release"
        ? []
        : ["cutover", "observe", "finalize"].map(
            (phase) => `rollback, ${release}: ${before} > ${phase}`,
          ),
    ),
  ),
]);

const directions: readonly Direction[] = ["forward", "rollback"];
const moves = directions.flatMap((direction) =>
  [...phases, null].flatMap((before) =>
    // A stack that never ran knows no release, so there is no same one.
    (before === null ? ["other release"] : ["same release", "other release"]).flatMap((release) =>
      phases.map((phase) => ({
        direction,
        release,
        before,
        phase,
        move: `${direction}, ${release}: ${before ?? "never ran"} > ${phase}`,
      })),
    ),
  ),
);

describe("every move there is", () => {
  test("the product of phases, phases, releases and directions", () => {
    expect(moves).toHaveLength(2 * (2 * 6 + 1) * 6);
    expect([...allowed].filter((move) => !moves.some((one) => one.move === move))).toEqual([]);
  });

  test.each(moves)("$move", ({ direction, release, before, phase, move }) => {
    const findings = judgeWorld(phaseInOrder, [
      ...from(before, release === "same release" ? "v1.1.0" : "v1.0.5"),
      to(phase),
      set("facts.direction", direction),
      // A rollback goes to a recorded release; forward, one that starts anew must not be recorded.
      set("facts.before.recorded", direction === "rollback" ? ["v1.1.0"] : ["v1.0.5"]),
    ]);
    expect(findings.length === 0).toBe(allowed.has(move));
  });
});

const without = (...skipped: readonly Phase[]) =>
  set(
    "facts.phases",
    phases.filter((phase) => !skipped.includes(phase)),
  );

describe("a system without some of the phases", () => {
  test.each<[string, readonly Phase[], Phase, Phase]>([
    ["a DNS move goes from prepare to cutover", ["lower-ttl"], "prepare", "cutover"],
    ["a legacy system ends with finalize", ["decommission"], "observe", "finalize"],
    ["either goes from prepare to cutover", ["lower-ttl", "decommission"], "prepare", "cutover"],
  ])("without %s", (_, skipped, before, phase) => {
    expect(judgeWorld(phaseInOrder, [without(...skipped), ...from(before), to(phase)])).toEqual([]);
  });

  test.each<[readonly Phase[], Phase, Phase]>([
    [["lower-ttl"], "prepare", "lower-ttl"],
    [["lower-ttl"], "lower-ttl", "lower-ttl"],
    [["decommission"], "finalize", "decommission"],
    [["decommission"], "decommission", "decommission"],
  ])("without %j is not taken from %s to %s", (skipped, before, phase) => {
    const findings = judgeWorld(phaseInOrder, [without(...skipped), ...from(before), to(phase)]);
    const known = phases.filter((one) => !skipped.includes(one));
    expect(findings).toMatchObject([
      {
        verdict: "fail",
        found: `this system has no phase ${phase}`,
        required: `one of ${known.join(", ")}`,
        remedy: "pulumi config set cutover:phase prepare",
      },
    ]);
  });

  test("still leaves out none of the others", () => {
    const skip = without("lower-ttl", "decommission");
    const judged = judgeWorld(phaseInOrder, [skip, ...from("prepare"), to("observe")]);
    expect(judged).toMatchObject([
      {
        found: "phase observe does not follow phase prepare of release v1.1.0",
        required: "phase prepare or cutover",
        remedy: "pulumi config set cutover:phase cutover",
      },
    ]);
    expect(judgeWorld(phaseInOrder, [skip, ...from("finalize"), to("prepare")])).not.toEqual([]);
  });

  test("starts a next release from its last phase", () => {
    const next = [without("decommission"), ...from("finalize", "v1.0.9"), to("prepare")];
    expect(judgeWorld(phaseInOrder, next)).toEqual([]);
  });

  test("a release that stands in a phase that the stack config took away starts anew", () => {
    const gone = [without("lower-ttl"), ...from("lower-ttl"), to("prepare")];
    expect(judgeWorld(phaseInOrder, gone)).toEqual([]);
  });

  test("none at all closes the gate", () => {
    expect(judgeWorld(phaseInOrder, [set("facts.phases", [])])).not.toEqual([]);
  });
});
