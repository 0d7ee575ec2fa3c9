import type { Direction } from "../../policies/contract/phase.ts";
import { stepIds, type StepId } from "../../policies/contract/steps.ts";
import type { Config } from "../config.ts";
import type { UpgradeState } from "../databases/database.ts";
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
  type PlacedRelease,
  type Slot,
  type Standing,
  type Target,
} from "./ledger.ts";
import { startOrder } from "../services/start-order.ts";
import { phaseTable } from "./phases.ts";
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
  /** The actions of this run, in order; each service has one of its own name. */
  readonly steps: readonly string[];
}

/**
 * Plans a run.
 *
 * @param file the release as its file describes it; undefined when there is no file
 * @param available versions that have a file, for the message when the release is unknown
 * @param upgraded the upgrade of the database that the stack's state tells of
 * @throws OperatorError when the release is neither recorded nor has a file, or when its file changed after it went live
 */
export function planRelease(
  config: Config,
  ledger: Ledger,
  file: Release | undefined,
  available: readonly string[],
  upgraded?: UpgradeState,
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
  const row = phaseTable[config.phase];
  const outcome: Outcome = {
    phase: config.phase,
    direction,
    release,
    moves,
    serving,
    slots: slotsAfter(
      before,
      serving,
      placed(release, config),
      moves,
      row.slots === "serving" && !moves,
    ),
    ttlSeconds: config.dns.ttl[moves ? "lowered" : row.ttl],
    migrations: forwardMove ? release.migrations : preparedMigrations(before, release, config),
    migratedFor: forwardMove ? version : before.migratedFor,
    legacy: config.legacy !== undefined && before.legacy && row.legacy !== "gone",
    dnsBefore: Object.keys(config.dns.names).flatMap((name) => {
      const content = addressOf(before.serving, name, config);
      const ttlSeconds = before.ttl?.seconds ?? config.dns.ttl.baseline;
      return content === undefined ? [] : [{ name, content, ttlSeconds }];
    }),
  };
  // A rollback is recorded too, and meets no gate of a checklist.
  const ownRecord =
    records.findLast(
      (entry) => entry.release.version === version && entry.direction === "forward",
    ) ?? null;
  const newestRecord = records.at(-1) ?? null;
  const steps = stepIds
    .filter((step) => stepApplies[step]?.(outcome, config, upgraded) ?? true)
    .flatMap((step) => (step === "services" ? releasedServices(config) : [step]));
  return { ...outcome, before, recorded, newestRecord, ownRecord, steps };
}

/** The services whose image comes from the release, in the order in which they start. */
export function releasedServices({ services }: Pick<Config, "services">): string[] {
  return (startOrder(services).order ?? []).filter((name) => services[name]?.image === undefined);
}

type Applies = (outcome: Outcome, config: Config, upgraded?: UpgradeState) => boolean;

const movesForward = ({ moves, direction }: Outcome): boolean => moves && direction === "forward";
const movedData: Applies = ({ migratedFor }) => migratedFor !== null;
const servesRelease: Applies = ({ serving, slots: held }) =>
  serving !== "legacy" && held[serving] !== null;
/** Whether anybody serves, so that the names that move have an answer. */
function answers({ serving }: Outcome, { legacy }: Config): boolean {
  return serving !== "legacy" || legacy !== undefined;
}

const filledSlots: Applies = (outcome) => slots.some((slot) => outcome.slots[slot] !== null);

function announces(step: AnnouncingStep): Applies {
  return (outcome, config) => announcementsOf(step, config, outcome).length > 0;
}

function hasJobs(step: "data-jobs" | "check-jobs"): Applies {
  return ({ migratedFor }, { jobs }) =>
    migratedFor !== null && Object.values(jobs).some((job) => job.step === step);
}

/** When a step has something to do; those that are left out always have. */
const stepApplies: Readonly<Partial<Record<StepId, Applies>>> = {
  "restore-test": ({ phase }, { restoreTest }) =>
    restoreTest !== undefined && phaseTable[phase].testsRestore,
  legacy: ({ legacy }) => legacy,
  announce: announces("announce"),
  freeze: movedData,
  snapshot: movedData,
  upgrade: (outcome, { database }, upgraded) =>
    database.kind === "rds" &&
    database.upgradeTo !== undefined &&
    (movesForward(outcome) || upgraded?.version === database.upgradeTo),
  migrate: ({ migrations }) => migrations.length > 0,
  "data-jobs": hasJobs("data-jobs"),
  services: filledSlots,
  "check-jobs": hasJobs("check-jobs"),
  probe: servesRelease,
  switch: answers,
  "ttl-shown": (outcome, config) =>
    outcome.phase === "lower-ttl" &&
    !outcome.moves &&
    answers(outcome, config) &&
    Object.keys(config.dns.names).length > 0,
  verify: servesRelease,
  lift: movedData,
  retire: (outcome, { legacy, database }) =>
    (outcome.legacy && legacy?.afterCutover === "stopped") ||
    (outcome.phase === "decommission" &&
      database.kind === "rds" &&
      database.upgradeTo !== undefined),
  publish: announces("publish"),
};

/**
 * The IPv4 address that a host name answers with while a target serves; undefined while nothing serves there.
 *
 * @param host a name of `dns.names`
 */
export function addressOf(target: Target, host: string, config: Config): string | undefined {
  if (target === "legacy") return config.legacy?.address;
  return serviceAddress(config.dns.names[host]?.service ?? "", target, config);
}

/** The IPv4 address of a service while a slot serves; undefined for one that has no place. */
export function serviceAddress(name: string, slot: Slot, config: Config): string | undefined {
  const service = config.services[name];
  return service?.placement === "in-place" ? service.address : config.slots?.[slot];
}

/** A release as a slot holds it: flags and safe mode are those that it was started with. */
function placed(release: Release, { flags, safeMode }: Config): PlacedRelease {
  return { ...release, flags, safeMode };
}

/** Migrations that run before anybody uses the database join those that it has seen. */
function preparedMigrations(
  before: Standing,
  release: Release,
  { phase }: Config,
): Release["migrations"] {
  const seen = before.migrations.map(({ name }) => name);
  const more = release.prepared.filter(({ name }) => !seen.includes(name));
  if (phase !== "prepare" || more.length === 0) return before.migrations;
  if (servingVersion(before) === null) return [...before.migrations, ...more];
  throw new OperatorError(
    problemText("The release cannot be prepared.", [
      {
        where: `releases/${release.version}.yaml: prepared`,
        found: `${more.map(({ name }) => name).join(", ")}, while ${String(servingVersion(before))} serves`,
        required: "migrations in prepare only while nobody uses the database",
        todo: "leave them in migrations, and take them out of prepared",
      },
    ]),
  );
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
  release: PlacedRelease,
  moves: boolean,
  emptied: boolean,
): Standing["slots"] {
  const after = (slot: Slot): PlacedRelease | null => {
    if (moves && slot === serving) return release;
    if (emptied && slot !== serving) return null;
    const held = before.slots[slot];
    // Flags may change while a release serves; another slot keeps those that it was started with.
    return held?.version === release.version ? { ...held, ...inputsOf(release) } : held;
  };
  return { blue: after("blue"), green: after("green") };
}

function inputsOf({ flags, safeMode }: PlacedRelease): Pick<PlacedRelease, "flags" | "safeMode"> {
  return { flags, safeMode };
}
