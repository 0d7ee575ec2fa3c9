import type {
  BeforeFacts,
  LegacyExportFacts,
  RestoreTestFacts,
  TtlFacts,
} from "../../policies/contract/facts.ts";
import type { Direction, Phase } from "../../policies/contract/phase.ts";
import type { WaiverNote } from "../../policies/contract/seal.ts";
import type { Verdict } from "../../policies/contract/verdict.ts";
import type { ZoneImage } from "../dns/before-image.ts";
import { longestLife } from "../dns/ttl.ts";
import type { Release } from "./release.ts";

/** The two places a release can run in; traffic goes to one while the other is prepared or kept. */
export const slots = ["blue", "green"] as const;

/** One of the two places a release can run in. */
export type Slot = (typeof slots)[number];

/** A release in a slot, with what it was started with. */
export interface PlacedRelease extends Release {
  /** Feature flags by name. */
  readonly flags: Readonly<Record<string, boolean | string>>;
  readonly safeMode: boolean;
}

/** What traffic can be sent to. */
export type Target = Slot | "legacy";

/** A DNS answer as it was before a release moved it. */
export interface DnsAnswer {
  readonly name: string;
  readonly content: string;
  readonly ttlSeconds: number;
}

/** Where a stack stands after its last finished run. */
export interface Standing {
  readonly phase: Phase | null;
  /** The version that the phase is about. */
  readonly release: string | null;
  /** What traffic goes to. */
  readonly serving: Target;
  /** Which release each slot holds. */
  readonly slots: Readonly<Record<Slot, PlacedRelease | null>>;
  readonly ttl: TtlFacts | null;
  /** When each phase of `release` ended, ISO 8601; going through it again without a break changes nothing. */
  readonly times: BeforeFacts["times"];
  /** The migrations that the database has seen. */
  readonly migrations: Release["migrations"];
  /** The version for which writes were last frozen and data moved on; null before the first. */
  readonly migratedFor: string | null;
  /** False once the legacy system was removed. */
  readonly legacy: boolean;
  /** The last restore of a backup that was asked; null before the first. */
  readonly restoreTest: RestoreTestFacts | null;
  /** The last export of the legacy system's database; null before the first. */
  readonly legacyExport: LegacyExportFacts | null;
}

/** What a run leads to: planned before it, recorded after it. */
export interface Outcome {
  readonly phase: Phase;
  readonly direction: Direction;
  readonly release: Release;
  /** What traffic goes to after the run. */
  readonly serving: Target;
  /** What each slot holds after the run. */
  readonly slots: Standing["slots"];
  readonly ttlSeconds: number;
  readonly migrations: Release["migrations"];
  /** The version whose write freeze, snapshot and migrations are declared; null before the first. */
  readonly migratedFor: string | null;
  /** False when the legacy system is gone after the run. */
  readonly legacy: boolean;
  /** True when the run moves traffic to another release. */
  readonly moves: boolean;
  /** What DNS answered before the run. */
  readonly dnsBefore: readonly DnsAnswer[];
}

/** What one finished run says of itself. */
export interface LedgerEntry extends Outcome {
  /** Id of the RDS snapshot taken in this run's write freeze; null when none was taken. */
  readonly snapshot: string | null;
  /** When the resolvers showed a TTL that this run lowered, ISO 8601; null when it lowered none. */
  readonly ttlShownAt: string | null;
  /** How much faster than the wall the clock runs that TTLs count in. */
  readonly clockScale: number;
  /** What DNS answered for all declared names before the run moved traffic; empty when it moved none. */
  readonly zones: readonly ZoneImage[];
  /** The restore test of this run; null when it made none. */
  readonly restoreTest: RestoreTestFacts | null;
  /** The export of the legacy system's database in this run; null when it made none. */
  readonly legacyExport: LegacyExportFacts | null;
  readonly configDigest: string;
  /** What every gate of the run answered. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** The waivers that gates were open by. */
  readonly waivers: Readonly<Record<string, WaiverNote>>;
}

/** What the ledger keeps of a release that went live. */
export interface LiveRecord {
  readonly release: Release;
  readonly direction: Direction;
  readonly slot: Target;
  readonly dnsBefore: readonly DnsAnswer[];
  /** What DNS answered for all declared names before traffic moved. */
  readonly zones: readonly ZoneImage[];
  readonly snapshot: string | null;
  /** What every gate answered, and the waivers that gates were open by. */
  readonly verdicts: LedgerEntry["verdicts"];
  readonly waivers: LedgerEntry["waivers"];
  /** ISO 8601. */
  readonly at: string;
}

