import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { evidenceDigest } from "../policies/contract/documents.ts";
import { parseConfig } from "./config.ts";
import { readCa } from "./databases/ca.ts";
import { movedNames } from "./dns/moved-names.ts";
import { readBeforeImage, zoneText, type ZoneImage } from "./dns/before-image.ts";
import { loadDocuments } from "./evidence/load-documents.ts";
import type { ReadingContext } from "./readings/reading.ts";
import { readWanted } from "./readings/readings.ts";
import { loadChecklist } from "./release/checklist.ts";
import { refuseEarlyEnd } from "./release/early-end.ts";
import { isRepeat, recordedVersions, servingVersion } from "./release/ledger.ts";
import { planRelease } from "./release/plan.ts";
import { readState } from "./release/read-state.ts";
import { availableVersions, readRelease } from "./release/release.ts";
import type { Evidence } from "./release/resources.ts";
import { replacedBy } from "./release/replaced.ts";
import { runFacts } from "./release/run-facts.ts";
import type { Run } from "./release/run.ts";
import { walk } from "./release/sequence.ts";

const imageMilliseconds = 20_000;

// Read: what is wanted, what is known, and where the stack stands.
const root = pulumi.getRootDirectory();
const config = parseConfig(pulumi.runtime.allConfig(), secretConfigKeys());
const folder = join(root, config.folder);
const file = readRelease(folder, config.release);
const checklist = loadChecklist(config.system);
const tlsCa = config.database.kind === "rds" ? readCa(config.database.caFile, root) : undefined;
const state = await readState(config.database);
const { ledger, database, resources, upgraded } = state;

// Plan: what this run is going to do, before anything is declared.
const stack = `${config.system}/${pulumi.getStack()}`;
const plan = planRelease(config, ledger, file, availableVersions(folder), upgraded);
const evidence = await readEvidence();
const facts = runFacts(config, plan, stack, {
  evidenceDigest: evidenceDigest(evidence.documents),
  checklistDigest: checklist.digest,
  replaced: replacedBy(config, resources),
});

const zones = await imageOfZones();

// Declare: every step in its order, each behind its guards.
const run: Run = {
  config,
  plan,
  facts,
  evidence,
  stack,
  folder,
  password:
    config.databasePassword === undefined ? undefined : pulumi.secret(config.databasePassword),
  tlsCa,
  zones,
  passages: [],
  guards: [],
  hooks: {},
  secrets: {},
  upgraded,
};
walk(run);
refuseEarlyEnd(run);

/** The version that traffic goes to, once this run is through; null while the legacy system serves. */
export const serving = run.record?.ledger.apply(({ now }) => servingVersion(now));

/** The versions that can be gone back to, oldest first. */
export const recorded = run.record?.ledger.apply(({ records }) => recordedVersions(records));

/** The records as they were before the newest release, in the form of zone files: what a rollback by hand needs. */
export const dnsBefore = run.record?.ledger.apply(({ records }) =>
  zoneText(records.at(-1)?.zones ?? [], config.dns),
);

/** What DNS answers before this run moves traffic. A repeated run tells what the first one saw. */
async function imageOfZones(): Promise<readonly ZoneImage[]> {
  if (!plan.moves) return [];
  if (isRepeat(ledger.now, plan.phase, plan.release.version)) {
    return ledger.records.at(-1)?.zones ?? [];
  }
  return readBeforeImage(config.dns, AbortSignal.timeout(imageMilliseconds));
}

/** What the gates of the checklist are told. The way back asks for none of it, and must not wait for it. */
async function readEvidence(): Promise<Evidence> {
  if (plan.direction === "rollback") return { documents: [], readings: {} };
  const [documents, readings] = await Promise.all([
    loadDocuments(config.evidence, plan.release.version, root),
    readWanted(config.readings, checklist, plan.phase, {
      release: plan.release,
      database: connectionForReadings(),
      moved: movedNames(plan, config, resources),
    }),
  ]);
  return { documents, readings };
}

/** How readings reach the database: it must be there, and the stack config must have its password. */
function connectionForReadings(): ReadingContext["database"] {
  if (database === undefined) return undefined;
  const at = { ...database, ...(tlsCa === undefined ? {} : { tlsCa }) };
  const { passwordSecretArn } = state;
  if (passwordSecretArn !== undefined) return { ...at, passwordSecretArn };
  const password = config.databasePassword ?? state.generatedPassword;
  return password === undefined ? undefined : { ...at, password };
}

function secretConfigKeys(): string[] {
  return JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
}
