import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { binFolder } from "../../../tools/engine/cache.ts";
import { fromPath } from "../../../tools/engine/path.ts";
import { makeMachine } from "./machine.ts";
import { put, putHost, putProgram, putPulumi } from "./programs.ts";

it("takes a pulumi with a language host beside it", async () => {
  const machine = makeMachine();
  const pulumi = putPulumi(machine.path, "v3.265.1");
  putHost(machine.path);
  await expect(fromPath(machine)).resolves.toEqual({
    pulumi,
    folder: machine.path,
    version: "3.265.1",
    route: "path",
  });
});

it("takes a linked pulumi whose language host is where the link leads", async () => {
  const machine = makeMachine();
  const installed = join(machine.root, "opt");
  putHost(installed);
  symlinkSync(putPulumi(installed), join(machine.path, "pulumi"));
  await expect(fromPath(machine)).resolves.toMatchObject({ folder: machine.path });
});

it("takes a language host from another folder of PATH", async () => {
  const machine = makeMachine();
  putPulumi(machine.path);
  const other = join(machine.root, "other");
  putHost(other);
  machine.env["PATH"] += `:${other}`;
  await expect(fromPath(machine)).resolves.toMatchObject({ route: "path" });
});

it("refuses when there is no pulumi", async () => {
  await expect(fromPath(makeMachine())).rejects.toThrow("there is no pulumi on PATH");
});

it("does not look into relative folders of PATH", async () => {
  const machine = makeMachine();
  putPulumi(machine.path);
  putHost(machine.path);
  machine.env["PATH"] = ".:";
  await expect(fromPath(machine)).rejects.toThrow("there is no pulumi on PATH");
});

it("refuses a file that cannot be started", async () => {
  const machine = makeMachine();
  put(join(machine.path, "pulumi"), "text");
  await expect(fromPath(machine)).rejects.toThrow("there is no pulumi on PATH");
});

it("refuses another version and says which", async () => {
  const machine = makeMachine();
  putPulumi(machine.path, "v3.100.0");
  putHost(machine.path);
  await expect(fromPath(machine)).rejects.toThrow("is 3.100.0; needed is 3.259.0 or newer");
});

it("refuses one without a language host", async () => {
  const machine = makeMachine();
  putPulumi(machine.path);
  await expect(fromPath(machine)).rejects.toThrow("has no pulumi-language-nodejs");
});

it.each([
  ["fails", "console.error('broken'); process.exit(3)"],
  ["prints no version", "console.log('hello')"],
])("refuses one that %s", async (_, script) => {
  const machine = makeMachine();
  putProgram(join(machine.path, "pulumi"), script);
  putHost(machine.path);
  await expect(fromPath(machine)).rejects.toThrow(/broken|printed no version/);
});

it("leaves the kept copy to the next route, even when it is on PATH", async () => {
  const machine = makeMachine();
  const bin = binFolder(machine);
  putPulumi(bin);
  putHost(bin);
  machine.env["PATH"] = bin;
  await expect(fromPath(machine)).rejects.toThrow("PATH leads to the copy of an earlier run");
});
