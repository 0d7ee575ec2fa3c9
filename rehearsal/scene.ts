import { join } from "node:path";
import { Listr } from "listr2";
import { guardType } from "../policies/contract/facts.ts";
import type { Engine } from "../tools/engine/engine.ts";
import { startCloud, type Cloud, type CloudOptions } from "./cloud.ts";
import { RehearsalError } from "./command.ts";
import { follow } from "./pulumi.ts";
import type { GateReport, PhaseReport, RefusalReport, Report } from "./report.ts";
import { answersRunOut, connectionOf, setConfig, stateOf, unexpected, withPack } from "./stack.ts";
import type { Workspace } from "./workspace.ts";
import type { World } from "./world/world.ts";
import { startWriter, type Writer } from "./writer.ts";

/** What is rehearsed, and how. */
export interface RehearsalOptions {
  readonly engine: Engine;
  readonly stack: string;
  /** A system below `examples/`; the flagship when it is undefined. */
  readonly example?: string;
  /** Keep the workspace afterwards. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** What a rehearsal has done so far. */
export interface Scene {
  readonly options: RehearsalOptions;
  /** A temporary folder that holds everything. */
  readonly home: string;
  readonly clockScale: number;
  readonly parts: { name: string; seconds: number }[];
  readonly phases: PhaseReport[];
  gates: GateReport[];
  refusals: RefusalReport[];
  writes: Report["writes"];
  rollbackSeconds: number;
  cloud?: Cloud;
  workspace?: Workspace;
  writer?: Writer;
  world?: World;
  /** Ends what else was started. */
  readonly ends: (() => Promise<void>)[];
}

/** The part of a listr2 task that a scene uses. */
export interface Task {
  title?: string;
  output: string;
}

/** One thing that a rehearsal does. */
export interface Part {
  readonly title: string;
  readonly play: (scene: Scene, task: Task) => Promise<void>;
}

/** Plays the parts one after another, with live progress in a terminal and plain lines elsewhere. */
export async function perform(scene: Scene, parts: readonly Part[]): Promise<void> {
  const tasks = parts.map(({ title, play }) => ({
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

/** Starts the stand-ins of the clouds. */
export function startStandIns(options: Pick<CloudOptions, "hasUnits"> = {}): Part["play"] {
  return async (scene) => {
    const { clockScale } = scene;
    scene.cloud = await startCloud({ ...options, folder: join(scene.home, "cloud"), clockScale });
  };
}

/** Runs `pulumi up` for a phase of a release, which must succeed. */
export function up(phase: string, release: string): Part["play"] {
  return async (scene, task) => {
    await set(scene, { phase, release });
    await upAndRecord(scene, task, phase, release);
  };
}

/** Waits until the answers that were given before the last change of a TTL have run out. */
export async function dwell(scene: Scene): Promise<void> {
  await answersRunOut(workspaceOf(scene), scene.clockScale, scene.options.signal);
}

/** Starts a client that writes until {@link countWrites}. */
export async function startClient(scene: Scene): Promise<void> {
  const { cloud, workspace } = { cloud: cloudOf(scene), workspace: workspaceOf(scene) };
  scene.writer = await startWriter({ resolver: cloud.resolver, ...workspace.client });
}

/** Ends the client: none of its writes may be lost. */
export async function countWrites(scene: Scene): Promise<void> {
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

/** Runs `pulumi up`, which must succeed, and tells how many seconds it took. */
export async function upAndRecord(
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

/** Sets config keys of the namespace `cutover`, by their dotted path. */
export async function set(scene: Scene, values: Readonly<Record<string, string>>): Promise<void> {
  await setConfig(workspaceOf(scene), values, scene.options.signal);
}

/** The stand-ins, which must run. */
export function cloudOf(scene: Scene): Cloud {
  if (scene.cloud === undefined) throw new RehearsalError("The stand-ins are not running.");
  return scene.cloud;
}

/** The workspace, which must be there. */
export function workspaceOf(scene: Scene): Workspace {
  if (scene.workspace === undefined) throw new RehearsalError("There is no stack yet.");
  return scene.workspace;
}

/** Seconds since a moment of `performance.now()`. */
export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
