import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { rolesAsked } from "../../cli/asked.ts";
import { readProject } from "../../cli/project.ts";
import { loadDocuments } from "../../infra/evidence/load-documents.ts";
import { emptyLedger } from "../../infra/release/ledger.ts";
import { planRelease } from "../../infra/release/plan.ts";
import { availableVersions } from "../../infra/release/release.ts";
import { runFacts } from "../../infra/release/run-facts.ts";
import { gatesOf } from "../../policies/checklist-gates.ts";
import { gateName, readChecklist } from "../../policies/contract/checklist.ts";
import { evidenceDigest } from "../../policies/contract/documents.ts";
import { phases, type Phase } from "../../policies/contract/phase.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import { attest } from "../../policies/evidence/attested.ts";
import { findingText, judgeGate } from "../../policies/gate.ts";
import { kindNamed } from "../../policies/kinds.ts";
import { Run } from "../../policies/run.ts";
import { readTrust } from "../../policies/signatures/trust.ts";
import { exampleClockScale } from "../../rehearsal/clock.ts";
import { makeSigners, signRelease, type Signers } from "../../rehearsal/signers.ts";
import { readDescription } from "../../rehearsal/world/description.ts";

const project = join(import.meta.dirname, "..", "..");
const examples = join(project, "examples");
const systems = readdirSync(examples).filter((name) =>
  existsSync(join(examples, name, "reports.yaml")),
);
const hour = 3_600_000;

describe.each(systems)("the reports of %s", (system) => {
  let folder: string;
  let signers: Signers;
  const checklist = readChecklist(system);
  const versions = availableVersions(join(examples, system));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cutover-reports-"));
    for (const name of ["examples", "policies"]) {
      await cp(join(project, name), join(folder, name), { recursive: true });
    }
    for (const name of ["Pulumi.yaml", "package.json", "node_modules"]) {
      await symlink(join(project, name), join(folder, name));
    }
    await writeFile(join(folder, "Pulumi.production.yaml"), await stackConfig(system));
    signers = await makeSigners(folder, rolesAsked(checklist));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const version of versions) {
    for (const phase of phases.filter((one) =>
      checklist.gates.some((row) => row.phase.includes(one)),
    )) {
      test(`open every gate before ${phase} of ${version}`, async () => {
        const now = Date.now();
        const times = timesBefore(phase, now);
        const previous = versions[versions.indexOf(version) - 1] ?? null;
        const place = { folder, stack: "production", signers };
        await mkdir(join(folder, "examples", system, "evidence"), { recursive: true });
        await signRelease(place, version, { phase, times, previous });
        const { waivers } = await readDescription(join(examples, system));
        const waived = Object.keys(waivers[version] ?? {}).map((id) => gateName(system, id));
        const closed = await closedGates({ folder, version, phase, times, previous });
        expect(closed.filter(({ gate }) => !waived.includes(gate))).toEqual([]);
      });
    }
  }
});

/** The gates that judge signed documents and are closed, with why. */
async function closedGates(asked: {
  readonly folder: string;
  readonly version: string;
  readonly phase: Phase;
  readonly times: GuardFacts["before"]["times"];
  readonly previous: string | null;
}): Promise<{ gate: string; found: string }[]> {
  const { folder, version, phase, times, previous } = asked;
  const found = readProject({ folder, stack: "production", release: version, phase });
  const { config, release, checklist, root, trust, stack } = found;
  const documents = await loadDocuments(config.evidence, version, root);
  const now = Date.now();
  const attested = attest(documents, () => readTrust(trust), now);
  const digests = {
    evidenceDigest: evidenceDigest(documents),
    checklistDigest: checklist.digest,
    replaced: [],
  };
  const facts = runFacts(config, planRelease(config, emptyLedger, release, []), stack, digests);
  const serving = times.cutover === undefined ? previous : version;
  const before = { ...facts.before, release: version, serving, times };
  const judged = checklist.gates
    .filter((row) => row.phase.includes(phase))
    .filter(({ kind: name }) => {
      const kind = kindNamed(name);
      return (
        kind?.judges !== "reading" && kind?.judges !== "resources" && !ofTheStack.includes(name)
      );
    })
    .map(({ id }) => gateName(checklist.system, id));
  return gatesOf(checklist)
    .filter(({ id }) => judged.includes(id))
    .flatMap((gate) =>
      judgeGate(
        gate,
        { guard: "entry", ...facts, before },
        new Run(),
        { attested, readings: {} },
        { now, rehearsal: true },
      ).map((finding) => ({ gate: gate.id, found: findingText(finding) })),
    );
}

/** Kinds that judge what only a run on a real stack knows; the engine tests see those. */
const ofTheStack = [
  "steps-in-order",
  "facts-show",
  "gates-declared",
  "resources-show",
  "record-shows",
  "time-passed",
];

/** When the phases before this one ended, each an hour after the one before. */
function timesBefore(phase: Phase, now: number): GuardFacts["before"]["times"] {
  const before = phases.slice(0, phases.indexOf(phase));
  return Object.fromEntries(
    before.map((one, index) => [one, new Date(now - (before.length - index) * hour).toISOString()]),
  );
}

async function stackConfig(system: string): Promise<string> {
  const own = join(examples, system, "Pulumi.production.yaml");
  const file = existsSync(own) ? own : join(project, "Pulumi.production.yaml");
  const { config } = parse(await readFile(file, "utf8")) as { config: Record<string, unknown> };
  return stringify({
    config: {
      ...config,
      // Leads and waits pass at a rehearsal's pace, up to a cutover that is about to begin.
      "cutover:clockScale": exampleClockScale,
      "cutover:cutoverAt": new Date(Date.now() + hour).toISOString(),
    },
  });
}
