import { describe, expect, test } from "vitest";
import { guardType, type GuardFacts } from "../../policies/contract/facts.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import { requiredGates } from "../../policies/contract/gates.ts";
import { sealProblems, type Seal } from "../../policies/contract/seal.ts";
import { gatesOf } from "../../policies/checklist-gates.ts";
import { checklistPolicy, gatePolicy, type Judging } from "../../policies/gate-policy.ts";
import { releaseGates } from "../../policies/release-gates.ts";
import { Run, stackType } from "../../policies/run.ts";
import { sealPolicy } from "../../policies/seal-policy.ts";
import type { System } from "../../policies/system.ts";
import type { Trust } from "../../policies/signatures/trust.ts";
import {
  openWorld,
  readyFacts,
  sampleChecklist,
  samplePerson,
  type SampleResource,
} from "../support/samples.ts";

type Policy = ReturnType<typeof sealPolicy>;

interface Diagnostic {
  readonly policy: string;
  readonly enforcementLevel: string;
  readonly message: string;
}

const system: System = { checklist: sampleChecklist, gates: gatesOf(sampleChecklist) };

const trust = {
  keys: [],
  identities: [],
  people: [{ principals: [samplePerson] }],
} as object as Trust;

/** The pack's policies, called in the order in which the engine and the SDK call them. */
function startPack(off: readonly string[] = []) {
  const { now, rehearsal } = openWorld();
  const judging: Judging = {
    run: new Run(),
    judge: () => ({ now, rehearsal }),
    systemOf: () => system,
    readTrust: () => trust,
  };
  const policies: Policy[] = [
    sealPolicy({
      ...judging,
      gates: releaseGates,
      pack: "cutover@0.0.0",
    }),
    ...releaseGates.map((gate) => gatePolicy(gate, judging)),
    checklistPolicy(judging),
  ].filter(({ name }) => !off.includes(name));

  return {
    /** Registers a resource: remediation first, then analysis. */
    register(name: string, { type, props }: SampleResource): Diagnostic[] {
      const diagnostics: Diagnostic[] = [];
      const args = { urn: `urn:${type}::${name}`, type, name, props };
      for (const policy of policies) {
        const remediate = policy.remediateResource as ((args: object) => unknown) | undefined;
        remediate?.(args);
      }
      for (const policy of policies) {
        const report = (violation: Omit<Diagnostic, "policy"> & { name?: string }) => {
          const { name = policy.name, enforcementLevel, message } = violation;
          diagnostics.push({ policy: name, enforcementLevel, message });
        };
        const validate = policy.validateResource as (args: object, report: unknown) => void;
        validate(args, report);
      }
      return diagnostics;
    },

    registerWorld(world = openWorld()): Diagnostic[] {
      this.register("stack", { type: stackType, props: {} });
      return Object.entries(world.resources).flatMap(([name, resource]) =>
        this.register(name, resource),
      );
    },

    guard(facts: object): { seal: Seal | undefined; diagnostics: Diagnostic[] } {
      const props: Record<string, unknown> = {
        facts: structuredClone(facts),
        documents: [],
        readings: {},
      };
      const diagnostics = this.register("guard", { type: guardType, props });
      return { seal: props["seal"] as Seal | undefined, diagnostics };
    },
  };
}

const at = (guard: GuardFacts["guard"], facts: Partial<GuardFacts> = {}): GuardFacts => ({
  ...readyFacts,
  guard,
  ...facts,
});

describe("a run in which all is well", () => {
  test.each(["entry", "data", "switch"] as const)("the %s guard is opened by its seal", (guard) => {
    const pack = startPack();
    expect(pack.registerWorld()).toEqual([]);
    const { seal, diagnostics } = pack.guard(at(guard));
    expect(diagnostics).toEqual([]);
    expect(sealProblems(seal, at(guard), sampleChecklist)).toEqual([]);
  });

  test("the seal names the pack, each required gate and no other", () => {
    const pack = startPack();
    pack.registerWorld();
    const required = requiredGates("entry", "cutover", "forward", sampleChecklist);
    expect(required).toEqual(
      expect.arrayContaining([
        "phase-in-order",
        "phase-not-early",
        "nothing-replaced",
        "evidence-verified",
        "dns-ttl-lowered",
        "flagship/owners-assigned",
      ]),
    );
    expect(pack.guard(at("entry")).seal).toEqual({
      pack: "cutover@0.0.0",
      factsDigest: digestOf(at("entry")),
      verdicts: Object.fromEntries(required.map((gate) => [gate, "pass"])),
      waivers: {},
      enforcement: Object.fromEntries(required.map((gate) => [gate, "on"])),
    });
  });

  test("facts whose nulls the engine dropped carry the same digest", () => {
    const pack = startPack();
    pack.registerWorld();
    const facts = at("entry", {
      phase: "prepare",
      before: {
        phase: null,
        release: null,
        serving: null,
        recorded: [],
        ttl: null,
        times: {},
        record: null,
        restoreTest: null,
        legacyExport: null,
      },
    });
    const { seal } = pack.guard({ ...facts, before: { recorded: [], times: {} } });
    expect(sealProblems(seal, facts, sampleChecklist)).toEqual([]);
  });

  test("other facts are not covered by the seal", () => {
    const pack = startPack();
    pack.registerWorld();
    const { seal } = pack.guard(at("entry"));
    expect(
      sealProblems(seal, at("entry", { ttlSeconds: 61 }), sampleChecklist).map(({ kind }) => kind),
    ).toEqual(["other-facts"]);
  });

  test("resources that are no guard are left as they are", () => {
    const pack = startPack();
    const { database } = openWorld().resources;
    const before = structuredClone(database);
    pack.register("database", database as SampleResource);
    expect(database).toEqual(before);
  });
});

