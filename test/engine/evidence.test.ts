import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { waive } from "../../cli/approve.ts";
import { readProject } from "../../cli/project.ts";
import { signWithSsh, statementOf } from "../../cli/sign.ts";
import { guardType } from "../../policies/contract/facts.ts";
import { waiverNamespace } from "../../policies/signatures/roles.ts";
import { attestReports } from "../../rehearsal/reports.ts";
import { approveRelease, cutover, signRelease } from "../../rehearsal/signers.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

const release = "v1.0.0";
const gate = "flagship/runbook-current";
/** Stands where a secret could: in a report's output, in the environment. */
const canary = "canary-b1f2c8";

let stack: TestStack;
let evidence: string;

beforeAll(async () => {
  process.env["CUTOVER_SIGNING_KEY"] = canary;
  stack = await startStack();
  evidence = join(stack.workspace.folder, "examples", "flagship", "evidence");
  const junit = join(evidence, release, "unit-tests.xml");
  const text = await readFile(junit, "utf8");
  await writeFile(junit, text.replace("</testsuites>", `<!-- ${canary} --></testsuites>`));
  await signRelease(stack.workspace, release);
  await stack.through(release, "prepare", "lower-ttl");
  await stack.set({ phase: "cutover" });
  await cp(evidence, `${evidence}.whole`, { recursive: true });
});
afterAll(async () => {
  delete process.env["CUTOVER_SIGNING_KEY"];
  await stack.close();
});

describe("a cutover", () => {
  afterEach(async () => {
    await rm(evidence, { recursive: true });
    await cp(`${evidence}.whole`, evidence, { recursive: true });
    await stack.set({ evidence: "examples/flagship/evidence" });
  });

  const breaks: [what: string, gates: string[], said: string, make: () => Promise<void>][] = [
    [
      "without its evidence",
      ["flagship/unit-tests-passed", "flagship/cutover-approved"],
      "there is no evidence unit-tests",
      () => rm(join(evidence, release, "unit-tests.intoto.jsonl")),
    ],
    [
      "with the evidence of another release",
      ["flagship/unit-tests-passed", "flagship/cutover-approved"],
      "it is about another release (v1.1.0)",
      () =>
        cp(
          join(evidence, "v1.1.0", "unit-tests.intoto.jsonl"),
          join(evidence, release, "unit-tests.intoto.jsonl"),
        ),
    ],
    [
      "with altered evidence",
      ["evidence-verified", "flagship/unit-tests-passed", "flagship/cutover-approved"],
      "unit-tests.intoto.jsonl",
      async () => {
        const file = join(evidence, release, "unit-tests.intoto.jsonl");
        const envelope = JSON.parse(await readFile(file, "utf8")) as { payload: string };
        const text = Buffer.from(envelope.payload, "base64").toString();
        const payload = Buffer.from(text.replace("PASSED", "WARNED")).toString("base64");
        await writeFile(file, JSON.stringify({ ...envelope, payload }));
      },
    ],
    [
      "that one role did not approve",
      ["flagship/cutover-approved"],
      "nobody approved it as database-owner",
      async () => {
        const folder = join(evidence, release);
        const files = (await readdir(folder)).filter((name) => name.includes("database-owner"));
        await Promise.all(files.map((name) => rm(join(folder, name))));
      },
    ],
    [
      "approved before its evidence changed",
      ["flagship/cutover-approved"],
      "the evidence has changed since",
      () => attestReports(stack.workspace, release, cutover),
    ],
    [
      "with a waiver that has expired",
      [gate],
      "it expired at",
      async () => {
        await rm(join(evidence, release, "runbook.intoto.jsonl"));
        await writeExpiredWaiver();
        await approveRelease(stack.workspace, release);
      },
    ],
    [
      "whose evidence cannot be fetched",
      ["evidence-verified", "flagship/unit-tests-passed", "flagship/cutover-approved"],
      "it cannot be fetched",
      () => stack.set({ evidence: "http://evidence.invalid/flagship" }),
    ],
    [
      "with no document in place of one",
      ["evidence-verified"],
      "extra.sigstore.json: it is no",
      () => writeFile(join(evidence, release, "extra.sigstore.json"), '{"mediaType":"none"}'),
    ],
  ];

  test.each([
    ...breaks.map((row) => ({ row, args: [] as string[] })),
    // Without a preview, what closes the gate is met in the update itself.
    ...breaks.slice(0, 3).map((row) => ({ row, args: ["--skip-preview"] })),
  ])("$row.0 is refused, $args", async ({ row: [, gates, said, make], args }) => {
    await make();
    const result = await stack.up(...withPack, ...args);
    expect(result.exitCode, told(result)).not.toBe(0);
    const closed = result.violations.filter(({ level }) => level === "mandatory");
    expect(closed.map((violation) => violation.gate)).toEqual(expect.arrayContaining(gates));
    expect(told(result).replaceAll(/\s+/g, " ")).toContain(said);
    await expectNothingMoved();
  });
});

