import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signRelease } from "../../rehearsal/signers.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;
let migrationFile: string;
let migrationText: string;

beforeAll(async () => {
  stack = await startStack();
  await stack.through("v1.0.0", "prepare", "lower-ttl");
  await stack.set({ phase: "cutover" });
  const migrations = join(stack.workspace.folder, "examples", "flagship", "migrations");
  migrationFile = join(migrations, "0001_orders_channel.sql");
  migrationText = await readFile(migrationFile, "utf8");
});
afterAll(() => stack.close());

describe("pulumi up, stopped while writes are frozen and a migration runs,", () => {
  beforeEach(async () => {
    await writeFile(migrationFile, `SELECT pg_sleep(600);\n${migrationText}`);
    await signRelease(stack.workspace, "v1.0.0");
  });

  test("by Ctrl-C opens writes again; a second one beside it is refused", async () => {
    const running = startUp();
    await migrationRuns();
    const second = await stack.up(...withPack, "--skip-preview");
    expect(second.exitCode).not.toBe(0);
    expect(told(second)).toContain("currently locked");
    signalGroup(running, "SIGINT");
    expect((await running).exitCode).not.toBe(0);
    await expect.poll(() => stack.writesFrozen(), { timeout: 20_000 }).toBe("off");
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  });

  test("by kill -9 is finished by the next one, with a freeze and a recovery point of its own", async () => {
    const tokenBefore = await tokens();
    const running = startUp();
    await migrationRuns();
    signalGroup(running, "SIGKILL");
    await running;
    await endMigration();
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
    await writeFile(migrationFile, migrationText);
    await signRelease(stack.workspace, "v1.0.0");
    const cancelled = await stack.run("cancel", "--yes", "production");
    expect(cancelled.exitCode, told(cancelled)).toBe(0);
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).toBe(0);
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
    expect(await stack.writesFrozen()).toBe("off");
    expect(await tokens()).not.toEqual(tokenBefore);
  });
});

/** The CLI in a process group of its own, as a shell starts it. */
function startUp() {
  const { pulumi, folder, env } = stack.workspace;
  return execa(pulumi, ["up", "--yes", "--skip-preview", "--non-interactive", ...withPack], {
    cwd: folder,
    env,
    detached: true,
    reject: false,
  });
}

function signalGroup(running: { readonly pid?: number | undefined }, signal: NodeJS.Signals): void {
  if (running.pid === undefined) throw new Error("The CLI did not start.");
  process.kill(-running.pid, signal);
}

async function migrationRuns(): Promise<void> {
  await expect.poll(() => sleeping("count(*)::int AS n"), { timeout: 60_000 }).toEqual([{ n: 1 }]);
}

/** What a killed runner leaves behind at the server ends when the server notices; a test does not wait for that. */
async function endMigration(): Promise<void> {
  await sleeping("pg_terminate_backend(pid)");
}

function sleeping(what: string): Promise<object[]> {
  return stack.sql(
    `SELECT ${what} FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`,
  );
}

async function tokens(): Promise<unknown[]> {
  return stack.sql("SELECT token FROM cutover_ledger.step WHERE step = 'write-freeze'");
}
