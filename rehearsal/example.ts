import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { waive } from "../cli/approve.ts";
import { engineValues } from "../cli/project.ts";
import { parseConfig, type Config } from "../infra/config.ts";
import { servingVersion, type Ledger } from "../infra/release/ledger.ts";
import { phasesOf } from "../infra/release/phases.ts";
import { availableVersions } from "../infra/release/release.ts";
import { gateName, readChecklist, type Checklist } from "../policies/contract/checklist.ts";
import { duration } from "../policies/contract/checklist.ts";
import { phaseMeaning, type Phase } from "../policies/contract/phase.ts";
import { timePassed } from "../policies/kinds/time-passed.ts";
import { approved } from "../policies/kinds/approved.ts";
import { hasUnits, makeWhatStands } from "./before-stack.ts";
import { exampleClockScale } from "./clock.ts";
import type { Cloud } from "./cloud.ts";
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
  upAndRecord,
  workspaceOf,
  type Part,
  type Scene,
  type Task,
} from "./scene.ts";
import { approveRelease } from "./signers.ts";
import { ledgerIn, stateOf, unexpected, withPack } from "./stack.ts";
import { createWorkspace, projectFolder, waiverRole } from "./workspace.ts";
import { readDescription } from "./world/description.ts";
import { startWorld, type Given } from "./world/world.ts";

/** How an example is rehearsed. */
export interface Example {
  readonly clockScale: number;
  readonly parts: readonly Part[];
}

/** The systems below `examples/` that have a stack config of their own. */
export function knownExamples(): string[] {
  const folder = join(projectFolder, "examples");
  return readdirSync(folder).filter((name) =>
    existsSync(join(folder, name, "Pulumi.production.yaml")),
  );
}

interface System {
  readonly name: string;
  readonly folder: string;
  readonly config: Config;
  readonly checklist: Checklist;
}

/**
 * How a system below `examples/` is rehearsed: its first release goes through all of its phases, the next one is cut over
 * and rolled back.
 *
 * @throws RehearsalError when there is no such example
 */
export function readExample(name: string): Example {
  const system = readSystem(name);
  const [first = "", second] = availableVersions(system.folder);
  const phases = phasesOf(system.config);
  const moving = phases.slice(0, phases.indexOf("observe") + 1);
  const parts: Part[] = [
    {
      title: "start the stand-ins of aws, cloudflare and docker",
      play: startStandIns({ hasUnits: hasUnits(system.config) }),
    },
    { title: "make a stack of its own", play: (scene) => makeStack(scene, system) },
    ...phases.flatMap((phase) => [
      ...(phase === "cutover" && system.config.legacy !== undefined ? [client] : []),
      enter(system, phase, first),
      repeat(phase, first),
      ...(phase === "cutover" && system.config.legacy === undefined ? [client] : []),
    ]),
    ...(second === undefined
      ? []
      : [...moving.map((phase) => enter(system, phase, second)), rollBack(second, first)]),
    { title: "count the writes", play: countWrites },
  ];
  return { clockScale: exampleClockScale, parts };
}

const client: Part = { title: "start a client that writes all the way through", play: startClient };

function readSystem(name: string): System {
  if (!knownExamples().includes(name)) {
    throw new RehearsalError(
      `There is no example ${name}. Required: one of ${knownExamples().join(", ")}.\n` +
        `To do: npm run rehearse -- --example ${knownExamples()[0] ?? "stageos"}`,
    );
  }
  const folder = join(projectFolder, "examples", name);
  return {
    name,
    folder,
    config: parseConfig(...engineValues(folder, { stack: "production" })),
    checklist: readChecklist(name),
  };
}

async function makeStack(scene: Scene, system: System): Promise<void> {
  const { engine, stack } = scene.options;
  const { folder: source, config } = system;
  const cloud = cloudOf(scene);
  const world = await startWorld({
    system: source,
    folder: join(scene.home, "world"),
    address: cloud.network.world,
    resolver: cloud.resolver,
    servicePort: (service) =>
      Number(workspaceOf(scene).configured(["cutover:services", service, "port"])),
    tlsPort: cloud.network.tlsPort,
    given: givenBy(cloud),
  });
  scene.ends.push(() => world.close());
  scene.world = world;
  scene.workspace = await createWorkspace({
    engine,
    cloud,
    stack,
    source,
    clockScale: scene.clockScale,
    folder: join(scene.home, "workspace"),
    env: world.env,
    open: world.open,
    commits: world.commits,
    secrets: Object.fromEntries(
      Object.keys(config.announcements).map((name) => [
        `webhooks.${name}`,
        world.webhooks[name]?.url ?? "",
      ]),
    ),
  });
  await makeWhatStands(cloud, scene.workspace, system);
}

/** What the descriptions of examples name as `given`. */
function givenBy({ network, containerHost, resolver, nameServer }: Cloud): Given {
  const { blue, green, legacy } = network;
  return { blue, green, legacy, docker: containerHost, resolver, nameServer, slot: "blue" };
}

/** A phase of a release: signed for, waited for, entered. */
function enter(system: System, phase: Phase, release: string): Part {
  return {
    title: `${phase} ${release}: ${phaseMeaning[phase].replace(/[.;].*/, "").toLowerCase()}`,
    async play(scene, task) {
      await set(scene, { phase, release });
      await setReadings(scene, release);
      await waitFor(scene, system, phase, release);
      await sign(scene, system, phase, release);
      await waitForPlan(scene, system, phase);
      if (phase === "cutover" && phasesOf(system.config).includes("lower-ttl")) await dwell(scene);
      await upAndRecord(scene, task, phase, release);
      if (phase === "prepare") await cloudOf(scene).passNight();
    },
  };
}

