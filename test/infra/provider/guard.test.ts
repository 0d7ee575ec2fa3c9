import { describe, expect, test } from "vitest";
import { guard } from "../../../infra/provider/guard.ts";
import { guardType, type GuardFacts } from "../../../policies/contract/facts.ts";
import { readChecklist } from "../../../policies/contract/checklist.ts";
import { requiredGates } from "../../../policies/contract/gates.ts";
import { digestOf } from "../../../policies/contract/digest.ts";
import { phases } from "../../../policies/contract/phase.ts";
import type { Seal } from "../../../policies/contract/seal.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";

const target = { type: guardType, name: "entry" };

const checklist = readChecklist("flagship");

const facts: GuardFacts = {
  guard: "entry",
  system: "flagship",
  stack: "production",
  phase: "cutover",
  direction: "forward",
  release: {
    version: "v2.0.0",
    commit: "c".repeat(40),
    digest: "d".repeat(64),
    images: {},
    authors: ["developer@example.com"],
    migrations: [],
  },
  before: {
    phase: "lower-ttl",
    release: "v2.0.0",
    serving: null,
    recorded: [],
    ttl: null,
    times: {},
    record: null,
    restoreTest: null,
    legacyExport: null,
  },
  phases: [...phases],
  notBefore: {},
  steps: [],
  replaced: [],
  identity: { certificates: {}, redirects: {} },
  legacy: { d1: null },
  plannedCutover: null,
  ttlSeconds: 60,
  owners: {},
  declared: {},
  evidenceDigest: "f".repeat(64),
  checklistDigest: checklist.digest,
  covers: {
    databases: [],
    containerDatabases: [],
    backups: [],
    buckets: [],
    archives: [],
    units: [],
    services: [],
    secrets: [],
    alarms: [],
  },
  clockScale: 1,
  configDigest: "e".repeat(64),
};
const gates = requiredGates("entry", "cutover", "forward", checklist);

const open: Seal = {
  pack: "release-gates 0.1.0",
  factsDigest: digestOf(facts),
  verdicts: Object.fromEntries(gates.map((gate) => [gate, "pass"])),
  waivers: {},
  enforcement: Object.fromEntries(gates.map((gate) => [gate, "on"])),
};

function wire(seal?: Partial<Seal>, changed: Partial<GuardFacts> = {}): Wire {
  const inputs = {
    facts: { ...facts, ...changed },
    ...(seal === undefined ? {} : { seal: { ...open, ...seal } }),
  };
  return JSON.parse(JSON.stringify(inputs)) as Wire;
}

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [guardType]: guard });
}

describe("an open guard", () => {
  test("gives what is behind it the digest of what was sealed", async () => {
    const engine = await serve();
    const { guard: _guard, ...common } = facts;
    const outputs = {
      sealed: digestOf(common),
      phase: "cutover",
      release: "v2.0.0",
      verdicts: open.verdicts,
      waivers: {},
    };
    expect(await engine.create(target, wire(open))).toEqual({ id: "entry", outputs });
    expect(await engine.create(target, wire(open), { preview: true })).toEqual({ id: "", outputs });
    const olds = { inputs: wire(open), outputs };
    expect((await engine.update(target, olds, wire(open))).outputs).toEqual(outputs);
  });

  test("takes a waiver for a pass", async () => {
    const verdicts = { ...open.verdicts, "flagship/unit-tests-passed": "waived" as const };
    expect((await (await serve()).create(target, wire({ verdicts }))).id).toBe("entry");
  });

  test("seals the same for every guard of a run", async () => {
    const engine = await serve();
    const data = { guard: "data" } as const;
    const dataGates = requiredGates("data", "cutover", "forward", checklist);
    const seal = {
      factsDigest: digestOf({ ...facts, ...data }),
      verdicts: Object.fromEntries(dataGates.map((gate) => [gate, "pass" as const])),
      enforcement: Object.fromEntries(dataGates.map((gate) => [gate, "on" as const])),
    };
    const [one, other] = await Promise.all([
      engine.create(target, wire(open)),
      engine.create(target, wire(seal, data)),
    ]);
    expect(other.outputs["sealed"]).toBe(one.outputs["sealed"]);
  });
});

