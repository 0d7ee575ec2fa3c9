import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { makeMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { closedAddress } from "./network.ts";
import { putHost, putPulumi } from "./programs.ts";

const MAIN = join(import.meta.dirname, "../../../tools/engine/main.ts");

async function call(machine: Machine, ...args: string[]) {
  const { stdout, stderr, exitCode } = await execa(process.execPath, [MAIN, ...args], {
    env: machine.env,
    extendEnv: false,
    reject: false,
  });
  return { stdout, stderr, exitCode };
}

function withEngine(): Machine {
  const machine = makeMachine();
  putPulumi(machine.path);
  putHost(machine.path);
  return machine;
}

it("prints version, route and path", async () => {
  const machine = withEngine();
  await expect(call(machine)).resolves.toEqual({
    stdout: `Pulumi 3.259.0, found on PATH\n  ${join(machine.path, "pulumi")}`,
    stderr: "",
    exitCode: 0,
  });
});

it("prints nothing with --quiet when there is nothing to do", async () => {
  await expect(call(withEngine(), "--quiet")).resolves.toEqual({
    stdout: "",
    stderr: "",
    exitCode: 0,
  });
});

it("prints JSON for scripts", async () => {
  const { stdout } = await call(withEngine(), "--json");
  const engine: unknown = JSON.parse(stdout);
  expect(engine).toMatchObject({ version: "3.259.0", route: "path" });
  expect(dirname((engine as { pulumi: string }).pulumi)).toBe(
    (engine as { folder: string }).folder,
  );
});

it("shows help with examples, within 80 columns", async () => {
  const { stdout, exitCode } = await call(withEngine(), "--help");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("npm run engine -- --json");
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

it("refuses an unknown option", async () => {
  const { stderr, exitCode } = await call(withEngine(), "--no-such-thing");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--no-such-thing");
  expect(stderr).toContain("--help");
});

it("fails loudly without any route, with no stack trace and no cursor tricks", async () => {
  const machine = makeMachine();
  machine.env["HTTPS_PROXY"] = await closedAddress();
  const { stdout, stderr, exitCode } = await call(machine, "--quiet");
  expect(exitCode).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("Any one of these helps:");
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("\u001b");
});
