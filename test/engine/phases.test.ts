import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Phase } from "../../policies/contract/phase.ts";
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

/** A time before which a phase may not begin. */
interface Early {
  readonly what: string;
  /** Sets a time that is still to come; returns what the gate says of it. */
  readonly close: () => Promise<string>;
  /** Sets one that is over by the end, and waits for it. */
  readonly open: () => Promise<void>;
}

const beforeThePlan: Early = {
  what: "its planned time",
  async close() {
    const plan = new Date(Date.now() + 3_600_000).toISOString();
    await stack.set({ phase: "cutover", "notBefore.cutover": "0h", cutoverAt: plan });
    return `cutover begins at ${plan} at the earliest`;
  },
  open: () => stack.set({ cutoverAt: new Date(Date.now() - 1000).toISOString() }),
};

const afterTheCutover: Early = {
  what: "its time after the cutover",
  async close() {
    await stack.set({ phase: "observe", "notBefore.observe": "28d" });
    const opensAt = await afterCutover(28 * 86_400_000);
    return `observe begins at ${new Date(opensAt).toISOString()} at the earliest`;
  },
  async open() {
    await stack.set({ "notBefore.observe": "1h" });
    await sleep(Math.max(0, (await afterCutover(3_600_000)) - Date.now() + 1));
  },
};

/** Phases in their order, each with one that cannot follow the phase before it, and why. */
const walk: readonly {
  readonly phase: Phase;
  readonly refused: Phase;
  readonly because: string;
  readonly early: readonly Early[];
}[] = [
  {
    phase: "prepare",
    refused: "lower-ttl",
    because: "lower-ttl does not follow a stack that never ran",
    early: [],
  },
  {
    phase: "lower-ttl",
    refused: "cutover",
    because: "cutover does not follow phase prepare",
    early: [],
  },
  {
    phase: "cutover",
    refused: "observe",
    because: "observe does not follow phase lower-ttl",
    early: [beforeThePlan],
  },
  {
    phase: "observe",
    refused: "lower-ttl",
    because: "lower-ttl does not follow phase cutover",
    early: [afterTheCutover],
  },
  {
    phase: "finalize",
    refused: "cutover",
    because: "cutover does not follow phase observe",
    early: [],
  },
  {
    phase: "decommission",
    refused: "observe",
    because: "observe does not follow phase finalize",
    early: [],
  },
];

describe.each(walk)("before and in $phase", ({ phase, refused, because, early }) => {
  test(`${refused} is refused, and changes nothing`, async () => {
    const before = await stack.state();
    await stack.set({ phase: refused });
    const result = await stack.up(...direct);
    expect(result.exitCode).not.toBe(0);
    expect(closedBy(result, "phase-in-order")).toContain(because);
    expect(await stack.state()).toEqual(before);
  });

  test.each(early)("it is refused before $what, and changes nothing", async ({ close, open }) => {
    const before = await stack.state();
    const said = await close();
    const result = await stack.up(...direct);
    expect(result.exitCode).not.toBe(0);
    expect(closedBy(result, "phase-not-early")).toContain(said);
    expect(await stack.state()).toEqual(before);
    await open();
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

/** The reasons of a gate that is closed. */
function closedBy(result: Awaited<ReturnType<TestStack["up"]>>, gate: string): string {
  const closed = result.violations.filter((violation) => violation.gate === gate);
  expect(
    closed.map(({ level }) => level),
    told(result),
  ).toContain("mandatory");
  return closed.map(({ message }) => message.replaceAll(/\s+/g, " ")).join("\n");
}

/** When a length of time after the cutover is over, by the rehearsal's clock; as `Date.now()` counts. */
async function afterCutover(milliseconds: number): Promise<number> {
  const at = (await stack.ledger())?.now.times.cutover;
  return Date.parse(at ?? "") + milliseconds / clockScale;
}
