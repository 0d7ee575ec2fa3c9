import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Surroundings } from "../../../tools/engine/types.ts";
import { put, putProgram } from "./programs.ts";

/** A machine of a test's own: an empty home, a PATH with nothing on it, and sources to build. */
export type Machine = Surroundings & { root: string; path: string };

/** Makes a machine that goes away with the test. */
export function makeMachine(): Machine {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "cutover-engine-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [home, path, sources] = ["home", "path", "sources"].map((name) => join(root, name));
  if (home === undefined || path === undefined || sources === undefined) throw new Error("names");
  mkdirSync(home);
  mkdirSync(path);
  put(join(sources, "go.mod"), "module engine\n\ngo 1.25.11\n");
  put(join(sources, "go.sum"), "sums\n");
  put(join(sources, "pulumi-language-nodejs", "main.go"), "package main\n");
  return { root, home, path, sources, env: { PATH: path, HOME: home } };
}

/** What a stand-in for Go does when it is asked to build. */
export type GoBehaviour = { version?: string; listFails?: string; buildFails?: string };

/** Writes a stand-in for Go that notes its calls and "builds" small scripts. */
export function putGo(machine: Machine, behaviour: GoBehaviour = {}): { calls: string } {
  const calls = join(machine.root, "go-calls.txt");
  putProgram(
    join(machine.path, "go"),
    `
    const fs = require("node:fs"), path = require("node:path");
    const { version, listFails, buildFails } = ${JSON.stringify(behaviour)};
    const [verb, ...rest] = process.argv.slice(2);
    const fail = (why) => { console.error(why); process.exit(1); };
    fs.appendFileSync(${JSON.stringify(calls)}, [verb, ...rest].join(" ") + "\\n");
    if (verb === "version") console.log(version ?? "go version go1.26.8 linux/amd64");
    if (verb === "list") {
      console.error("go: downloading one.example/a v1.0.0");
      if (listFails) fail(listFails);
      console.log("false std\\ntrue one.example/a\\ntrue one.example/b");
    }
    if (verb === "build") {
      console.error("one.example/a");
      if (buildFails) fail(buildFails);
      const folder = rest[rest.indexOf("-o") + 1];
      const write = (name, text) =>
        fs.writeFileSync(path.join(folder, name), "#!" + process.execPath + "\\n" + text, { mode: 0o755 });
      if (rest.some((one) => one.endsWith("/cmd/pulumi"))) write("pulumi", "console.log('v3.259.0')");
      write("pulumi-language-nodejs", "");
    }`,
  );
  return { calls };
}