test("a waived gate lets the cutover pass and stays visible as waived", async () => {
  const { folder, signers } = stack.workspace;
  await rename(
    join(evidence, release, "runbook.intoto.jsonl"),
    join(stack.workspace.folder, "runbook.away"),
  );
  await waive(gate, {
    folder,
    stack: "production",
    release,
    reason: "A test of what a waived gate looks like.",
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    key: signers.keyOf("release-manager"),
  });
  await approveRelease(stack.workspace, release);
  const result = await stack.up(...withPack);
  expect(result.exitCode, told(result)).toBe(0);
  const shown = result.violations.filter((violation) => violation.gate === gate);
  expect(shown.map(({ level }) => level)).toContain("advisory");
  expect(shown[0]?.message).toContain("Waived by release-manager@example.com until");
  const guard = (await stack.state()).find(
    ({ type, urn }) => type === guardType && urn.endsWith("::entry"),
  );
  expect(guard?.outputs["verdicts"]).toMatchObject({
    [gate]: "waived",
    "flagship/unit-tests-passed": "pass",
  });
  expect(guard?.outputs["waivers"]).toMatchObject({
    [gate]: { approver: "release-manager@example.com" },
  });
  const again = await stack.up(...withPack);
  expect(again.exitCode, told(again)).toBe(0);
  expect(again.changes).toEqual([]);
});

test("nothing secret is in the state, the evidence or what was said", async () => {
  const password = (await stack.connection()).password;
  if (typeof password !== "string") throw new Error("the stack has no password");
  const preview = await stack.preview(...withPack, "--diff");
  const files = [join(stack.workspace.folder, "state"), join(evidence, release)];
  const texts = [told(preview)];
  for (const folder of files) {
    for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile() || name.name.endsWith(".xml")) continue;
      const text = await readFile(join(name.parentPath, name.name), "utf8");
      texts.push(text, ...payloadsIn(text));
    }
  }
  expect(texts.some((text) => text.includes("flagship/unit-tests-passed"))).toBe(true);
  for (const secret of [canary, password]) {
    expect(texts.filter((text) => text.includes(secret)).length).toBe(0);
  }
});

/** The texts inside base64. */
function payloadsIn(text: string): string[] {
  return [...text.matchAll(/[A-Za-z0-9+/]{200,}={0,2}/g)].map(([encoded]) =>
    Buffer.from(encoded, "base64").toString(),
  );
}

async function writeExpiredWaiver(): Promise<void> {
  const { folder, signers } = stack.workspace;
  const project = readProject({ folder, stack: "production", release });
  const statement = statementOf(project, "waiver", {
    stack: project.stack,
    gate,
    reason: "A test of a waiver that has expired.",
    approver: "release-manager@example.com",
    expires: new Date(Date.now() - 1000).toISOString(),
    signedAt: new Date(Date.now() - 3_600_000).toISOString(),
  });
  const key = signers.keyOf("release-manager");
  const envelope = await signWithSsh(statement, key, waiverNamespace);
  await writeFile(join(evidence, release, "waiver.intoto.jsonl"), JSON.stringify(envelope));
}

async function expectNothingMoved(): Promise<void> {
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  expect(await stack.health("blue")).toBeNull();
  expect(await stack.writesFrozen()).toBe("off");
}
