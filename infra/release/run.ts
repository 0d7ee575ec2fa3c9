import type * as pulumi from "@pulumi/pulumi";
import type { LegacyExportFacts, RestoreTestFacts } from "../../policies/contract/facts.ts";
import type { StepOptions } from "../component.ts";
import type { ZoneImage } from "../dns/before-image.ts";
import type { Config } from "../config.ts";
import type { BlueGreen } from "../databases/blue-green.ts";
import type { ReleaseDatabase, RecoveryPoint, UpgradeState } from "../databases/database.ts";
import { passedHooks, type Passage } from "./guards.ts";
import type { Plan } from "./plan.ts";
import type { Evidence, Guard, ReleaseRecord, WriteFreeze, WriteFreezeArgs } from "./resources.ts";
import type { RunFacts } from "./run-facts.ts";

/** Everything that the steps of a run share. Steps fill in what later steps need. */
export interface Run {
  readonly config: Config;
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly evidence: Evidence;
  readonly stack: string;
  /** Absolute path of the system's folder. */
  readonly folder: string;
  /** The database's password, where the stack config has it. */
  readonly password: pulumi.Output<string> | undefined;
  /** PEM of the database server's CA, when the config names a file. */
  readonly tlsCa: string | undefined;
  /** What DNS answers before the run moves traffic; empty when it moves none. */
  readonly zones: readonly ZoneImage[];
  /** What must have been passed by everything that is declared from here on. */
  passages: readonly Passage[];
  /** The guards that were declared so far. */
  guards: readonly Guard[];
  /** Hooks of everything that is declared from here on. */
  hooks: pulumi.ResourceHookBinding;
  /** What an environment variable of a service says, by the name of a secret. */
  secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /** The upgrade of the database that the stack's state tells of. */
  readonly upgraded: UpgradeState | undefined;
  database?: ReleaseDatabase;
  /** The upgrade of the database, as this run declares it. */
  upgrade?: BlueGreen;
  freeze?: WriteFreeze;
  recoveryPoint?: RecoveryPoint;
  /** When the resolvers showed the lowered TTL, ISO 8601. */
  ttlShownAt?: pulumi.Output<string>;
  restoreTest?: pulumi.Output<RestoreTestFacts>;
  legacyExport?: pulumi.Output<LegacyExportFacts>;
  record?: ReleaseRecord;
}

/** Declares what a step does; none when the run has nothing to do here. */
export type Declare = (run: Run, step: StepOptions) => pulumi.Resource[];

/** From here on, everything stands behind these passages too. */
export function stand(run: Run, ...passages: readonly Passage[]): void {
  run.passages = [...run.passages, ...passages];
  run.hooks = { ...run.hooks, ...passedHooks(run.passages, run.facts) };
}

/** What a freeze and its lift are made from; undefined while no release has moved data yet. */
export function freezeArgs(run: Run, writes: "frozen" | "open"): WriteFreezeArgs | undefined {
  const { config, plan, database } = run;
  if (database === undefined || plan.migratedFor === null) return undefined;
  return {
    connection: database.connection,
    stack: run.stack,
    release: plan.migratedFor,
    writes,
    drainSeconds: config.deadlines.drainSeconds,
  };
}
