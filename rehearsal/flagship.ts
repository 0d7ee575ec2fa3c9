import { rename } from "node:fs/promises";
import { join } from "node:path";
import { waive } from "../cli/approve.ts";
import { RehearsalError } from "./command.ts";
import { follow } from "./pulumi.ts";
import { attestReports } from "./reports.ts";
import {
  cloudOf,
  countWrites,
  dwell,
  set,
  startClient,
  startStandIns,
  up,
  upAndRecord,
  workspaceOf,
  type Part,
  type Scene,
  type Task,
} from "./scene.ts";
import { approveRelease, cutover, signRelease } from "./signers.ts";
import { unexpected, withPack } from "./stack.ts";
import { createWorkspace } from "./workspace.ts";

const first = "v1.0.0";
const second = "v1.1.0";

/** The gates that must name what the rehearsal breaks on purpose. */
const brokenGates = [
  "phase-in-order",
  "dns-ttl-lowered",
  "flagship/unit-tests-passed",
  // An approval is about the evidence that its approver saw.
  "flagship/cutover-approved",
  "database-backups-retained",
  "bucket-versioned",
];

/** The gate that the second release goes without. */
const waivedGate = "flagship/runbook-current";

/** The rehearsal of the flagship, in order: refused, put right, cut over twice, rolled back. */
export const flagshipParts: readonly Part[] = [
  { title: "start the stand-ins of aws, cloudflare and docker", play: startStandIns() },
  { title: "make a stack of its own", play: makeStack },
  { title: `attest the reports of ${first}, and have its cutover approved`, play: sign },
  { title: `prepare ${first}: build the new system beside the old`, play: up("prepare", first) },
  { title: `refuse the cutover of ${first}, and name every reason`, play: refused },
  { title: "put the reasons right", play: putRight },
  { title: `lower-ttl ${first}: let DNS answers live shortly`, play: up("lower-ttl", first) },
  { title: "wait until the old answers have run out", play: dwell },
  { title: "start a client that writes all the way through", play: startClient },
  { title: `cutover ${first}: from the legacy system`, play: up("cutover", first) },
  { title: `observe ${first}: the old system keeps running`, play: up("observe", first) },
  { title: `attest ${second}, waive one gate, have its cutover approved`, play: signWithWaiver },
  { title: `prepare ${second}: beside the release that serves`, play: up("prepare", second) },
  { title: `lower-ttl ${second}: once more`, play: up("lower-ttl", second) },
  { title: "wait until the old answers have run out", play: dwell },
  { title: `cutover ${second}: from ${first}`, play: cutoverWithWaiver },
  { title: `roll back to ${first}`, play: rollBack },
  { title: "count the writes", play: countWrites },
];

async function makeStack(scene: Scene): Promise<void> {
  const { engine, stack } = scene.options;
  const folder = join(scene.home, "workspace");
  scene.workspace = await createWorkspace({
    engine,
    cloud: cloudOf(scene),
    stack,
    clockScale: scene.clockScale,
    folder,
  });
}

async function sign(scene: Scene): Promise<void> {
  await signRelease(workspaceOf(scene), first);
}

/** The runbook of this release is not attested; somebody who may says that it can go without. */
async function signWithWaiver(scene: Scene): Promise<void> {
  const workspace = workspaceOf(scene);
  const { folder, stack, signers } = workspace;
  await attestReports(workspace, second, cutover, ["runbook"]);
  await waive(waivedGate, {
    folder,
    stack,
    release: second,
    reason: "The rehearsal shows that a waiver opens one gate, and stays visible.",
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    key: signers.keyOf("release-manager"),
  });
  await approveRelease(workspace, second);
}

async function cutoverWithWaiver(scene: Scene, task: Task): Promise<void> {
  await up("cutover", second)(scene, task);
  const waived = scene.gates.filter(({ verdict }) => verdict === "waived").map(({ gate }) => gate);
  if (waived.join() !== waivedGate) {
    throw new RehearsalError(
      `Waived gates: found ${waived.join(", ") || "none"}, required ${waivedGate}.`,
    );
  }
}

/** A preview of the cutover of a stack that breaks gates on purpose names all of them, and nothing else. */
async function refused(scene: Scene): Promise<void> {
  await set(scene, {
    phase: "cutover",
    "database.backupRetentionDays": "6",
    "buckets.documents.versioned": "false",
  });
  await rename(evidenceFile(scene), `${evidenceFile(scene)}.away`);
  const result = await follow(workspaceOf(scene), "preview", withPack, {
    signal: scene.options.signal,
  });
  const closed = result.violations.filter(({ level }) => level === "mandatory");
  const named = [...new Set(closed.map(({ gate }) => gate))].sort();
  if (result.exitCode === 0 || named.join() !== [...brokenGates].sort().join()) {
    throw unexpected("the preview", `to be refused by ${brokenGates.join(", ")}`, result);
  }
  scene.refusals = closed.map(({ gate, resource, message }) => ({ gate, resource, message }));
}

async function putRight(scene: Scene): Promise<void> {
  await rename(`${evidenceFile(scene)}.away`, evidenceFile(scene));
  const days = workspaceOf(scene).configured(["cutover:database", "backupRetentionDays"]);
  await set(scene, {
    phase: "lower-ttl",
    "database.backupRetentionDays": String(days),
    "buckets.documents.versioned": "true",
  });
}

async function rollBack(scene: Scene, task: Task): Promise<void> {
  await set(scene, { release: first });
  const seconds = await upAndRecord(scene, task, "rollback", first);
  scene.rollbackSeconds = seconds;
}

function evidenceFile(scene: Scene): string {
  const { folder } = workspaceOf(scene);
  return join(folder, "examples", "flagship", "evidence", first, "unit-tests.intoto.jsonl");
}
