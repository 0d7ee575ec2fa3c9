import { expect, it } from "vitest";
import { binFolder } from "../../../tools/engine/cache.ts";
import { EngineError, obtainEngine } from "../../../tools/engine/engine.ts";
import type { Makers } from "../../../tools/engine/engine.ts";
import { RouteFailure } from "../../../tools/engine/errors.ts";
import type { Engine, Route } from "../../../tools/engine/types.ts";
import { makeMachine } from "./machine.ts";
import { put, putHost, putPulumi } from "./programs.ts";

const silent = () => {};

function makers(working: Route[]): Makers & { asked: Route[] } {
  const asked: Route[] = [];
  const maker = (route: Route) => async (): Promise<Engine> => {
    asked.push(route);
    if (!working.includes(route))
      throw new RouteFailure(route, `${route} is closed`, `open ${route}`);
    return { pulumi: "/made/pulumi", folder: "/made", version: "3.259.0", route };
  };
  return { asked, download: maker("download"), build: maker("go-build") };
}

it("makes nothing when there is one on PATH", async () => {
  const machine = makeMachine();
  putPulumi(machine.path);
  putHost(machine.path);
  const none = makers([]);
  await expect(obtainEngine(machine, none, silent)).resolves.toMatchObject({ route: "path" });
  expect(none.asked).toEqual([]);
});

it("prefers the kept one over making another", async () => {
  const machine = makeMachine();
  putPulumi(machine.path, "v3.1.0");
  putPulumi(binFolder(machine));
  putHost(binFolder(machine));
  const all = makers(["download", "go-build"]);
  await expect(obtainEngine(machine, all, silent)).resolves.toMatchObject({ route: "cache" });
  expect(all.asked).toEqual([]);
});

it("downloads before it builds", async () => {
  const all = makers(["download", "go-build"]);
  await expect(obtainEngine(makeMachine(), all, silent)).resolves.toMatchObject({
    route: "download",
  });
  expect(all.asked).toEqual(["download"]);
});

it("builds when nothing can be downloaded, and says why", async () => {
  const lines: string[] = [];
  const offline = makers(["go-build"]);
  await expect(
    obtainEngine(makeMachine(), offline, (line) => lines.push(line)),
  ).resolves.toMatchObject({ route: "go-build" });
  expect(lines).toEqual(["  download is closed"]);
});

it("tells of every route and every remedy when none works", async () => {
  const machine = makeMachine();
  const error = await obtainEngine(machine, makers([]), silent).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(EngineError);
  const { message, stack } = error as EngineError;
  for (const text of [
    "there is no pulumi on PATH",
    "there is none in",
    "download is closed",
    "go-build is closed",
    "https://www.pulumi.com/docs/install/",
    "open download",
    "open go-build",
  ]) {
    expect(message.replace(/\s+/g, " ")).toContain(text);
  }
  expect(message.match(/kept from an earlier run/g)).toHaveLength(1);
  expect(stack).toBe(`EngineError: ${message}`);
});

it("keeps its complaint within 80 columns", async () => {
  const machine = makeMachine();
  const error = await obtainEngine(machine, makers([]), silent).catch((caught: unknown) => caught);
  for (const line of (error as EngineError).message.split("\n")) {
    const isOneWord = line.trim().split(" ").length === 1;
    expect(line.length <= 80 || isOneWord, line).toBe(true);
  }
});

it("says where it cannot write", async () => {
  const machine = makeMachine();
  machine.home = put(`${machine.home}/file`, "not a folder");
  await expect(obtainEngine(machine, makers([]), silent)).rejects.toThrow(
    /cannot keep an engine in .*\.pulumi/,
  );
});

it("does not take a fault of its own for a closed route", async () => {
  const broken = { ...makers([]), download: () => Promise.reject(new TypeError("a fault")) };
  await expect(obtainEngine(makeMachine(), broken, silent)).rejects.toThrow(TypeError);
});
