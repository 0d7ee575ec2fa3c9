import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { temporaryFolder } from "./support.ts";

async function folder(): Promise<string> {
  const path = await temporaryFolder();
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

test("a store opened again in the same folder holds what was set, in the same order", async () => {
  const path = await folder();
  const things = openStore(path).collection<{ size: number }>("things");
  things.set("b", { size: 1 });
  things.set("a", { size: 2 });
  things.set("gone", { size: 3 });

  expect(things.delete("gone")).toBe(true);
  expect(things.delete("gone")).toBe(false);
  expect(openStore(path).collection("things").entries()).toEqual([
    ["b", { size: 1 }],
    ["a", { size: 2 }],
  ]);
});

test("only the owner reads what a store keeps, and no half-written file is left", async () => {
  const path = await folder();
  openStore(path).collection("things").set("a", 1);

  expect(statSync(join(path, "things.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(path)).toEqual(["things.json"]);
});

test("a file that something else changed is named, with what to do", async () => {
  const path = await folder();
  writeFileSync(join(path, "things.json"), '{"a":');

  expect(() => openStore(path).collection("things")).toThrow(
    /things\.json is not JSON.*To do: remove the folder/,
  );
});
