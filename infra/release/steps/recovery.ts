import * as pulumi from "@pulumi/pulumi";
import { declareRestoreTest } from "../../backups/restore-test.ts";
import type { Declare } from "../run.ts";

/** Restores the newest recovery point beside production, asks it, and removes it. */
export const restoreTest: Declare = (run, step) => {
  const { config, plan, database } = run;
  if (database === undefined || config.restoreTest === undefined) return [];
  const { queries } = config.restoreTest;
  const args = { stack: run.stack, due: plan.release.version, queries };
  const tested = declareRestoreTest("restore-test", database, args, step);
  run.restoreTest = pulumi
    .all([tested.at, tested.recoveryPoint])
    .apply(([at, recoveryPoint]) => ({ at, recoveryPoint }));
  return [tested];
};

/** Takes a recovery point of the frozen database. */
export const snapshot: Declare = (run, step) => {
  const { plan, freeze, database } = run;
  if (freeze === undefined || database === undefined || plan.migratedFor === null) return [];
  const { token } = freeze;
  const args = { stack: run.stack, release: plan.migratedFor, token };
  run.recoveryPoint = database.takeRecoveryPoint("recovery-point", args, step);
  return [run.recoveryPoint.resource];
};

/** Brings the database to another version of its engine, and keeps the old one beside it. */
export const upgrade: Declare = (run, step) => {
  const { plan, freeze, database } = run;
  if (freeze === undefined || plan.migratedFor === null) return [];
  const args = { stack: run.stack, release: plan.migratedFor, token: freeze.token };
  const upgraded = database?.upgrade?.("upgrade", args, step);
  if (upgraded === undefined) return [];
  run.upgrade = upgraded;
  return [upgraded];
};