describe("a gate that was switched off", () => {
  test("is judged all the same, and the seal says that it was off", () => {
    const pack = startPack(["database-encrypted-at-rest"]);
    const world = openWorld();
    const { database } = world.resources;
    if (database !== undefined) database.props["storageEncrypted"] = false;
    expect(pack.registerWorld(world)).toEqual([]);
    const { seal, diagnostics } = pack.guard(at("data"));
    expect(diagnostics).toEqual([]);
    expect(seal?.verdicts["database-encrypted-at-rest"]).toBe("fail");
    expect(seal?.enforcement["database-encrypted-at-rest"]).toBe("off");
    expect(seal?.enforcement["database-backups-retained"]).toBe("on");
    expect(
      sealProblems(seal, at("data"), sampleChecklist).map(({ gate, kind }) => [gate, kind]),
    ).toEqual([
      ["database-encrypted-at-rest", "switched-off"],
      ["database-encrypted-at-rest", "closed"],
    ]);
  });

  test("closes the guard even when nothing is wrong", () => {
    const pack = startPack(["phase-in-order"]);
    pack.registerWorld();
    const { seal } = pack.guard(at("entry"));
    expect(sealProblems(seal, at("entry"), sampleChecklist).map(({ kind }) => kind)).toEqual([
      "switched-off",
    ]);
  });

  test("the seal itself: the guard has none", () => {
    const pack = startPack(["seal"]);
    pack.registerWorld();
    const { seal } = pack.guard(at("data"));
    expect(sealProblems(seal, at("data"), sampleChecklist).map(({ kind }) => kind)).toEqual([
      "no-pack",
    ]);
  });

  test("the seal itself: the gates still judge what is true", () => {
    const pack = startPack(["seal"]);
    pack.registerWorld();
    expect(pack.guard(at("entry")).diagnostics).toEqual([]);
    const nobody = at("entry", { owners: {} });
    expect(pack.guard(nobody).diagnostics.map(({ policy }) => policy)).toEqual([
      "flagship/owners-assigned",
    ]);
  });
});

describe("what the pack has not seen", () => {
  test("a covered resource closes its gates and is reported at the guard", () => {
    const pack = startPack();
    const world = openWorld();
    delete world.resources["database"];
    expect(pack.registerWorld(world)).toEqual([]);
    const { seal, diagnostics } = pack.guard(at("data"));
    expect(seal?.verdicts["database-encrypted-at-rest"]).toBe("inconclusive");
    expect(diagnostics.map(({ policy }) => policy)).toEqual([
      "database-encrypted-at-rest",
      "database-backups-retained",
      "database-deletion-protected",
      "database-final-snapshot-kept",
      "database-tls-forced",
    ]);
    expect(diagnostics.every(({ enforcementLevel }) => enforcementLevel === "mandatory")).toBe(
      true,
    );
  });

  test("the run before is forgotten when the stack registers again", () => {
    const pack = startPack();
    pack.registerWorld();
    expect(sealProblems(pack.guard(at("data")).seal, at("data"), sampleChecklist)).toEqual([]);
    pack.register("stack", { type: stackType, props: {} });
    const { seal } = pack.guard(at("data"));
    // A gate that judges facts alone has seen nothing that it could forget.
    const looking = releaseGates.filter(
      ({ about }) => about === "resource" || about === "relation",
    );
    for (const { id } of looking.filter(({ guard }) => guard === "data")) {
      expect([id, seal?.verdicts[id]]).toEqual([id, "inconclusive"]);
    }
    expect(new Set(Object.values(seal?.enforcement ?? {}))).toEqual(new Set(["on"]));
  });

  test("a resource that registers again counts as it is now", () => {
    const pack = startPack();
    const world = openWorld();
    const { versioning } = world.resources;
    if (versioning === undefined) throw new Error("no sample versioning");
    const suspended = structuredClone(versioning);
    suspended.props["versioningConfiguration"] = { status: "Suspended" };
    pack.registerWorld(world);
    pack.register("versioning", suspended);
    expect(pack.guard(at("data")).seal?.verdicts["bucket-versioned"]).toBe("fail");
    pack.register("versioning", versioning);
    expect(pack.guard(at("data")).seal?.verdicts["bucket-versioned"]).toBe("pass");
  });
});

