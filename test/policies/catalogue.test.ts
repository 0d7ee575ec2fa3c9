import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { releaseGates } from "../../policies/release-gates.ts";
import { systemOf } from "../../policies/system.ts";
import { catalogue } from "../support/catalogue.ts";

const policies = join(import.meta.dirname, "..", "..", "policies");

const systems = readdirSync(join(policies, "checklists"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => systemOf(file.replace(/\.yaml$/, "")))
  .sort((a, b) => (a.checklist.system < b.checklist.system ? -1 : 1));

test("every checklist can be used", () => {
  expect(systems.flatMap(({ problem }) => problem ?? [])).toEqual([]);
});

test("the README of the pack says what the gates say", async () => {
  await expect(catalogue(releaseGates, systems)).toMatchFileSnapshot(join(policies, "README.md"));
});