/** Readings ask for what they ask in the world of this rehearsal. */
async function setReadings(scene: Scene, release: string): Promise<void> {
  const { world } = scene;
  const now = await standing(scene);
  const slot = now?.serving === "green" ? "green" : "blue";
  const readings = world?.readings(release, { slot }) ?? {};
  if (Object.keys(readings).length > 0) await workspaceOf(scene).change("readings", readings);
}

/** Entering a phase again changes nothing. */
function repeat(phase: Phase, release: string): Part {
  return {
    title: `${phase} ${release} again: nothing changes`,
    async play(scene) {
      const { signal } = scene.options;
      const args = [...withPack, "--expect-no-changes", "--skip-preview"];
      const result = await follow(workspaceOf(scene), "up", args, { signal });
      if (result.exitCode !== 0) {
        throw unexpected(`${phase} of ${release} again`, "to change nothing", result);
      }
    },
  };
}

function rollBack(from: string, to: string): Part {
  return {
    title: `roll back from ${from} to ${to}`,
    async play(scene: Scene, task: Task) {
      await set(scene, { phase: "cutover", release: to });
      scene.rollbackSeconds = await upAndRecord(scene, task, "rollback", to);
    },
  };
}

async function sign(
  scene: Scene,
  { name, folder: source, checklist }: System,
  phase: Phase,
  release: string,
): Promise<void> {
  const workspace = workspaceOf(scene);
  const { folder, stack, signers } = workspace;
  const now = await standing(scene);
  const times = now?.release === release ? now.times : {};
  const serving = now === undefined ? null : servingVersion(now);
  const previous = serving === release ? null : serving;
  await attestReports(workspace, release, { phase, times, previous });
  for (const [gate, reason] of Object.entries(
    (await readDescription(source)).waivers[release] ?? {},
  )) {
    await waive(gateName(name, gate), {
      folder,
      stack,
      release,
      reason,
      expires: new Date(Date.now() + 3_600_000).toISOString(),
      key: signers.keyOf(waiverRole),
    });
  }
  await plan(scene, checklist, phase);
  await approveRelease(workspace, release, phase);
}

/** Waits until the phase's gates may be opened: what must have passed since another phase has passed. */
async function waitFor(
  scene: Scene,
  { checklist, config }: System,
  phase: Phase,
  release: string,
): Promise<void> {
  const now = await standing(scene);
  const times = now?.release === release ? now.times : {};
  const rows = checklist.gates.filter((row) => row.phase.includes(phase));
  const lengths = rows.flatMap((row): [string | undefined, number][] => {
    const after = row.after === undefined ? undefined : times[row.after];
    const passed =
      row.kind === timePassed.kind ? timePassed.requires.parse(row.requires) : undefined;
    const since = passed === undefined ? undefined : times[sincePhase(passed.since)];
    return [
      [after, row.afterBy ?? 0],
      [since, passed?.atLeast ?? 0],
    ];
  });
  const offset = config.notBefore[phase];
  const own: [string | undefined, number][] =
    offset === undefined || offset.startsWith("-") ? [] : [[times.cutover, lengthOf(offset)]];
  const due = [...lengths, ...own].map(([from, seconds]) =>
    from === undefined ? 0 : Date.parse(from) + (seconds * 1000) / scene.clockScale,
  );
  await until(Math.max(0, ...due), scene);
}

function sincePhase(since: string): Phase {
  if (since === "lowered-ttl") return "lower-ttl";
  return since === "record" ? "cutover" : (since as Phase);
}

/** Plans the cutover so that who signs now signs as long before it as the phase's gates ask. */
async function plan(scene: Scene, checklist: Checklist, phase: Phase): Promise<void> {
  const leads = checklist.gates
    .filter((row) => row.phase.includes(phase) && row.kind === approved.kind)
    .map((row) => approved.requires.parse(row.requires).lead ?? 0);
  const lead = Math.max(0, ...leads);
  if (lead === 0) return;
  const at = Date.now() + (lead * 1000) / scene.clockScale + signingMilliseconds;
  await set(scene, { cutoverAt: new Date(at).toISOString() });
}

/** Signing takes a moment, and the lead is counted from then. */
const signingMilliseconds = 5000;

/** Waits for the times that the stack config counts from the planned cutover. */
async function waitForPlan(scene: Scene, { config }: System, phase: Phase): Promise<void> {
  const offset = config.notBefore[phase];
  if (offset === undefined || (!offset.startsWith("-") && phase !== "cutover")) return;
  const planned = Date.parse(String(workspaceOf(scene).current("cutoverAt")));
  const wait = (lengthOf(offset) * 1000) / scene.clockScale;
  await until(offset.startsWith("-") ? planned - wait : planned + wait, scene);
}

/** Seconds before or after the cutover, as `notBefore` gives them. */
function lengthOf(offset: string): number {
  return offset === "0h" ? 0 : duration.parse(offset.replace("-", ""));
}

async function until(moment: number, scene: Scene): Promise<void> {
  const { signal } = scene.options;
  while (Date.now() < moment) await sleep(moment - Date.now() + 1, undefined, { signal });
}

async function standing(scene: Scene): Promise<Ledger["now"] | undefined> {
  return ledgerIn(await stateOf(workspaceOf(scene)))?.now;
}
