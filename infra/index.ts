import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parseConfig } from "./config.ts";
import { readCa } from "./databases/ca.ts";
import { readJunit } from "./evidence/junit.ts";
import { recordedVersions, servingVersion } from "./release/ledger.ts";
import { runFacts } from "./release/guards.ts";
import { planRelease } from "./release/plan.ts";
import { readLedger } from "./release/read-ledger.ts";
import { availableVersions, readRelease } from "./release/release.ts";
import { refuseEarlyEnd } from "./release/early-end.ts";
import { walk, type Run } from "./release/sequence.ts";

// Read: what is wanted, what is known, and where the stack stands.
const config = parseConfig(pulumi.runtime.allConfig(), secretConfigKeys());
const folder = join(pulumi.getRootDirectory(), config.folder);
const file = readRelease(folder, config.release);
const ledger = await readLedger();

// Plan: what this run is going to do, before anything is declared.
const stack = `${config.system}/${pulumi.getStack()}`;
const plan = planRelease(config, ledger, file, availableVersions(folder));
const facts = runFacts(config, plan, readJunit(file?.unitTests ?? null), stack);

// Declare: every step in its order, each behind its guards.
const run: Run = {
  config,
  plan,
  facts,
  stack,
  folder,
  password: pulumi.secret(config.databasePassword),
  tlsCa: readCa(config.database.caFile, pulumi.getRootDirectory()),
  passages: [],
  hooks: {},
};
walk(run);
refuseEarlyEnd(run);

/** The version that traffic goes to, once this run is through; null while the legacy system serves. */
export const serving = run.record?.ledger.apply(({ now }) => servingVersion(now));

/** The versions that can be gone back to, oldest first. */
export const recorded = run.record?.ledger.apply(({ records }) => recordedVersions(records));

function secretConfigKeys(): string[] {
  return JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
}
