import { describe, expect, test } from "vitest";
import {
  appendEntry,
  emptyLedger,
  wholeLedger,
  type LedgerEntry,
  type PlacedRelease,
} from "../../../infra/release/ledger.ts";
import { releaseOf } from "./samples.ts";

const release: PlacedRelease = {
  ...releaseOf("v1.0.0", { migrations: [] }),
  flags: {},
  safeMode: false,
};

const entry: LedgerEntry = {
  phase: "prepare",
  direction: "forward",
  release,
  serving: "legacy",
  slots: { blue: null, green: null },
  ttlSeconds: 3600,
  migrations: [],
  migratedFor: null,
  legacy: true,
  moves: false,
  dnsBefore: [],
  snapshot: null,
  ttlShownAt: null,
  clockScale: 1,
  zones: [],
  restoreTest: null,
  legacyExport: null,
  configDigest: "c",
  verdicts: { "phase-in-order": "pass" },
  waivers: {},
};

describe("appendEntry", () => {
  const prepared = appendEntry(undefined, entry, "2026-11-21T00:00:00.000Z");

  test("starts a ledger where nothing went live", () => {
    expect(prepared).toMatchObject({
      before: { phase: null },
      now: { phase: "prepare" },
      records: [],
    });
  });

  test("remembers since when answers live shorter, and how long they lived before", () => {
    const lowered = appendEntry(
      prepared,
      { ...entry, phase: "lower-ttl", ttlSeconds: 60 },
      "2026-11-21T01:00:00.000Z",
    );
    expect(lowered.now.ttl).toEqual({
      seconds: 60,
      previousSeconds: 3600,
      changedAt: "2026-11-21T01:00:00.000Z",
    });
  });

  test("a repeated run does not restart the dwell", () => {
    const lowered = appendEntry(
      prepared,
      { ...entry, phase: "lower-ttl", ttlSeconds: 60 },
      "2026-11-21T01:00:00.000Z",
    );
    const again = appendEntry(
      lowered,
      { ...entry, phase: "lower-ttl", ttlSeconds: 60 },
      "2026-11-21T09:00:00.000Z",
    );
    expect(again.now.ttl).toEqual(lowered.now.ttl);
    expect(again.before).toEqual(lowered.before);
  });

  test("a repeated run that changes the TTL does restart the dwell", () => {
    const lowered = appendEntry(
      prepared,
      { ...entry, phase: "lower-ttl", ttlSeconds: 300 },
      "2026-11-21T01:00:00.000Z",
    );
    const again = appendEntry(
      lowered,
      { ...entry, phase: "lower-ttl", ttlSeconds: 60 },
      "2026-11-21T02:00:00.000Z",
    );
    expect(again.now.ttl).toEqual({
      seconds: 60,
      previousSeconds: 300,
      changedAt: "2026-11-21T02:00:00.000Z",
    });
  });

  test("a release that went live is recorded once", () => {
    const live: LedgerEntry = {
      ...entry,
      phase: "cutover",
      moves: true,
      serving: "blue",
      slots: { blue: release, green: null },
    };
    const first = appendEntry(prepared, live, "2026-11-21T02:00:00.000Z");
    const again = appendEntry(first, live, "2026-11-21T03:00:00.000Z");
    expect(first.records).toHaveLength(1);
    expect(again.records).toEqual(first.records);
  });
});

test("wholeLedger puts back what the engine dropped", () => {
  const dropped = JSON.parse(
    JSON.stringify(emptyLedger, (_, value: unknown) => (value === null ? undefined : value)),
  ) as Partial<typeof emptyLedger>;
  expect(dropped).not.toEqual(emptyLedger);
  expect(wholeLedger(dropped)).toEqual(emptyLedger);
});

describe("when each phase ended", () => {
  const hours = (hour: number): string => `2026-11-21T0${hour}:00:00.000Z`;
  const run = (
    ledger: Parameters<typeof appendEntry>[0],
    phase: LedgerEntry["phase"],
    hour: number,
    version = "v1.0.0",
  ): ReturnType<typeof appendEntry> =>
    appendEntry(ledger, { ...entry, phase, release: { ...release, version } }, hours(hour));
  const lowered = run(run(undefined, "prepare", 0), "lower-ttl", 1);

  test("is kept by phase, and a stack that never ran has none", () => {
    expect(lowered.now.times).toEqual({ prepare: hours(0), "lower-ttl": hours(1) });
    expect(lowered.before.times).toEqual({ prepare: hours(0) });
    expect(emptyLedger.now.times).toEqual({});
  });

  test("stays that of the first run when the run is repeated", () => {
    expect(run(lowered, "lower-ttl", 5).now.times).toEqual(lowered.now.times);
  });

  test("of a repeated run in a ledger that kept no times, it is that of the repetition", () => {
    const { times: _lost, ...now } = lowered.now;
    const old = wholeLedger({ now: now as typeof lowered.now });
    expect(run(old, "lower-ttl", 5).now.times).toEqual({ "lower-ttl": hours(5) });
  });

  test("is that of the last run when a phase is gone through again", () => {
    const again = run(run(lowered, "prepare", 2), "lower-ttl", 3);
    expect(again.now.times).toEqual({ prepare: hours(2), "lower-ttl": hours(3) });
  });

  test("begins anew with another release, and with the first one after it", () => {
    const other = run(lowered, "prepare", 2, "v1.1.0");
    expect(other.now.times).toEqual({ prepare: hours(2) });
    expect(run(other, "cutover", 3).now.times).toEqual({ cutover: hours(3) });
  });
});
