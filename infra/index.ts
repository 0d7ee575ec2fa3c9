import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { evidenceDigest } from "../policies/contract/documents.ts";
import { parseConfig } from "./config.ts";
import { readCa } from "./databases/ca.ts";
import { loadDocuments } from "./evidence/load-documents.ts";
import { readWanted } from "./readings/readings.ts";
import { loadChecklist } from "./release/checklist.ts";
import { refuseEarlyEnd } from "./release/early-end.ts";
import { recordedVersions, servingVersion } from "./release/ledger.ts";
import { planRelease } from "./release/plan.ts";
import { readState } from "./release/read-state.ts";
import { availableVersions, readRelease } from "./release/release.ts";
import type { Evidence } from "./release/resources.ts";
import { runFacts } from "./release/run-facts.ts";
import { walk, type Run } from "./release/sequence.ts";

// Read: what is wanted, what is known, and where the stack stands.
const root = pulumi.getRootDirectory();
const config = parseConfig(pulumi.runtime.allConfig(), secretConfigKeys());
const folder = join(root, config.folder);
const file = readRelease(folder, config.release);
const checklist = loadChecklist(config.system);
const tlsCa = readCa(config.database.caFile, root);
const { ledger, database } = await readState();

// Plan: what this run is going to do, before anything is declared.
const stack = `${config.system}/${pulumi.getStack()}`;
const plan = planRelease(config, ledger, file, availableVersions(folder));
const evidence = await readEvidence();
const facts = runFacts(config, plan, stack, {
  evidenceDigest: evidenceDigest(evidence.documents),
  checklistDigest: checklist.digest,
});

// Declare: every step in its order, each behind its guards.
const run: Run = {
  config,
  plan,
  facts,
  evidence,
  stack,
  folder,
  password: pulumi.secret(config.databasePassword),
  tlsCa,
  passages: [],
  guards: [],
  hooks: {},
};
walk(run);
refuseEarlyEnd(run);

/** The version that traffic goes to, once this run is through; null while the legacy system serves. */
export const serving = run.record?.ledger.apply(({ now }) => servingVersion(now));

/** The versions that can be gone back to, oldest first. */
export const recorded = run.record?.ledger.apply(({ records }) => recordedVersions(records));

/** What the gates of the checklist are told. The way back asks for none of it, and must not wait for it. */
async function readEvidence(): Promise<Evidence> {
  if (plan.direction === "rollback") return { documents: [], readings: {} };
  const [documents, readings] = await Promise.all([
    loadDocuments(config.evidence, plan.release.version, root),
    readWanted(config.readings, checklist, plan.phase, {
      release: plan.release,
      database:
        database === undefined
          ? undefined
          : {
              ...database,
              password: config.databasePassword,
              ...(tlsCa === undefined ? {} : { tlsCa }),
            },
    }),
  ]);
  return { documents, readings };
}

function secretConfigKeys(): string[] {
  return JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
}