/** The stack's own memory: where it stands, where it stood before, and every release that went live, oldest first. */
export interface Ledger {
  readonly before: Standing;
  readonly now: Standing;
  readonly records: readonly LiveRecord[];
}

/** The standing of a stack that never ran. */
export const emptyStanding: Standing = {
  phase: null,
  release: null,
  serving: "legacy",
  slots: { blue: null, green: null },
  ttl: null,
  times: {},
  migrations: [],
  migratedFor: null,
  legacy: true,
  restoreTest: null,
  legacyExport: null,
};

/** The ledger of a stack that never ran. */
export const emptyLedger: Ledger = { before: emptyStanding, now: emptyStanding, records: [] };

/**
 * The ledger after one more finished run. Saying the same phase of the same release again moves nothing: `before` stays
 * what it was, so that a repeated run plans the same as the first.
 *
 * @param at when the run finished, ISO 8601
 */
export function appendEntry(ledger: Ledger | undefined, entry: LedgerEntry, at: string): Ledger {
  const { before, now, records } = ledger ?? emptyLedger;
  const repeated = isRepeat(now, entry.phase, entry.release.version);
  const from = repeated ? before : now;
  const times = now.release === entry.release.version ? now.times : {};
  const next: Standing = {
    phase: entry.phase,
    release: entry.release.version,
    serving: entry.serving,
    slots: entry.slots,
    ttl: nextTtl(repeated ? now.ttl : from.ttl, entry, entry.ttlShownAt ?? at),
    times: repeated ? { [entry.phase]: at, ...times } : { ...times, [entry.phase]: at },
    migrations: entry.migrations,
    migratedFor: entry.migratedFor,
    legacy: entry.legacy,
    restoreTest: entry.restoreTest ?? from.restoreTest,
    legacyExport: entry.legacyExport ?? from.legacyExport,
  };
  const live: LiveRecord = {
    release: entry.release,
    direction: entry.direction,
    slot: entry.serving,
    dnsBefore: entry.dnsBefore,
    zones: entry.zones,
    snapshot: entry.snapshot,
    verdicts: entry.verdicts,
    waivers: entry.waivers,
    at,
  };
  return {
    before: from,
    now: next,
    records: entry.moves && !repeated ? [...records, live] : records,
  };
}

/** A ledger with its nulls put back: the engine drops them on some of its ways. */
export function wholeLedger(ledger: Partial<Ledger>): Ledger {
  return {
    before: wholeStanding(ledger.before),
    now: wholeStanding(ledger.now),
    records: (ledger.records ?? []).map(
      (record: Partial<LiveRecord>) =>
        ({
          snapshot: null,
          dnsBefore: [],
          zones: [],
          verdicts: {},
          waivers: {},
          ...record,
        }) as LiveRecord,
    ),
  };
}

/** Tells whether a run of this phase and version repeats the one that the stack stands at. */
export function isRepeat(now: Standing, phase: Phase, version: string): boolean {
  return now.phase === phase && now.release === version;
}

/** The version that traffic goes to; null while the legacy system serves. */
export function servingVersion(standing: Standing): string | null {
  return standing.serving === "legacy" ? null : (standing.slots[standing.serving]?.version ?? null);
}

/** Versions that went live, oldest first, each once. */
export function recordedVersions(records: readonly LiveRecord[]): string[] {
  return [...new Set(records.map((record) => record.release.version))];
}

function nextTtl(
  ttl: TtlFacts | null,
  { ttlSeconds: seconds, clockScale }: LedgerEntry,
  at: string,
): TtlFacts {
  if (ttl === null) return { seconds, previousSeconds: seconds, changedAt: at };
  if (ttl.seconds === seconds) return ttl;
  return { seconds, previousSeconds: longestLife(ttl, at, clockScale), changedAt: at };
}

function wholeStanding(standing: Partial<Standing> | undefined): Standing {
  return {
    ...emptyStanding,
    ...standing,
    slots: { ...emptyStanding.slots, ...standing?.slots },
  };
}
