import { phases, type Phase } from "../../policies/contract/phase.ts";
import type { Config } from "../config.ts";

/** What a phase makes of everything that the stack declares. */
export interface PhaseRow {
  /** Who serves at its end: what served before, or the release. */
  readonly serves: "before" | "release";
  /** How long DNS answers live at its end: the key of `dns.ttl`. */
  readonly ttl: "baseline" | "lowered";
  /** Whether writes are frozen while it runs. */
  readonly freezes: boolean;
  /** Which slots keep their release at its end. */
  readonly slots: "both" | "serving";
  /** What becomes of the legacy system; `config` is what `legacy.afterCutover` says. */
  readonly legacy: "running" | "config" | "gone";
  /** Whether the engine refuses to delete the legacy system: the phase before `gone` lets go of it. */
  readonly protectsLegacy: boolean;
  /** Whether the legacy system's database is exported, for the last time. */
  readonly exportsLegacy: boolean;
  /** Whether a recovery point is restored beside production, and asked. */
  readonly testsRestore: boolean;
}

/** The phases of a release: what serves, which TTL, what is frozen, what is kept, what is protected. */
export const phaseTable: Readonly<Record<Phase, PhaseRow>> = {
  prepare: {
    serves: "before",
    ttl: "baseline",
    freezes: false,
    slots: "both",
    legacy: "running",
    protectsLegacy: true,
    exportsLegacy: false,
    testsRestore: true,
  },
  "lower-ttl": {
    serves: "before",
    ttl: "lowered",
    freezes: false,
    slots: "both",
    legacy: "running",
    protectsLegacy: true,
    exportsLegacy: false,
    testsRestore: false,
  },
  cutover: {
    serves: "release",
    ttl: "lowered",
    freezes: true,
    slots: "both",
    legacy: "config",
    protectsLegacy: true,
    exportsLegacy: false,
    testsRestore: false,
  },
  observe: {
    serves: "release",
    ttl: "lowered",
    freezes: false,
    slots: "both",
    legacy: "config",
    protectsLegacy: true,
    exportsLegacy: false,
    testsRestore: false,
  },
  finalize: {
    serves: "release",
    ttl: "baseline",
    freezes: false,
    slots: "serving",
    legacy: "config",
    protectsLegacy: false,
    exportsLegacy: true,
    testsRestore: false,
  },
  decommission: {
    serves: "release",
    ttl: "baseline",
    freezes: false,
    slots: "serving",
    legacy: "gone",
    protectsLegacy: false,
    exportsLegacy: false,
    testsRestore: false,
  },
};

/** What decides whether a system has a phase; those that are left out every system has. */
const phaseApplies: Readonly<Partial<Record<Phase, (config: PhaseConfig) => boolean>>> = {
  "lower-ttl": movesDns,
  decommission: ({ legacy, database }) =>
    legacy !== undefined || (database.kind === "rds" && database.upgradeTo !== undefined),
};

type PhaseConfig = Pick<Config, "database" | "dns" | "services" | "legacy">;

/**
 * The phases of a system, in order: one without a DNS move has no `lower-ttl`, one without a legacy system or an old
 * database that was kept no `decommission`.
 */
export function phasesOf(config: PhaseConfig): Phase[] {
  return phases.filter((phase) => phaseApplies[phase]?.(config) ?? true);
}

/** Whether a release changes what an answer says whose TTL can be set. */
function movesDns({ dns, services, legacy }: PhaseConfig): boolean {
  return Object.values(dns.names).some(
    ({ service, proxied }) =>
      proxied === undefined &&
      (legacy !== undefined || services[service]?.placement !== "in-place"),
  );
}
