import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clockScale } from "../../rehearsal/clock.ts";
import { answersRunOut } from "../../rehearsal/stack.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

const release = "v1.0.0";
const direct = [...withPack, "--skip-preview"];

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Phases in their order, each with one that cannot follow the phase before it, and why. */
const walk = [
  { phase: "prepare", refused: "lower-ttl", because: "does not follow a stack that never ran" },
  {
    phase: "lower-ttl",
    refused: "cutover",
    because: "phase cutover does not follow phase prepare",
  },
  { phase: "cutover", refused: "observe", because: "observe does not follow phase lower-ttl" },
  { phase: "observe", refused: "lower-ttl", because: "lower-ttl does not follow phase cutover" },
  { phase: "finalize", refused: "cutover", because: "phase cutover does not follow phase observe" },
  { phase: "decommission", refused: "observe", because: "observe does not follow phase finalize" },
] as const;

describe.each(walk)("before and in $phase", ({ phase, refused, because }) => {
  test(`${refused} is refused, and changes nothing`, async () => {
    const before = await stack.state();
    await stack.set({ phase: refused });
    const result = await stack.up(...direct);
    expect(closedBy(result, "phase-in-order")).toContain(because);
    expect(result.exitCode).not.toBe(0);
    expect(await stack.state()).toEqual(before);
  });

  test.runIf(phase === "cutover")("a cutover before its planned time is refused", async () => {
    const plan = new Date(Date.now() + 3_600_000).toISOString();
    await stack.set({ phase, "notBefore.cutover": "0h", cutoverAt: plan });
    await expectTooEarly(`cutover begins at ${plan} at the earliest`);
    await stack.set({ cutoverAt: new Date(Date.now() - 1000).toISOString() });
  });

  test.runIf(phase === "observe")("observe is refused before its time after it", async () => {
    await stack.set({ phase, "notBefore.observe": "28d" });
    const opensAt = await cutoverEnd(28 * 86_400_000);
    await expectTooEarly(`observe begins at ${new Date(opensAt).toISOString()} at the earliest`);
    await stack.set({ "notBefore.observe": "1h" });
    await sleep(Math.max(0, (await cutoverEnd(3_600_000)) - Date.now() + 1));
  });

  test("it is entered, and run again it changes nothing", async () => {
    await stack.set({ phase });
    if (phase === "cutover") await answersRunOut(stack.workspace, clockScale);
    const first = await stack.up(...direct);
    expect(first.exitCode, told(first)).toBe(0);
    expect((await stack.ledger())?.now).toMatchObject({ phase, release });
    const again = await stack.up(...direct, "--expect-no-changes");
    expect(again.exitCode, told(again)).toBe(0);
    expect(again.changes).toEqual([]);
  });
});

test("what went through its phases cannot begin anew", async () => {
  await stack.set({ phase: "prepare", release });
  const result = await stack.preview(...withPack);
  expect(result.exitCode).not.toBe(0);
  expect(closedBy(result, "phase-in-order")).toContain(
    "prepare does not follow phase decommission",
  );
});

/** Refused by the clock alone, with the time that it names, and nothing changed. */
async function expectTooEarly(said: string): Promise<void> {
  const before = await stack.state();
  const result = await stack.up(...direct);
  expect(result.exitCode).not.toBe(0);
  const closed = result.violations.filter(({ level }) => level === "mandatory");
  expect(closed.map(({ gate }) => gate)).toContain("phase-not-early");
  expect(closedBy(result, "phase-not-early")).toContain(said);
  expect(await stack.state()).toEqual(before);
}

/** The reasons of a gate that is closed. */
function closedBy(result: Awaited<ReturnType<TestStack["up"]>>, gate: string): string {
  const closed = result.violations.filter((violation) => violation.gate === gate);
  expect(
    closed.map(({ level }) => level),
    told(result),
  ).toContain("mandatory");
  return closed.map(({ message }) => message.replaceAll(/\s+/g, " ")).join("\n");
}

/** When a time after the cutover is over, by the rehearsal's clock; a number of `Date.now()`. */
async function cutoverEnd(milliseconds: number): Promise<number> {
  const at = (await stack.ledger())?.now.times.cutover;
  return Date.parse(at ?? "") + milliseconds / clockScale;
}
