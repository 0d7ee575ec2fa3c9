import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waive } from "../../cli/approve.ts";
import { openRegistry } from "../../rehearsal/registry/registry.ts";
import { attestReports } from "../../rehearsal/reports.ts";
import { approveRelease, cutover, signRelease } from "../../rehearsal/signers.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;
let releaseFile: string;
let releaseText: string;
let migrationFile: string;
let migrationText: string;
let waiverFile: string | undefined;

beforeAll(async () => {
  stack = await startStack();
  await stack.through("v1.0.0", "prepare", "lower-ttl");
  await stack.set({ phase: "cutover", "deadlines.healthSeconds": "5" });
  const flagship = join(stack.workspace.folder, "examples", "flagship");
  releaseFile = join(flagship, "releases", "v1.0.0.yaml");
  migrationFile = join(flagship, "migrations", "0001_orders_channel.sql");
  releaseText = await readFile(releaseFile, "utf8");
  migrationText = await readFile(migrationFile, "utf8");
});
afterAll(() => stack.close());

// The failures come one after another on one stack, and the last run must finish: each leaves it as it was.
describe("after the freeze", () => {
  beforeEach(async () => {
    if (waiverFile !== undefined) await rm(waiverFile, { force: true });
    await writeFile(releaseFile, releaseText);
    await writeFile(migrationFile, migrationText);
    await signRelease(stack.workspace, "v1.0.0");
  });

  test("a migration that fails in the middle leaves everything on the old target", async () => {
    await writeFile(migrationFile, `${migrationText}\nSELECT 1 / 0;\n`);
    await signRelease(stack.workspace, "v1.0.0");
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(result.errors.join("\n")).toContain("0001_orders_channel.sql");
    expect(result.errors.join("\n")).toContain("22012");
    await expectOldTargetServes();
    expect(await columns()).not.toContain("channel");
  });

  test("a service that never gets healthy leaves everything on the old target", async () => {
    await writeFile(releaseFile, releaseText.replace(/flagship\/api@\S+/, unhealthyApi()));
    await signRelease(stack.workspace, "v1.0.0");
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(result.errors.join("\n")).toContain("healthy");
    await expectOldTargetServes();
  });

  test("a gate that closes leaves everything on the old target", async () => {
    await writeFile(releaseFile, releaseText.replace(/flagship\/web@\S+/, "flagship/web:1.0.0"));
    await signWithoutScan("web");
    const result = await stack.up(...withPack, "--skip-preview");
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(result.violations.map(({ gate }) => gate)).toContain("service-image-pinned");
    await expectOldTargetServes();
  });

  test("repaired, the next pulumi up finishes with a recovery point of its own", async () => {
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).toBe(0);
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
    expect(await columns()).toContain("channel");
    const steps = await stack.sql<{ step: string; state: string }>(
      "SELECT step, state FROM cutover_ledger.step",
    );
    expect(steps.map(({ state }) => state)).not.toContain("frozen");
  });
});

/** An image that is named by its tag can be scanned, but nobody knows which one that was. */
async function signWithoutScan(service: string): Promise<void> {
  const { folder, stack: name, signers } = stack.workspace;
  const release = "v1.0.0";
  await attestReports(stack.workspace, release, cutover, [`image-scan-${service}`]);
  await rm(
    join(folder, "examples/flagship/evidence", release, `image-scan-${service}.intoto.jsonl`),
  );
  const file = await waive(`flagship/${service}-image-scanned`, {
    folder,
    stack: name,
    release,
    reason: "A test of the gate that asks for digests.",
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    key: signers.keyOf("release-manager"),
  });
  waiverFile = file.file;
  await approveRelease(stack.workspace, release);
}

async function expectOldTargetServes(): Promise<void> {
  const { network } = stack.cloud;
  expect(await stack.dnsAnswer()).toBe(network.legacy);
  expect(await stack.writesFrozen()).toBe("off");
  await expect
    .poll(async () => {
      const id = Math.floor(Math.random() * 1e9);
      const response = await fetch(`http://${network.legacy}:${network.port}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id, note: "after a failure" }),
      });
      return response.status;
    })
    .toBe(201);
}

async function columns(): Promise<string[]> {
  const rows = await stack.sql<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'",
  );
  return rows.map(({ column_name }) => column_name);
}

function unhealthyApi(): string {
  const found = openRegistry().images.find(
    ({ image }) => image.service === "api" && image.faults.unhealthy === true,
  );
  return (found?.reference ?? "").replace("registry.example.com/", "");
}
