import type { Phase } from "../../../policies/contract/phase.ts";
import type { Config } from "../../../infra/config.ts";
import {
  appendEntry,
  emptyLedger,
  type Ledger,
  type LedgerEntry,
} from "../../../infra/release/ledger.ts";
import { planRelease, type Plan } from "../../../infra/release/plan.ts";
import type { Release } from "../../../infra/release/release.ts";
import { serviceConfig, type ServiceConfig } from "../../../infra/services/config.ts";
import { sampleConfig } from "../../support/config.ts";

/** What a guard is told beside config and plan, in a run that replaces nothing. */
export const known = {
  evidenceDigest: "e".repeat(64),
  checklistDigest: "c".repeat(64),
  replaced: [],
};

/** An image by digest. */
export const image = `registry.example.com/redis@sha256:${"0".repeat(64)}`;

/** A release of the three services, with one migration. */
export function releaseOf(version: string, changes: Partial<Release> = {}): Release {
  return {
    version,
    date: "2026-11-21",
    commit: "0".repeat(40),
    images: { api: "a", worker: "w", web: "b" },
    authors: ["developer@example.com"],
    prepared: [],
    migrations: [migration(`${version}.sql`)],
    digest: version,
    ...changes,
  };
}

/** A migration by its name. */
export function migration(name: string): Release["migrations"][number] {
  return { name, sha256: "0".repeat(64) };
}

/** A row of the table `services`. */
export function service(settings: object): ServiceConfig {
  return serviceConfig.parse({ port: 9000, ...settings });
}

/** What a finished run of a plan says of itself. */
export function entryOf(plan: Plan, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  const {
    before: _before,
    recorded: _recorded,
    newestRecord: _newest,
    ownRecord: _own,
    steps: _steps,
    ...outcome
  } = plan;
  return {
    ...outcome,
    snapshot: null,
    ttlShownAt: null,
    clockScale: 1,
    zones: [],
    restoreTest: null,
    legacyExport: null,
    configDigest: "",
    verdicts: {},
    waivers: {},
    ...changes,
  };
}

/** A stack whose config and releases a test says, and what becomes of its runs. */
export interface SampleStack {
  readonly plan: (phase: Phase, version: string, ledger?: Ledger) => Plan;
  /** The ledger after runs of one release, one phase after the other. */
  readonly run: (phases: readonly Phase[], version: string, ledger?: Ledger) => Ledger;
}

/**
 * A stack of the flagship with another config.
 *
 * @param changes of its first level, or what they are in a phase of a release
 * @param release its releases by version
 */
export function stackWith(
  changes: Partial<Config> | ((phase: Phase, version: string) => Partial<Config>) = {},
  release: (version: string) => Release = releaseOf,
): SampleStack {
  const changesIn = typeof changes === "function" ? changes : () => changes;
  const stack: SampleStack = {
    plan(phase, version, ledger = emptyLedger) {
      const config = sampleConfig({ ...changesIn(phase, version), phase, release: version });
      return planRelease(config, ledger, release(version), []);
    },
    run: (phases, version, ledger = emptyLedger) =>
      phases.reduce(
        (standing, phase) =>
          appendEntry(standing, entryOf(stack.plan(phase, version, standing)), at),
        ledger,
      ),
  };
  return stack;
}

/** When every run of a sample finishes. */
export const at = "2026-11-21T03:00:00.000Z";
