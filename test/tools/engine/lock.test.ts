import { existsSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, it, onTestFinished } from "vitest";
import { binFolder, versionsFolder } from "../../../tools/engine/cache.ts";
import { makeMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";

const CONTENDER = fileURLToPath(new URL("./contender.ts", import.meta.url));

function contend(machine: Machine) {
  const running = execa(process.execPath, [CONTENDER, machine.home, machine.sources], {
    stdin: "pipe",
    reject: false,
  });
  onTestFinished(() => void running.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  createInterface({ input: running.stdout }).on("line", (line) => {
    lines.push(line);
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    running,
    lines,
    says: async (text: string) => {
      while (!lines.some((line) => line.startsWith(text))) {
        const next = new Promise<void>((resolve) => waiting.push(resolve));
        const end = running.then(({ stderr }) => {
          throw new Error(`ended without saying "${text}": ${lines.join("; ")} ${stderr}`);
        });
        await Promise.race([next, end]);
      }
    },
    goOn: () => running.stdin.write("go on\n"),
  };
}

function lockOf(machine: Machine): string {
  return join(versionsFolder(machine), ".3.259.0.lock");
}

function makeOld(file: string): void {
  const old = new Date(Date.now() - 3_600_000);
  utimesSync(file, old, old);
}

it("lets the second run wait for the first, say so, and use its result", async () => {
  const machine = makeMachine();
  const first = contend(machine);
  await first.says("building");
  const second = contend(machine);
  await second.says("waiting for another run");
  first.goOn();
  await first.says("done: go-build");
  await second.says("done: cache");
  expect(second.lines).not.toContain("building");
  expect(existsSync(lockOf(machine))).toBe(false);
});

it("takes over from a run that was killed, which has left nothing half-done", async () => {
  const machine = makeMachine();
  const killed = contend(machine);
  await killed.says("building");
  killed.running.kill("SIGKILL");
  await killed.running;
  expect(existsSync(binFolder(machine))).toBe(false);
  makeOld(lockOf(machine));

  const next = contend(machine);
  await next.says("building");
  next.goOn();
  await next.says("done: go-build");
  await next.running;
  expect(readdirSync(versionsFolder(machine))).toEqual(["3.259.0"]);
});

it("does not wait for a lock that nobody holds any more", async () => {
  const machine = makeMachine();
  mkdirSync(lockOf(machine), { recursive: true });
  makeOld(lockOf(machine));
  const run = contend(machine);
  await run.says("building");
  expect(run.lines.some((line) => line.startsWith("waiting"))).toBe(false);
});

it("frees the lock when it is interrupted", async () => {
  const machine = makeMachine();
  const run = contend(machine);
  await run.says("building");
  run.running.kill("SIGINT");
  await run.running;
  expect(existsSync(lockOf(machine))).toBe(false);
});