describe("a closed guard", () => {
  const failed = { ...open.verdicts, "flagship/unit-tests-passed": "fail" as const };
  const off = { ...open.enforcement, "flagship/unit-tests-passed": "off" as const };
  const { "phase-in-order": _judged, ...unjudged } = open.verdicts;

  test.for([
    { what: "no seal", news: wire(), preview: true },
    {
      what: "facts of another checklist",
      news: wire({}, { checklistDigest: "0".repeat(64) }),
      preview: true,
    },
    {
      what: "a system without a checklist",
      news: wire({}, { system: "unknown" }),
      preview: true,
    },
    {
      what: "a gate more than is required",
      news: wire({ verdicts: { ...open.verdicts, "bucket-versioned": "pass" } }),
      preview: true,
    },
    { what: "a seal of other facts", news: wire({}, { ttlSeconds: 61 }), preview: true },
    { what: "a gate that was switched off", news: wire({ enforcement: off }), preview: true },
    { what: "a gate that was not judged", news: wire({ verdicts: unjudged }), preview: true },
    { what: "a closed gate", news: wire({ verdicts: failed }), preview: false },
    {
      what: "an inconclusive gate",
      news: wire({ verdicts: { ...open.verdicts, "dns-ttl-lowered": "inconclusive" } }),
      preview: false,
    },
    {
      what: "a closed gate that was switched off",
      news: wire({ verdicts: failed, enforcement: off }),
      preview: true,
    },
  ])("refuses $what, in a preview too: $preview", async ({ news, preview }) => {
    const engine = await serve();
    const olds = { inputs: wire(open), outputs: {} };
    const operations = [
      (dry: boolean) => engine.create(target, news, { preview: dry }),
      (dry: boolean) => engine.update(target, olds, news, { preview: dry }),
    ];
    const closed = /^guard entry stays closed/;
    for (const operation of operations) {
      expect((await failureOf(operation(false))).message).toMatch(closed);
      const dryRun = await operation(true).then(
        () => "guard entry is open",
        (error: unknown) => String(error),
      );
      expect(/guard entry stays closed/.test(dryRun)).toBe(preview);
    }
  });

  test("gives every reason at once, each gate on its line, within 80 columns", async () => {
    const engine = await serve();
    const news = wire({
      factsDigest: "other",
      verdicts: {
        ...unjudged,
        "flagship/unit-tests-passed": "fail",
        "dns-ttl-lowered": "inconclusive",
      },
      enforcement: { ...open.enforcement, "phase-in-order": "off" },
    });
    const { message } = await failureOf(engine.create(target, news));
    expect(message).toMatchInlineSnapshot(`
      "guard entry stays closed: v2.0.0 may not pass in phase cutover
      - the seal is about other facts than these
        To do: run pulumi up again
      - gate phase-in-order was switched off
        To do: remove it from --policy-pack-config
      - gate phase-in-order was not judged
      - gate dns-ttl-lowered is closed: inconclusive
      - gate flagship/unit-tests-passed is closed: fail"
    `);
    expect(Math.max(...message.split("\n").map((line) => line.length))).toBeLessThan(80);
  });

  test("says what to do without a pack", async () => {
    const { message } = await failureOf((await serve()).create(target, wire()));
    expect(message).toMatchInlineSnapshot(`
      "guard entry stays closed: v2.0.0 may not pass in phase cutover
      - no policy pack judged this run, or its seal was switched off
        To do: run the command again with --policy-pack policies"
    `);
  });
});

describe("check", () => {
  test("takes facts, and nobody's seal but the pack's", async () => {
    const engine = await serve();
    expect(await engine.check(target, wire())).toEqual([]);
    expect(await engine.check(target, wire(open))).toEqual([
      { property: "seal", reason: "found in the program, only the policy pack writes it" },
    ]);
  });

  test("takes nothing unknown", async () => {
    const engine = await serve();
    const news = { facts: { ...facts, ttlSeconds: unknownText } };
    expect((await engine.check(target, news as unknown as Wire))[0]?.property).toBe("facts");
    expect((await engine.check(target, { facts: unknownText }))[0]?.property).toBe("facts");
  });

  test("takes no facts that it cannot judge", async () => {
    const engine = await serve();
    const changed = { guard: "exit", phase: "launch", release: {} };
    const failures = await engine.check(target, {
      facts: { ...facts, ...changed },
      more: 1,
    });
    expect(failures.map((failure) => failure.property)).toEqual([
      "facts.guard",
      "facts.phase",
      "facts.release.version",
      "",
    ]);
    expect((await engine.check(target, {}))[0]?.property).toBe("facts");
  });
});

describe("diff", () => {
  test("is about facts and seal", async () => {
    const engine = await serve();
    const olds = { inputs: wire(open), outputs: {} };
    expect(await engine.diff(target, olds, wire(open))).toMatchObject({ changes: false });
    expect(await engine.diff(target, olds, wire(open, { ttlSeconds: 61 }))).toEqual({
      changes: true,
      replaces: [],
      diffs: ["facts"],
    });
    expect(await engine.diff(target, olds, wire())).toMatchObject({ diffs: ["seal"] });
  });

  test("takes a dropped null for what it was", async () => {
    const engine = await serve();
    const { serving: _null, ttl: _alsoNull, ...before } = facts.before;
    const inputs = { ...wire(open), facts: { ...facts, before } } as Wire;
    expect(await engine.diff(target, { inputs, outputs: {} }, wire(open))).toMatchObject({
      changes: false,
    });
  });
});

test("deleting a guard changes nothing", async () => {
  const engine = await serve();
  await expect(engine.delete(target, { inputs: wire(open), outputs: {} })).resolves.toBeUndefined();
});
