import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fromGo } from "../../../tools/engine/build.ts";
import { binFolder, fromCache, versionsFolder } from "../../../tools/engine/cache.ts";
import { makeMachine, putGo } from "./machine.ts";
import { put, putProgram } from "./programs.ts";

const silent = () => {};

it("builds both programs, keeps them and says what it does", async () => {
  const machine = makeMachine();
  const { calls } = putGo(machine);
  const lines: string[] = [];
  const engine = await fromGo(machine, (line) => lines.push(line));

  expect(engine).toMatchObject({ version: "3.259.0", route: "go-build" });
  expect(lines).toContain("building Pulumi 3.259.0 and its language host with Go");
  expect(lines).toContain("2 of its 3 packages are to be compiled");
  expect(readFileSync(calls, "utf8")).toContain("version.Version=v3.259.0");
  await expect(fromCache(machine)).resolves.toMatchObject({ folder: engine.folder });
  expect(readdirSync(versionsFolder(machine))).toEqual(["3.259.0"]);
});

it("builds only the language host when only its source changed", async () => {
  const machine = makeMachine();
  const { calls } = putGo(machine);
  const { pulumi } = await fromGo(machine, silent);
  const before = statSync(pulumi).ino;
  put(join(machine.sources, "pulumi-language-nodejs", "main.go"), "package main // changed\n");
  put(calls, "");

  const lines: string[] = [];
  await fromGo(machine, (line) => lines.push(line));
  expect(lines).toContain("building the language host with Go");
  expect(readFileSync(calls, "utf8")).not.toContain("cmd/pulumi");
  expect(statSync(pulumi).ino).toBe(before);
  await expect(fromCache(machine)).resolves.toMatchObject({ route: "cache" });
});

it("builds the CLI anew when the kept one does not start", async () => {
  const machine = makeMachine();
  const { calls } = putGo(machine);
  const { pulumi } = await fromGo(machine, silent);
  putProgram(pulumi, "process.exit(1)");
  put(calls, "");
  await fromGo(machine, silent);
  expect(readFileSync(calls, "utf8")).toContain("cmd/pulumi");
});

it("leaves the kept engine alone when the build fails", async () => {
  const machine = makeMachine();
  putGo(machine);
  await fromGo(machine, silent);
  const before = readFileSync(join(binFolder(machine), "pulumi-language-nodejs"), "utf8");
  put(join(machine.sources, "pulumi-language-nodejs", "main.go"), "package broken\n");
  putGo(machine, { buildFails: "main.go:3:1: syntax error" });

  await expect(fromGo(machine, silent)).rejects.toThrow(
    "the build failed: main.go:3:1: syntax error",
  );
  expect(readFileSync(join(binFolder(machine), "pulumi-language-nodejs"), "utf8")).toBe(before);
  expect(readdirSync(versionsFolder(machine))).toEqual(["3.259.0"]);
});

it("says so when the modules cannot be had", async () => {
  const machine = makeMachine();
  putGo(machine, { listFails: "go: one.example/a: module lookup disabled" });
  await expect(fromGo(machine, silent)).rejects.toMatchObject({
    message: "the Go modules cannot be had: go: one.example/a: module lookup disabled",
    remedy: expect.stringContaining("GOPROXY"),
  });
  expect(existsSync(binFolder(machine))).toBe(false);
});

it("says so when there is no Go", async () => {
  await expect(fromGo(makeMachine(), silent)).rejects.toMatchObject({
    message: "there is no go on PATH",
    remedy: expect.stringContaining("install Go 1.25.11 or newer"),
  });
});

it("says so when Go is too old, before anything else", async () => {
  const machine = makeMachine();
  const { calls } = putGo(machine, { version: "go version go1.22.4 linux/amd64" });
  await expect(fromGo(machine, silent)).rejects.toThrow("is 1.22.4; go.mod wants 1.25.11 or newer");
  expect(readFileSync(calls, "utf8")).toBe("version\n");
});

it("keeps the user's Go settings from bringing in another Go", async () => {
  const machine = makeMachine();
  machine.env["GOTOOLCHAIN"] = "auto";
  putProgram(
    join(machine.path, "go"),
    "console.log('go version go1.' + (process.env.GOTOOLCHAIN === 'local' ? 20 : 30))",
  );
  await expect(fromGo(machine, silent)).rejects.toThrow("is 1.20.0");
});
