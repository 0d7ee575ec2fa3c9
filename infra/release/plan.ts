import type { Direction, Phase } from "../../policies/contract/phase.ts";
import { stepIds, type StepId } from "../../policies/contract/steps.ts";
import type { Config } from "../config.ts";
import { OperatorError, problemText } from "../errors.ts";
import { announcementsOf, type AnnouncingStep } from "./announcements.ts";
import {
  isRepeat,
  recordedVersions,
  servingVersion,
  slots,
  type Ledger,
  type LiveRecord,
  type Outcome,
  type Slot,
  type Standing,
  type Target,
} from "./ledger.ts";
import type { Release } from "./release.ts";

/** What one run of the program is going to do: a pure function of config, release and ledger. */
export interface Plan extends Outcome {
  /** Where the stack stood before this run; a repeated run plans from where the first one did. */
  readonly before: Standing;
  /** Versions that went live before this run, oldest first. */
  readonly recorded: readonly string[];
  /** The newest record from before this run; null before anything went live. */
  readonly newestRecord: LiveRecord | null;
  /** The newest record of the release's own cutover, from before this run; null before it. */
  readonly ownRecord: LiveRecord | null;
  /** The actions of this run, in order. */
  readonly steps: readonly StepId[];
}

/** How long DNS answers live in each phase. */
const ttlOf: Readonly<Record<Phase, keyof Config["dns"]["ttl"]>> = {
  prepare: "baseline",
  "lower-ttl": "lowered",
  cutover: "lowered",
  observe: "lowered",
  finalize: "baseline",
  decommission: "baseline",
};

/** From these phases on, only the serving slot is kept. */
const slotEmptied: readonly Phase[] = ["finalize", "decommission"];

/**
 * Plans a run.
 *
 * @param file the release as its file describes it; undefined when there is no file
 * @param available versions that have a file, for the message when the release is unknown
 * @throws OperatorError when the release is neither recorded nor has a file, or when its file changed after it went live
 */
export function planRelease(
  config: Config,
  ledger: Ledger,
  file: Release | undefined,
  available: readonly string[],
): Plan {
  const version = config.release;
  const repeated = isRepeat(ledger.now, config.phase, version);
  const before = repeated ? ledger.before : ledger.now;
  const release = knownRelease(version, ledger, file, available);
  // In a repeated run the last record is this run's own.
  const lastRecord = ledger.records.at(-1);
  const own =
    repeated &&
    servingVersion(ledger.before) !== version &&
    lastRecord?.release.version === version;
  const records = own ? ledger.records.slice(0, -1) : ledger.records;
  const recorded = recordedVersions(records);
  const live = servingVersion(before);
  const direction: Direction =
    recorded.includes(version) && live !== version ? "rollback" : "forward";
  const moves = direction === "rollback" || (config.phase === "cutover" && live !== version);
  const serving = moves ? freeSlot(before, version) : before.serving;
  const forwardMove = moves && direction === "forward";
  const outcome: Outcome = {
    phase: config.phase,
    direction,
    release,
    moves,
    serving,
    slots: slotsAfter(
      before,
      serving,
      moves ? release : null,
      slotEmptied.includes(config.phase) && !moves,
    ),
    ttlSeconds: config.dns.ttl[moves ? "lowered" : ttlOf[config.phase]],
    migrations: forwardMove ? release.migrations : before.migrations,
    migratedFor: forwardMove ? version : before.migratedFor,
    legacy: before.legacy && config.phase !== "decommission",
    dnsBefore: config.dns.names.map((name) => ({
      name,
      content: addressOf(before.serving, config),
      ttlSeconds: before.ttl?.seconds ?? config.dns.ttl.baseline,
    })),
  };
  // A rollback is recorded too, and meets no gate of a checklist.
  const ownRecord =
    records.findLast(
      (entry) => entry.release.version === version && entry.direction === "forward",
    ) ?? null;
  const newestRecord = records.at(-1) ?? null;
  const steps = stepIds.filter((step) => stepApplies[step]?.(outcome, config) ?? true);
  return { ...outcome, before, recorded, newestRecord, ownRecord, steps };
}

const movedData = ({ migratedFor }: Outcome): boolean => migratedFor !== null;
const filledSlots = (outcome: Outcome): boolean =>
  slots.some((slot) => outcome.slots[slot] !== null);
const servesRelease = ({ serving, slots: held }: Outcome): boolean =>
  serving !== "legacy" && held[serving] !== null;

function announces(step: AnnouncingStep): (outcome: Outcome, config: Config) => boolean {
  return (outcome, config) => announcementsOf(step, config, outcome).length > 0;
}

/** When a step has something to do; those that are left out always have. */
const stepApplies: Readonly<
  Partial<Record<StepId, (outcome: Outcome, config: Config) => boolean>>
> = {
  legacy: ({ legacy }) => legacy,
  announce: announces("announce"),
  freeze: movedData,
  snapshot: movedData,
  migrate: movedData,
  api: filledSlots,
  worker: filledSlots,
  web: filledSlots,
  probe: servesRelease,
  verify: servesRelease,
  lift: movedData,
  publish: announces("publish"),
};

/** The IPv4 address behind a target. */
export function addressOf(target: Target, config: Config): string {
  return target === "legacy" ? config.legacy.address : config.services.slots[target];
}

function knownRelease(
  version: string,
  ledger: Ledger,
  file: Release | undefined,
  available: readonly string[],
): Release {
  const record = ledger.records.findLast((entry) => entry.release.version === version);
  if (record === undefined && file === undefined) {
    const recorded = recordedVersions(ledger.records);
    throw new OperatorError(
      problemText("The release is unknown.", [
        {
          where: "cutover:release",
          found: version,
          required:
            `a recorded release (${recorded.join(", ") || "none yet"}) ` +
            `or one with a file (${available.join(", ") || "none"})`,
          todo: `pulumi config set release ${recorded.at(-1) ?? available.at(-1) ?? "vX.Y.Z"}`,
        },
      ]),
    );
  }
  if (record !== undefined && file !== undefined && record.release.digest !== file.digest) {
    throw new OperatorError(
      problemText("A release that went live cannot be changed.", [
        {
          where: `releases/${version}.yaml`,
          found: `digest ${file.digest.slice(0, 12)}`,
          required: `digest ${record.release.digest.slice(0, 12)}, which went live on ${record.at}`,
          todo: `restore the file and its migrations, and give the change a new version`,
        },
      ]),
    );
  }
  return (record?.release ?? file) as Release;
}

/** The slot that does not serve; the one that already holds this version, if any. */
function freeSlot(before: Standing, version: string): Slot {
  const free = slots.filter((slot) => slot !== before.serving);
  return free.find((slot) => before.slots[slot]?.version === version) ?? (free[0] as Slot);
}

function slotsAfter(
  before: Standing,
  serving: Target,
  incoming: Release | null,
  emptied: boolean,
): Standing["slots"] {
  const after = (slot: Slot): Release | null => {
    if (incoming !== null && slot === serving) return incoming;
    return emptied && slot !== serving ? null : before.slots[slot];
  };
  return { blue: after("blue"), green: after("green") };
}
