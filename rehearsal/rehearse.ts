import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Listr } from "listr2";
import { guardType } from "../policies/contract/facts.ts";
import { waive } from "../cli/approve.ts";
import type { Engine } from "../tools/engine/engine.ts";
import { clockScale } from "./clock.ts";
import { RehearsalError } from "./command.ts";
import { startCloud, type Cloud } from "./cloud.ts";
import { follow } from "./pulumi.ts";
import type { GateReport, PhaseReport, RefusalReport, Report } from "./report.ts";
import { approveRelease, attestRelease, signRelease } from "./signers.ts";
import { answersRunOut, connectionOf, setConfig, stateOf, unexpected, withPack } from "./stack.ts";
import { createWorkspace, makeHome, type Workspace } from "./workspace.ts";
import { startWriter, type Writer } from "./writer.ts";

/** What is rehearsed, and how. */
export interface RehearsalOptions {
  readonly engine: Engine;
  readonly stack: string;
  /** Keep the workspace afterwards. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

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

interface Scene {
  readonly options: RehearsalOptions;
  /** A temporary folder that holds everything. */
  readonly home: string;
  readonly parts: { name: string; seconds: number }[];
  readonly phases: PhaseReport[];
  gates: GateReport[];
  refusals: RefusalReport[];
  writes: Report["writes"];
  rollbackSeconds: number;
  cloud?: Cloud;
  workspace?: Workspace;
  writer?: Writer;
}

/** The part of a listr2 task that a scene uses. */
interface Task {
  title?: string;
  output: string;
}

type Play = (scene: Scene, task: Task) => Promise<void>;

