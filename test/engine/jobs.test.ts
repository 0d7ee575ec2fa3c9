import { afterAll, beforeAll, expect, test } from "vitest";
import { clockScale } from "../../rehearsal/clock.ts";
import { answersRunOut } from "../../rehearsal/stack.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

const direct = [...withPack, "--skip-preview"];
const jobType = "cutover:index:Job";

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
  await setJobs(["fail", "3 orders have no customer"]);
  for (const phase of ["prepare", "lower-ttl"]) {
    await stack.set({ phase });
    const result = await stack.up(...direct);
    expect(result.exitCode, told(result)).toBe(0);
  }
  await stack.set({ phase: "cutover" });
  await answersRunOut(stack.workspace, clockScale);
});
afterAll(() => stack.close());

/** One job on the data and one that checks, both with the image of the service api. */
async function setJobs(check: readonly string[]): Promise<void> {
  const row = { image: "api", deadlineSeconds: 60 };
  await stack.workspace.change("jobs", {
    count: { ...row, step: "data-jobs", command: ["count-writes"] },
    check: { ...row, step: "check-jobs", command: check },
  });
}

test("a job that exits with 3 stops a cutover before DNS moves, and its last lines are told", async () => {
  const result = await stack.up(...direct);
  expect(result.exitCode).not.toBe(0);
  const text = result.errors.join("\n");
  expect(text).toContain("job flagship-check of release v1.0.0 failed");
  expect(text).toContain("exit code 3");
  expect(text).toContain("3 orders have no customer");
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  expect(await stack.writesFrozen()).toBe("off");
  expect((await stack.ledger())?.now.phase).toBe("lower-ttl");
});

test("the next pulumi up runs it anew, and not the one that has exited with 0", async () => {
  const counted = await outputsOf("count");
  await setJobs(["check-integrity"]);
  const result = await stack.up(...direct);
  expect(result.exitCode, told(result)).toBe(0);
  expect(await outputsOf("check")).toMatchObject({ exitCode: 0, release: "v1.0.0" });
  expect(counted).toMatchObject({ exitCode: 0 });
  expect((await outputsOf("count"))["startedAt"]).toBe(counted["startedAt"]);
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
  const again = await stack.up(...direct, "--expect-no-changes");
  expect(again.exitCode, told(again)).toBe(0);
});

async function outputsOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  const found = (await stack.state()).find(
    ({ type, urn }) => type === jobType && urn.endsWith(`::${name}`),
  );
  return found?.outputs ?? {};
}
