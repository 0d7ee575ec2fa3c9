import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb.js";
import analyzerRpc from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { guards, guardType, type GuardFacts } from "../../policies/contract/facts.ts";
import { readChecklist } from "../../policies/contract/checklist.ts";
import { requiredGates } from "../../policies/contract/gates.ts";
import { phases, type Phase } from "../../policies/contract/phase.ts";
import { sealProblems, type Seal } from "../../policies/contract/seal.ts";
import { releaseGates } from "../../policies/release-gates.ts";
import { stackType } from "../../policies/run.ts";
import { unknown } from "../support/gate-tester.ts";
import { openWorld, readyFacts, secretText } from "../support/samples.ts";

const root = join(import.meta.dirname, "../..");
const runner = join(root, "node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js");
const secretSignature = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

const checklist = readChecklist("flagship");
const systems = readdirSync(join(root, "policies", "checklists"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.replace(/\.yaml$/, ""));

interface Diagnostic {
  readonly policy: string;
  readonly level: "advisory" | "mandatory";
  readonly message: string;
}

let pack: ChildProcess;
let client: analyzerRpc.AnalyzerClient;

beforeAll(async () => {
  // As the language host starts it; nothing answers at the engine's address, and the pack never asks.
  pack = spawn(process.execPath, [runner, "127.0.0.1:1", join(root, "policies")], {
    cwd: join(root, "policies"),
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface({ input: pack.stdout! }), "line")) as [string];
  client = new analyzerRpc.AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  const ended = once(pack, "exit");
  pack.kill();
  await ended;
});

beforeEach(() => configure({}));

test("the pack carries the seal and every gate, all of them able to stop a run", async () => {
  const info = await call<analyzer.AnalyzerInfo>((done) =>
    client.getAnalyzerInfo(new Empty(), done),
  );
  expect(info.getName()).toBe("cutover");
  expect(info.getVersion()).toMatch(/^\d+\.\d+\.\d+$/);
  expect(info.getPoliciesList().map((policy) => policy.getName())).toEqual([
    "seal",
    ...releaseGates.map(({ id }) => id),
    "checklist",
  ]);
  const { MANDATORY, REMEDIATE } = analyzer.EnforcementLevel;
  expect(info.getPoliciesList().map((policy) => policy.getEnforcementlevel())).toEqual([
    REMEDIATE,
    ...releaseGates.map(() => MANDATORY),
    MANDATORY,
  ]);
});

describe("a run", () => {
  test("that is ready gets a seal for each guard, over the wire", async () => {
    expect(await registerWorld()).toEqual([]);
    for (const guard of ["entry", "data", "switch"] as const) {
      const facts = factsOf(guard);
      const { seal, diagnostics } = await registerGuard(facts);
      expect(diagnostics).toEqual([]);
      expect(sealProblems(seal, facts, checklist)).toEqual([]);
    }
  });

  test("that asks for signed evidence is closed by every gate of the checklist that has none", async () => {
    await registerWorld();
    const facts = factsOf("entry", "cutover");
    const { seal, diagnostics } = await registerGuard(facts);
    const names = checklist.gates
      .filter(({ phase, guard }) => phase.includes("cutover") && guard === "entry")
      .map(({ id }) => `flagship/${id}`);
    // The program says what it does by itself.
    expect(new Set(diagnostics.map(({ policy }) => policy))).toEqual(
      new Set(names.filter((name) => name !== "flagship/steps-in-order")),
    );
    expect(new Set(diagnostics.map(({ level }) => level))).toEqual(new Set(["mandatory"]));
    expect(Object.keys(seal?.verdicts ?? {}).sort()).toEqual(
      requiredGates("entry", "cutover", "forward", checklist).toSorted(),
    );
    expect(Object.keys(seal?.verdicts ?? {})).toEqual(expect.arrayContaining(names));
  });

  describe.each(systems)("of the system %s", (system) => {
    const own = readChecklist(system);
    const guarded = (guard: GuardFacts["guard"], phase: Phase): string[] =>
      own.gates
        .filter((row) => row.guard === guard && row.phase.includes(phase))
        .map(({ id }) => `${system}/${id}`);

    test.each(phases)(
      "is judged by its own checklist before %s, and by no other",
      async (phase) => {
        await registerWorld();
        const facts = {
          ...factsOf("entry", "cutover"),
          system,
          phase,
          checklistDigest: own.digest,
        };
        for (const guard of guards) {
          const { seal, diagnostics } = await registerGuard({ ...facts, guard });
          const judged = Object.keys(seal?.verdicts ?? {}).filter((gate) => gate.includes("/"));
          expect(judged.sort()).toEqual(guarded(guard, phase).sort());
          const closed = Object.entries(seal?.verdicts ?? {})
            .filter(([gate, verdict]) => gate.includes("/") && verdict !== "pass")
            .map(([gate]) => gate);
          const told = diagnostics.filter(({ level }) => level === "mandatory");
          const unsourced = told.filter(
            ({ policy, message }) =>
              policy.includes("/") && !message.includes(`\nAsked by: ${own.document ?? ""}, `),
          );
          expect(own.document === undefined ? [] : unsourced).toEqual([]);
          expect(
            [...new Set(told.map(({ policy }) => policy))]
              .filter((gate) => gate.includes("/"))
              .sort(),
          ).toEqual(closed.sort());
        }
      },
    );
  });

  test("whose checklist policy was switched off gets a seal that says so of each gate", async () => {
    await configure({ checklist: analyzer.EnforcementLevel.DISABLED });
    await registerWorld();
    const facts = factsOf("entry", "cutover");
    const { seal } = await registerGuard(facts);
    const off = sealProblems(seal, facts, checklist).filter(({ kind }) => kind === "switched-off");
    expect(off.map(({ gate }) => gate)).toContain("flagship/cutover-approved");
  });

  test("of a system without a checklist gets no seal", async () => {
    await registerWorld();
    const { seal, diagnostics } = await registerGuard({ ...factsOf("entry"), system: "unknown" });
    expect(seal).toBeUndefined();
    expect(diagnostics.map(({ policy }) => policy)).toEqual(["seal"]);
    expect(diagnostics[0]?.message).toContain("policies/checklists/unknown.yaml cannot be read");
  });

  test("with a fault is stopped, whatever level the run's config gives the gate", async () => {
    await configure({ "database-encrypted-at-rest": analyzer.EnforcementLevel.ADVISORY });
    const world = openWorld();
    const { database } = world.resources;
    if (database !== undefined) database.props["storageEncrypted"] = false;
    expect(await registerWorld(world)).toEqual([
      {
        policy: "database-encrypted-at-rest",
        level: "mandatory",
        message: [
          "Found: database orders: storageEncrypted is false.",
          "Required: storageEncrypted is true.",
          "To do: pulumi config set --path cutover:database.storageEncrypted true",
        ].join("\n"),
      },
    ]);
    const { seal } = await registerGuard(factsOf("data"));
    expect(seal?.enforcement["database-encrypted-at-rest"]).toBe("on");
    expect(seal?.verdicts["database-encrypted-at-rest"]).toBe("fail");
  });

  test("with a gate switched off gets a seal that says so", async () => {
    await configure({ "bucket-versioned": analyzer.EnforcementLevel.DISABLED });
    await registerWorld();
    const facts = factsOf("data");
    const { seal } = await registerGuard(facts);
    expect(sealProblems(seal, facts, checklist).map(({ gate, kind }) => [gate, kind])).toEqual([
      ["bucket-versioned", "switched-off"],
    ]);
  });

  test("with an unknown value is stopped, not waved through", async () => {
    const world = openWorld();
    const { database } = world.resources;
    if (database !== undefined) database.props["deletionProtection"] = unknown;
    const diagnostics = await registerWorld(world);
    expect(diagnostics).toEqual([
      expect.objectContaining({ policy: "database-deletion-protected", level: "mandatory" }),
    ]);
    expect(diagnostics[0]?.message).toContain("deletionProtection is unknown until the\n  update");
  });

  test("with a seal that is not remediated gets none", async () => {
    await configure({ seal: analyzer.EnforcementLevel.ADVISORY });
    await registerWorld();
    const { seal } = await registerGuard(factsOf("data"));
    expect(seal).toBeUndefined();
  });

  test("keeps secrets secret beside the seal, and reads facts that came as a secret", async () => {
    await registerWorld();
    const facts = factsOf("entry");
    const remediated = await remediate(guardType, "entry", {
      facts: { ...secretSignature, value: facts },
      other: { ...secretSignature, value: { nested: [secretText] } },
    });
    expect(remediated?.["other"]).toEqual({
      ...secretSignature,
      value: { nested: [secretText] },
    });
    expect(remediated?.["facts"]).toEqual({ ...secretSignature, value: facts });
    expect(sealProblems(remediated?.["seal"] as unknown as Seal, facts, checklist)).toEqual([]);
  });

  test("with unknown facts is stopped and gets no seal", async () => {
    await registerWorld();
    const { seal, diagnostics } = await registerGuard({ ...factsOf("entry"), ttlSeconds: unknown });
    expect(seal).toBeUndefined();
    expect(diagnostics.map(({ policy, level }) => [policy, level])).toEqual([
      ["seal", "mandatory"],
    ]);
    expect(diagnostics[0]?.message).toContain("ttlSeconds is unknown");
  });
});

/** Facts of a phase that asks for nothing signed, and of one that does. */
function factsOf(guard: GuardFacts["guard"], phase: "observe" | "cutover" = "observe"): GuardFacts {
  const changedAt = new Date(Date.now() - 2 * 3600 * 1000).toISOString();
  const ttl = { seconds: 60, previousSeconds: 3600, changedAt };
  const before = phase === "observe" ? "cutover" : "lower-ttl";
  const verdicts = Object.fromEntries(
    checklist.gates.map(({ id }) => [`flagship/${id}`, "pass" as const]),
  );
  const record = { release: readyFacts.release.version, at: changedAt, verdicts };
  return {
    ...readyFacts,
    guard,
    phase,
    before: {
      ...readyFacts.before,
      phase: before,
      ttl,
      record,
      restoreTest: { at: changedAt, recoveryPoint: "flagship-v1-0-0" },
    },
    checklistDigest: checklist.digest,
  };
}

async function registerWorld(world = openWorld()): Promise<Diagnostic[]> {
  await analyze(stackType, "stack", {});
  const diagnostics: Diagnostic[] = [];
  for (const [name, { type, props }] of Object.entries(world.resources)) {
    diagnostics.push(...(await analyze(type, name, props)));
  }
  return diagnostics;
}

async function registerGuard(
  facts: object,
): Promise<{ seal: Seal | undefined; diagnostics: Diagnostic[] }> {
  const props = { facts, documents: [], readings: {} };
  const remediated = await remediate(guardType, "guard", props);
  const diagnostics = await analyze(guardType, "guard", remediated ?? props);
  return { seal: remediated?.["seal"] as unknown as Seal | undefined, diagnostics };
}

async function analyze(type: string, name: string, props: object): Promise<Diagnostic[]> {
  const response = await call<analyzer.AnalyzeResponse>((done) =>
    client.analyze(request(type, name, props), done),
  );
  return response.getDiagnosticsList().map((diagnostic) => ({
    policy: diagnostic.getPolicyname(),
    level:
      diagnostic.getEnforcementlevel() === analyzer.EnforcementLevel.ADVISORY
        ? "advisory"
        : "mandatory",
    message: diagnostic.getMessage(),
  }));
}

async function remediate(
  type: string,
  name: string,
  props: object,
): Promise<Record<string, JavaScriptValue> | undefined> {
  const response = await call<analyzer.RemediateResponse>((done) =>
    client.remediate(request(type, name, props), done),
  );
  const [remediation] = response.getRemediationsList();
  expect(remediation?.getDiagnostic() ?? "").toBe("");
  return remediation?.getProperties()?.toJavaScript();
}

function request(type: string, name: string, props: object): analyzer.AnalyzeRequest {
  const message = new analyzer.AnalyzeRequest();
  message.setType(type);
  message.setName(name);
  message.setUrn(`urn:pulumi:test::test::${type}::${name}`);
  message.setProperties(Struct.fromJavaScript(props as Record<string, JavaScriptValue>));
  message.setOptions(new analyzer.AnalyzerResourceOptions());
  return message;
}

async function configure(
  levels: Readonly<Record<string, analyzer.EnforcementLevel>>,
): Promise<void> {
  const message = new analyzer.ConfigureAnalyzerRequest();
  for (const [policy, level] of Object.entries(levels)) {
    const config = new analyzer.PolicyConfig();
    config.setEnforcementlevel(level);
    config.setProperties(Struct.fromJavaScript({}));
    message.getPolicyconfigMap().set(policy, config);
  }
  await call((done) => client.configure(message, done));
}

function call<Response>(
  start: (done: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}
