import { describe, expect, test } from "vitest";
import type { Phase } from "../../../policies/contract/phase.ts";
import {
  appendEntry,
  emptyLedger,
  servingVersion,
  type Ledger,
} from "../../../infra/release/ledger.ts";
import { planRelease, type Plan } from "../../../infra/release/plan.ts";
import { sampleConfig } from "../../support/config.ts";
import { at, entryOf, releaseOf, stackWith } from "./samples.ts";

const { plan, run } = stackWith();
const firstPhases: Phase[] = ["prepare", "lower-ttl", "cutover", "observe"];

describe("a first release", () => {
  test.each([
    ["prepare", "legacy", 3600, false],
    ["lower-ttl", "legacy", 60, false],
    ["cutover", "blue", 60, true],
    ["observe", "blue", 60, false],
    ["finalize", "blue", 3600, false],
    ["decommission", "blue", 3600, false],
  ] as const)("in %s: %s serves, answers live %i s", (phase, serving, ttlSeconds, moves) => {
    const ledger = stateBefore(phase);
    expect(plan(phase, "v1.0.0", ledger)).toMatchObject({
      serving,
      ttlSeconds,
      moves,
      direction: "forward",
    });
  });

  test("moves data only in cutover, and what was moved stays declared", () => {
    expect(plan("lower-ttl", "v1.0.0", stateBefore("lower-ttl"))).toMatchObject({
      migratedFor: null,
      migrations: [],
    });
    expect(plan("cutover", "v1.0.0", stateBefore("cutover"))).toMatchObject({
      migratedFor: "v1.0.0",
      migrations: [{ name: "v1.0.0.sql" }],
    });
    expect(plan("observe", "v1.0.0", stateBefore("observe"))).toMatchObject({
      migratedFor: "v1.0.0",
      migrations: [{ name: "v1.0.0.sql" }],
    });
  });

  test("keeps the legacy system until decommission", () => {
    expect(plan("finalize", "v1.0.0", stateBefore("finalize")).legacy).toBe(true);
    expect(plan("decommission", "v1.0.0", stateBefore("decommission")).legacy).toBe(false);
  });
});

describe("a second release", () => {
  const after = run(
    ["prepare", "lower-ttl", "cutover"],
    "v1.1.0",
    run(firstPhases, "v1.0.0", emptyLedger),
  );

  test("takes the free slot, and the first keeps running", () => {
    expect(after.now.serving).toBe("green");
    expect(after.now.slots.blue?.version).toBe("v1.0.0");
    expect(after.now.slots.green?.version).toBe("v1.1.0");
  });

  test("the old slot is emptied in finalize", () => {
    const done = run(["observe", "finalize"], "v1.1.0", after);
    expect(done.now.slots).toMatchObject({ blue: null, green: { version: "v1.1.0" } });
  });

  test("rollback points at the slot that still runs, without freeze, snapshot or migrations", () => {
    const back = plan("cutover", "v1.0.0", after);
    expect(back).toMatchObject({
      direction: "rollback",
      moves: true,
      serving: "blue",
      migratedFor: "v1.1.0",
    });
    expect(back.migrations).toEqual(after.now.migrations);
    expect(back.slots.green?.version).toBe("v1.1.0");
    expect(back.dnsBefore).toEqual([
      { name: "app.example.com", content: "203.0.113.20", ttlSeconds: 60 },
    ]);
  });

  test("rollback after finalize starts the release again in the free slot", () => {
    const back = plan("finalize", "v1.0.0", run(["observe", "finalize"], "v1.1.0", after));
    expect(back).toMatchObject({ direction: "rollback", serving: "blue", ttlSeconds: 60 });
    expect(back.slots.blue?.version).toBe("v1.0.0");
  });

  test("rolled back, it can go forward to the newer release again", () => {
    const back = run(["cutover"], "v1.0.0", after);
    expect(servingVersion(back.now)).toBe("v1.0.0");
    const again = plan("cutover", "v1.1.0", back);
    expect(again).toMatchObject({ direction: "rollback", serving: "green", moves: true });
  });

  test("the ledger keeps every move", () => {
    const back = run(["cutover"], "v1.0.0", after);
    expect(back.records.map(({ release, direction }) => `${direction} ${release.version}`)).toEqual(
      ["forward v1.0.0", "forward v1.1.0", "rollback v1.0.0"],
    );
  });
});

describe("the steps of a run, in order", () => {
  const data = ["freeze", "snapshot", "migrate"];
  const services = ["api", "worker", "web"];
  const live = [
    ...["enter", "data", "check-data", "legacy", ...data, ...services, "probe"],
    ...["check-switch", "switch", "verify", "lift", "record"],
  ];
  const idle = ["enter", "data", "check-data", "legacy", "check-switch", "switch", "record"];
  /** What the stack config announces has tests of its own. */
  const stepsOf = ({ steps }: Plan): string[] =>
    steps.filter((step) => step !== "announce" && step !== "publish");

  test.each<readonly [Phase, readonly string[]]>([
    ["prepare", idle.toSpliced(3, 0, "restore-test")],
    ["lower-ttl", [...idle.slice(0, -1), "ttl-shown", "record"]],
    ["cutover", live],
    ["observe", live],
    ["finalize", live],
    ["decommission", live.filter((step) => step !== "legacy")],
  ])("of a first release, in %s", (phase, steps) => {
    expect(stepsOf(plan(phase, "v1.0.0", stateBefore(phase)))).toEqual(steps);
  });

  test("of a rollback, the same: what was moved stays declared", () => {
    const second = run(["prepare", "lower-ttl", "cutover"], "v1.1.0", stateBefore("finalize"));
    expect(stepsOf(plan("cutover", "v1.0.0", second))).toEqual(live);
  });
});

