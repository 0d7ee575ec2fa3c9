import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
  await expectNeverMadeUnencrypted();
  await stack.through("v1.0.0", "prepare", "lower-ttl");
  await stack.set({ phase: "cutover" });
});
afterAll(() => stack.close());

interface Break {
  readonly what: string;
  readonly config: Readonly<Record<string, string>>;
  readonly mended: Readonly<Record<string, string>>;
  readonly gate: string;
  readonly remedy: string;
  /** What closes first in an update that no preview went before, where that is another gate. */
  readonly first?: { readonly gate: string; readonly remedy: string };
}

const breaks: readonly Break[] = [
  {
    what: "an unencrypted database",
    config: { "database.storageEncrypted": "false" },
    mended: { "database.storageEncrypted": "true" },
    gate: "database-encrypted-at-rest",
    remedy: "cutover:database.storageEncrypted true",
    // A database that is there loses its encryption by a replacement only.
    first: { gate: "nothing-replaced", remedy: "cutover:database.storageEncrypted back" },
  },
  {
    what: "a bucket whose versioning is missing",
    config: { "buckets.documents.versioned": "false" },
    mended: { "buckets.documents.versioned": "true" },
    gate: "bucket-versioned",
    remedy: "cutover:buckets.documents.versioned true",
  },
  {
    what: "backups kept for 6 days",
    config: { "database.backupRetentionDays": "6" },
    mended: { "database.backupRetentionDays": "14" },
    gate: "database-backups-retained",
    remedy: "cutover:database.backupRetentionDays 7",
  },
];

describe.each(breaks)("$what", ({ config, mended, first, ...row }) => {
  afterEach(() => stack.set(mended));

  test.each([
    [[], row],
    [["--skip-preview"], first ?? row],
  ])("stops pulumi up %j", async (args, { gate, remedy }) => {
    await stack.set(config);
    const result = await stack.up(...withPack, ...args);
    expect(result.exitCode, told(result)).not.toBe(0);
    const closed = result.violations.filter(({ level }) => level === "mandatory");
    expect(closed.map((violation) => violation.gate)).toContain(gate);
    expect(closed.find((violation) => violation.gate === gate)?.message).toContain(remedy);
    await expectNothingMoved();
  });
});

describe.each([
  ["switched off, that would have passed", { "dns-ttl-lowered": "disabled" }, "dns-ttl-lowered"],
  ["switched off with the whole checklist", { checklist: "disabled" }, "flagship/cutover-approved"],
  ["switched off together with all others", { all: "disabled" }, "--policy-pack policies"],
  ["judged by a seal that was switched off", { seal: "disabled" }, "--policy-pack policies"],
  ["judged by a seal that only advises", { seal: "advisory" }, "--policy-pack policies"],
])("a gate %s", (_, levels, named) => {
  test.each([[[]], [["--skip-preview"]]])("stops pulumi up %j", async (args) => {
    const file = join(stack.workspace.folder, "levels.json");
    await writeFile(file, JSON.stringify(levels));
    const result = await stack.up(...withPack, "--policy-pack-config", file, ...args);
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(result.errors.join("\n")).toContain(named);
    await expectNothingMoved();
  });
});

test.each([[[]], [["--skip-preview"]]])(
  "a closed gate that was set to advisory stops pulumi up %j",
  async (args) => {
    const file = join(stack.workspace.folder, "levels.json");
    await writeFile(file, JSON.stringify({ "database-backups-retained": "advisory" }));
    await stack.set({ "database.backupRetentionDays": "6" });
    const result = await stack.up(...withPack, "--policy-pack-config", file, ...args);
    await stack.set({ "database.backupRetentionDays": "14" });
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(told(result)).toContain("database-backups-retained");
    await expectNothingMoved();
  },
);

/** A stack that has no database yet does not get an unencrypted one, even without a preview. */
async function expectNeverMadeUnencrypted(): Promise<void> {
  await stack.set({ "database.storageEncrypted": "false" });
  const result = await stack.up(...withPack, "--skip-preview");
  await stack.set({ "database.storageEncrypted": "true" });
  expect(result.exitCode, told(result)).not.toBe(0);
  const closed = result.violations.filter(({ level }) => level === "mandatory");
  expect(closed.map(({ gate }) => gate)).toContain("database-encrypted-at-rest");
  const types = (await stack.state()).map(({ type }) => type);
  expect(types).not.toContain("aws:rds/instance:Instance");
}

/** DNS answers with the old target, nothing of the new release runs, writes are open. */
async function expectNothingMoved(): Promise<void> {
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  expect(await stack.health("blue")).toBeNull();
  expect(await stack.health("legacy")).toMatchObject({ version: "legacy" });
  expect(await stack.writesFrozen()).toBe("off");
}
