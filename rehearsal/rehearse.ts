import { rm } from "node:fs/promises";
import { clockScale } from "./clock.ts";
import { readExample } from "./example.ts";
import { flagshipParts } from "./flagship.ts";
import type { Report } from "./report.ts";
import { perform, secondsSince, type RehearsalOptions, type Scene } from "./scene.ts";
import { makeHome } from "./workspace.ts";

/**
 * Takes a stack's own config through its phases on the stand-ins. Everything that it starts ends with it.
 *
 * @throws RehearsalError when anything goes otherwise than it must
 */
export async function rehearse(options: RehearsalOptions): Promise<Report> {
  const began = performance.now();
  const startedAt = new Date().toISOString();
  const example = options.example === undefined ? undefined : readExample(options.example);
  const scene: Scene = {
    options,
    home: await makeHome("cutover-rehearsal-"),
    clockScale: example?.clockScale ?? clockScale,
    parts: [],
    phases: [],
    gates: [],
    refusals: [],
    writes: { acknowledged: 0, lost: 0, pauseSeconds: 0 },
    rollbackSeconds: 0,
    ends: [],
  };
  try {
    await perform(scene, example?.parts ?? flagshipParts);
  } finally {
    await scene.writer?.stop();
    for (const end of scene.ends.toReversed()) await end();
    await scene.cloud?.close();
    if (options.keep) console.log(`The workspace is kept: ${scene.home}`);
    else await rm(scene.home, { recursive: true, force: true });
  }
  const { parts, phases, refusals, gates, writes, rollbackSeconds } = scene;
  return {
    system: options.example ?? "flagship",
    stack: options.stack,
    startedAt,
    seconds: secondsSince(began),
    parts,
    phases,
    refusals,
    gates,
    writes,
    rollbackSeconds,
  };
}
