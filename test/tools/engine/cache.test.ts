import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  binFolder,
  digestSources,
  fromCache,
  makeDraft,
  publish,
  versionsFolder,
} from "../../../tools/engine/cache.ts";
import type { Note } from "../../../tools/engine/cache.ts";
import { makeMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { put, putHost, putPulumi } from "./programs.ts";

async function keep(machine: Machine, note?: Note, version?: string): Promise<void> {
  const draft = await makeDraft(machine);
  putPulumi(join(draft, "bin"), version);
  putHost(join(draft, "bin"));
  await publish(machine, draft, note);
}

it("finds nothing in an empty home", async () => {
  await expect(fromCache(makeMachine())).rejects.toThrow("there is none in");
});

it("takes what was built from the present sources", async () => {
  const machine = makeMachine();
  await keep(machine, await digestSources(machine));
  await expect(fromCache(machine)).resolves.toMatchObject({ version: "3.259.0", route: "cache" });
});

it("takes an official installation, which no source is behind", async () => {
  const machine = makeMachine();
  await keep(machine);
  await expect(fromCache(machine)).resolves.toMatchObject({ route: "cache" });
});

it("refuses a language host that is older than its source", async () => {
  const machine = makeMachine();
  await keep(machine, await digestSources(machine));
  put(join(machine.sources, "pulumi-language-nodejs", "more.go"), "package main\n");
  await expect(fromCache(machine)).rejects.toThrow("its language host is older than its source");
});

it("refuses a CLI from another go.mod", async () => {
  const machine = makeMachine();
  await keep(machine, await digestSources(machine));
  put(join(machine.sources, "go.sum"), "other sums\n");
  await expect(fromCache(machine)).rejects.toThrow("it was built from another go.mod");
});

it.each(["{", "{}", '"text"'])("refuses one whose note is %j", async (text) => {
  const machine = makeMachine();
  await keep(machine, await digestSources(machine));
  put(join(binFolder(machine), "cutover-engine.json"), text);
  await expect(fromCache(machine)).rejects.toThrow("it was built from another go.mod");
});

it("refuses one of a version that is not accepted", async () => {
  const machine = makeMachine();
  await keep(machine, undefined, "v3.1.0");
  await expect(fromCache(machine)).rejects.toThrow("is 3.1.0; needed is 3.259.0 or newer");
});

it("refuses one without a language host", async () => {
  const machine = makeMachine();
  putPulumi(binFolder(machine));
  await expect(fromCache(machine)).rejects.toThrow("has no pulumi-language-nodejs");
});

it("publishes a whole folder in the place of the old one", async () => {
  const machine = makeMachine();
  await keep(machine, await digestSources(machine));
  put(join(binFolder(machine), "leftover"), "old");
  await keep(machine);
  expect(readdirSync(binFolder(machine)).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
});

it("clears away the drafts of killed runs and nothing else", async () => {
  const machine = makeMachine();
  const killed = await makeDraft(machine);
  const other = join(versionsFolder(machine), "3.1.0");
  mkdirSync(other);
  const draft = await makeDraft(machine);
  expect(existsSync(killed)).toBe(false);
  expect(existsSync(draft)).toBe(true);
  expect(existsSync(other)).toBe(true);
});