/** The rehearsal, in order. */
const scenes: readonly { readonly title: string; readonly play: Play }[] = [
  { title: "start the stand-ins of aws, cloudflare and docker", play: startStandIns },
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

/**
 * Takes a stack's own config through its phases on the stand-ins: refused, put right, cut over twice, rolled back.
 * Everything that it starts ends with it.
 *
 * @throws RehearsalError when anything goes otherwise than it must
 */
export async function rehearse(options: RehearsalOptions): Promise<Report> {
  const began = performance.now();
  const startedAt = new Date().toISOString();
  const scene: Scene = {
    options,
    home: await makeHome("cutover-rehearsal-"),
    parts: [],
    phases: [],
    gates: [],
    refusals: [],
    writes: { acknowledged: 0, lost: 0, pauseSeconds: 0 },
    rollbackSeconds: 0,
  };
  try {
    await perform(scene);
  } finally {
    await scene.writer?.stop();
    await scene.cloud?.close();
    if (options.keep) console.log(`The workspace is kept: ${scene.home}`);
    else await rm(scene.home, { recursive: true, force: true });
  }
  const { parts, phases, refusals, gates, writes, rollbackSeconds } = scene;
  const seconds = secondsSince(began);
  return {
    stack: options.stack,
    startedAt,
    seconds,
    parts,
    phases,
    refusals,
    gates,
    writes,
    rollbackSeconds,
  };
}

/** Plays the scenes one after another, with live progress in a terminal and plain lines elsewhere. */
async function perform(scene: Scene): Promise<void> {
  const tasks = scenes.map(({ title, play }) => ({
    title,
    task: async (_: unknown, task: Task) => {
      scene.options.signal.throwIfAborted();
      const since = performance.now();
      await play(scene, task);
      const seconds = secondsSince(since);
      scene.parts.push({ name: title, seconds });
      task.title = `${title} (${seconds.toFixed(1)} s)`;
    },
  }));
  await new Listr(tasks, {
    registerSignalListeners: false,
    fallbackRenderer: "simple",
    fallbackRendererCondition: () => !process.stdout.isTTY,
    collectErrors: false,
  }).run();
}

async function startStandIns(scene: Scene): Promise<void> {
  scene.cloud = await startCloud({ folder: join(scene.home, "cloud"), clockScale });
}

async function makeStack(scene: Scene): Promise<void> {
  const { engine, stack } = scene.options;
  const folder = join(scene.home, "workspace");
  scene.workspace = await createWorkspace({
    engine,
    cloud: cloudOf(scene),
    stack,
    clockScale,
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
  await attestRelease(workspace, second, ["runbook"]);
  await waive(waivedGate, {
    folder,
    stack,
    release: second,
    reason: "The rehearsal shows that a waiver opens one gate, and stays visible.",
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    key: signers.people["release-manager"],
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

function up(phase: string, release: string): Play {
  return async (scene, task) => {
    await set(scene, { phase, release });
    await upAndRecord(scene, task, phase, release);
  };
}

/** A preview of the cutover of a stack that breaks gates on purpose names all of them, and nothing else. */
async function refused(scene: Scene): Promise<void> {
  await set(scene, {
    phase: "cutover",
    "database.backupRetentionDays": "6",
    "bucket.versioned": "false",
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
    "bucket.versioned": "true",
  });
}

async function dwell(scene: Scene): Promise<void> {
  await answersRunOut(workspaceOf(scene), scene.options.signal);
}

async function startClient(scene: Scene): Promise<void> {
  const { resolver, network } = cloudOf(scene);
  const host = String(workspaceOf(scene).configured(["cutover:dns", "names", 0]));
  scene.writer = await startWriter({ resolver, host, port: network.port });
}

async function rollBack(scene: Scene, task: Task): Promise<void> {
  await set(scene, { release: first });
  const seconds = await upAndRecord(scene, task, "rollback", first);
  scene.rollbackSeconds = seconds;
}

async function countWrites(scene: Scene): Promise<void> {
  const writer = scene.writer;
  if (writer === undefined) throw new RehearsalError("The client was not started.");
  await writer.stop();
  const { acknowledged, lost, pauseSeconds } = await writer.verify(
    await connectionOf(workspaceOf(scene)),
  );
  scene.writes = { acknowledged, lost, pauseSeconds };
  if (acknowledged === 0 || lost > 0) {
    throw new RehearsalError(
      `Of ${acknowledged} acknowledged writes ${lost} are lost; required: some, and 0 lost.`,
    );
  }
}

async function upAndRecord(
  scene: Scene,
  task: Task,
  phase: string,
  release: string,
): Promise<number> {
  const result = await follow(workspaceOf(scene), "up", withPack, {
    signal: scene.options.signal,
    onChange: (resource, op) => {
      task.output = `${op} ${resource}`;
    },
  });
  if (result.exitCode !== 0)
    throw unexpected(`pulumi up (${phase} ${release})`, "to succeed", result);
  const steps = result.changes.map(({ resource, op, seconds }) => ({ resource, op, seconds }));
  scene.phases.push({ phase, release, seconds: result.seconds, steps });
  scene.gates.push(...(await sealedGates(scene, phase, release)));
  return result.seconds;
}

/** The verdicts that the guards of the last run hold in the state. */
async function sealedGates(scene: Scene, phase: string, release: string): Promise<GateReport[]> {
  return (await stateOf(workspaceOf(scene)))
    .filter(({ type }) => type === guardType)
    .flatMap(({ urn, outputs }) =>
      Object.entries((outputs?.["verdicts"] ?? {}) as Readonly<Record<string, string>>).map(
        ([gate, verdict]) => ({
          gate,
          guard: urn.slice(urn.lastIndexOf("::") + 2),
          release,
          phase,
          verdict,
        }),
      ),
    );
}

async function set(scene: Scene, values: Readonly<Record<string, string>>): Promise<void> {
  await setConfig(workspaceOf(scene), values, scene.options.signal);
}

function evidenceFile(scene: Scene): string {
  const { folder } = workspaceOf(scene);
  return join(folder, "examples", "flagship", "evidence", first, "unit-tests.intoto.jsonl");
}

function cloudOf(scene: Scene): Cloud {
  if (scene.cloud === undefined) throw new RehearsalError("The stand-ins are not running.");
  return scene.cloud;
}

function workspaceOf(scene: Scene): Workspace {
  if (scene.workspace === undefined) throw new RehearsalError("There is no stack yet.");
  return scene.workspace;
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
