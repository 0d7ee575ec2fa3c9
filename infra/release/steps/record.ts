import * as pulumi from "@pulumi/pulumi";
import type { LedgerEntry } from "../ledger.ts";
import { ReleaseRecord, type Guard } from "../resources.ts";
import type { Declare } from "../run.ts";

/** Writes the ledger, last of all. */
export const record: Declare = (run, step) => {
  const {
    before: _before,
    recorded: _recorded,
    newestRecord: _newest,
    ownRecord: _own,
    steps: _steps,
    ...outcome
  } = run.plan;
  const snapshot = run.recoveryPoint?.id ?? null;
  const ttlShownAt = run.ttlShownAt ?? null;
  const { configDigest } = run.facts;
  const entry = pulumi.output({
    ...outcome,
    ...answersOf(run.guards),
    snapshot,
    ttlShownAt,
    clockScale: run.config.clockScale,
    zones: run.zones,
    restoreTest: run.restoreTest ?? null,
    legacyExport: run.legacyExport ?? null,
    configDigest,
  });
  run.record = new ReleaseRecord("ledger", { entry }, { ...step, protect: true });
  return [run.record];
};

/** What the guards were sealed with, in one. */
function answersOf(guards: readonly Guard[]): {
  readonly verdicts: pulumi.Output<LedgerEntry["verdicts"]>;
  readonly waivers: pulumi.Output<LedgerEntry["waivers"]>;
} {
  return {
    verdicts: pulumi.all(guards.map(({ verdicts }) => verdicts)).apply(merged),
    waivers: pulumi.all(guards.map(({ waivers }) => waivers)).apply(merged),
  };
}

function merged<Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  return Object.assign({}, ...records) as Record<string, Value>;
}