describe("facts that cannot be read", () => {
  test("are reported once, and the guard has no seal", () => {
    const pack = startPack();
    pack.registerWorld();
    const { seal, diagnostics } = pack.guard({ ...at("entry"), ttlSeconds: "60" });
    expect(seal).toBeUndefined();
    expect(diagnostics).toEqual([
      {
        policy: "seal",
        enforcementLevel: "mandatory",
        message: [
          "Found: guard guard: facts.ttlSeconds is not a number.",
          "Required: facts in the form of policies/contract/facts.ts, all known.",
          "To do: give the guard plain values only, none that a resource computes",
        ].join("\n"),
      },
    ]);
  });

  test("a guard without facts", () => {
    const pack = startPack();
    pack.registerWorld();
    const diagnostics = pack.register("guard", { type: guardType, props: {} });
    expect(diagnostics.map(({ policy }) => policy)).toEqual(["seal"]);
  });
});

describe("what is reported where", () => {
  test("a resource's own fault on that resource, and not again at the guard", () => {
    const pack = startPack();
    const world = openWorld();
    const { database } = world.resources;
    if (database !== undefined) database.props["backupRetentionPeriod"] = 6;
    expect(pack.registerWorld(world)).toEqual([
      {
        policy: "database-backups-retained",
        enforcementLevel: "mandatory",
        message: [
          "Found: database orders: backupRetentionPeriod is 6.",
          "Required: backupRetentionPeriod is at least 7 days.",
          "To do: pulumi config set --path cutover:database.backupRetentionDays 7",
        ].join("\n"),
      },
    ]);
    const { seal, diagnostics } = pack.guard(at("data"));
    expect(diagnostics).toEqual([]);
    expect(seal?.verdicts["database-backups-retained"]).toBe("fail");
  });

  test("a missing relation at its guard only", () => {
    const pack = startPack();
    const world = openWorld();
    delete world.resources["versioning"];
    expect(pack.registerWorld(world)).toEqual([]);
    expect(pack.guard(at("entry")).diagnostics).toEqual([]);
    expect(pack.guard(at("data")).diagnostics.map(({ policy }) => policy)).toEqual([
      "bucket-versioned",
    ]);
    expect(pack.guard(at("switch")).diagnostics).toEqual([]);
  });

  test("what the next phase asks, as advice and not in the seal", () => {
    const pack = startPack();
    pack.registerWorld();
    const facts = at("entry", {
      phase: "lower-ttl",
      before: { ...readyFacts.before, phase: "prepare" },
      owners: {},
    });
    const { seal, diagnostics } = pack.guard(facts);
    const required = requiredGates("entry", "lower-ttl", "forward", sampleChecklist);
    expect(required).not.toContain("flagship/owners-assigned");
    expect(Object.keys(seal?.verdicts ?? {})).toEqual(required);
    expect(diagnostics).toEqual([
      {
        policy: "flagship/owners-assigned",
        enforcementLevel: "advisory",
        message: [
          "Next phase: cutover",
          "Found: release v1.1.0: nobody owns rollback.",
          "Required: an owner of rollback whom the allowed signers know.",
          "To do: pulumi config set --path cutover:owners.rollback <principal>",
        ].join("\n"),
      },
    ]);
  });

  test("no advice about what the next phase itself brings about, nor on a rollback", () => {
    const pack = startPack();
    const world = openWorld();
    delete world.resources["snapshot"];
    pack.registerWorld(world);
    const before = { ...readyFacts.before, phase: "prepare" as const };
    expect(pack.guard(at("switch", { phase: "lower-ttl", before })).diagnostics).toEqual([]);
    expect(pack.guard(at("switch")).diagnostics.map(({ policy }) => policy)).toEqual([
      "recovery-point-taken",
    ]);
    const back = at("switch", { direction: "rollback" });
    expect(pack.guard(back).diagnostics).toEqual([]);
  });
});