describe("the newest record before a run", () => {
  const first = run(firstPhases, "v1.0.0", emptyLedger);
  const versionOf = ({ newestRecord }: Plan): string | undefined => newestRecord?.release.version;

  test("is none before anything went live", () => {
    expect(plan("cutover", "v1.0.0", stateBefore("cutover")).newestRecord).toBeNull();
  });

  test("is none in a repeated first cutover, whose record is its own", () => {
    const live = run(["prepare", "lower-ttl", "cutover"], "v1.0.0", emptyLedger);
    expect(live.records).toHaveLength(1);
    expect(plan("cutover", "v1.0.0", live).newestRecord).toBeNull();
  });

  test("is that of the cutover in the phases after it", () => {
    expect(versionOf(plan("observe", "v1.0.0", stateBefore("observe")))).toBe("v1.0.0");
    expect(versionOf(plan("observe", "v1.0.0", first))).toBe("v1.0.0");
  });

  test("is that of the release before, until the next one went live", () => {
    const lowered = run(["prepare", "lower-ttl"], "v1.1.0", first);
    expect(versionOf(plan("cutover", "v1.1.0", lowered))).toBe("v1.0.0");
    expect(versionOf(plan("observe", "v1.1.0", run(["cutover"], "v1.1.0", lowered)))).toBe(
      "v1.1.0",
    );
  });
});

test("the record of a release's own cutover is told apart from that of a rollback to it", () => {
  const before = run(firstPhases, "v1.0.0", emptyLedger);
  const after = run(["prepare", "lower-ttl", "cutover"], "v1.1.0", before);
  const back = run(["cutover"], "v1.0.0", after);
  const { newestRecord, ownRecord } = plan("observe", "v1.0.0", back);
  expect([newestRecord?.direction, ownRecord?.direction]).toEqual(["rollback", "forward"]);
  expect(ownRecord).toEqual(before.records[0]);
  expect(plan("prepare", "v1.2.0", back).ownRecord).toBeNull();
});

describe("a repeated run plans what the first one did", () => {
  const history: [Phase, string][] = [
    ["prepare", "v1.0.0"],
    ["lower-ttl", "v1.0.0"],
    ["cutover", "v1.0.0"],
    ["observe", "v1.0.0"],
    ["prepare", "v1.1.0"],
    ["lower-ttl", "v1.1.0"],
    ["cutover", "v1.1.0"],
    ["cutover", "v1.0.0"],
    ["observe", "v1.0.0"],
    ["finalize", "v1.0.0"],
    ["decommission", "v1.0.0"],
  ];

  test.each(history.map((step, index) => [...step, index] as const))(
    "%s %s (%i)",
    (phase, version, index) => {
      let ledger = emptyLedger;
      for (const [before, release] of history.slice(0, index))
        ledger = run([before], release, ledger);
      const first = plan(phase, version, ledger);
      const after = appendEntry(ledger, entryOf(first), at);
      expect(plan(phase, version, after)).toEqual(first);
      expect(appendEntry(after, entryOf(first), "2026-11-21T04:00:00.000Z")).toEqual(after);
    },
  );
});

describe("refuses", () => {
  const ledger = run(firstPhases, "v1.0.0", emptyLedger);

  test("a release that is neither recorded nor has a file, and lists what is", () => {
    const config = sampleConfig({ phase: "cutover", release: "v9.9.9" });
    expect(() => planRelease(config, ledger, undefined, ["v1.0.0", "v1.1.0"])).toThrow(
      /v9\.9\.9[\s\S]*a recorded release \(v1\.0\.0\) or one with a file \(v1\.0\.0, v1\.1\.0\)[\s\S]*pulumi config set release v1\.0\.0/,
    );
  });

  test("a recorded release whose file was changed", () => {
    const config = sampleConfig({ phase: "observe", release: "v1.0.0" });
    const changed = { ...releaseOf("v1.0.0"), digest: "f".repeat(64) };
    expect(() => planRelease(config, ledger, changed, [])).toThrow(/went live cannot be changed/);
  });

  test("nothing when the file of a recorded release is gone", () => {
    const config = sampleConfig({ phase: "observe", release: "v1.0.0" });
    expect(planRelease(config, ledger, undefined, []).release).toEqual(releaseOf("v1.0.0"));
  });
});

function stateBefore(phase: Phase): Ledger {
  const all: Phase[] = ["prepare", "lower-ttl", "cutover", "observe", "finalize", "decommission"];
  return run(all.slice(0, all.indexOf(phase)), "v1.0.0", emptyLedger);
}
