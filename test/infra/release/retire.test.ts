import { describe, expect, test } from "vitest";
import { retire } from "../../../infra/release/steps/legacy.ts";
import type { Run } from "../../../infra/release/run.ts";
import { phases, type Phase } from "../../../policies/contract/phase.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep } from "../../support/declared.ts";
import { stackWith } from "./samples.ts";

const { legacy } = sampleConfig();
const stopping = { legacy: { ...legacy!, afterCutover: "stopped" as const } };
const stack = stackWith(stopping);
const live = stack.run(["prepare", "lower-ttl", "cutover", "observe"], "v1.0.0");

/** What becomes of the legacy system's container in a phase; undefined where nobody says. */
async function stateIn(phase: Phase, version: string, changes = stopping): Promise<unknown> {
  const before = phases.slice(0, phases.indexOf(phase));
  const from = version === "v1.0.0" ? undefined : live;
  const { plan, run } = stackWith(changes);
  const config = sampleConfig({ ...changes, hosts: { "203.0.113.30": "ssh://deploy@host" } });
  const planned = plan(phase, version, run(before, version, from));
  const resources = await declared(() => retire({ config, plan: planned } as Run, firstStep));
  return resources[0]?.inputs;
}

const state = (said: string): object => ({
  container: "flagship-legacy",
  host: "ssh://deploy@host",
  state: said,
  graceSeconds: 30,
});

describe("a legacy system that stops after the cutover", () => {
  test.each<[Phase, string]>([
    ["prepare", "running"],
    ["lower-ttl", "running"],
    ["cutover", "stopped"],
    ["observe", "stopped"],
    ["finalize", "stopped"],
  ])("in %s of its first release: %s", async (phase, said) => {
    expect(await stateIn(phase, "v1.0.0")).toEqual(state(said));
  });

  test.each(phases.slice(0, -1))("stays stopped in %s of the next release", async (phase) => {
    expect(await stateIn(phase, "v1.1.0")).toEqual(state("stopped"));
  });

  test("is none of ours once it is gone", async () => {
    expect(await stateIn("decommission", "v1.0.0")).toBeUndefined();
  });
});

test.each(phases)("one that goes on running is left alone in %s", async (phase) => {
  const running = { legacy: { ...legacy!, afterCutover: "running" as const } };
  expect(await stateIn(phase, "v1.0.0", running as never)).toBeUndefined();
});
