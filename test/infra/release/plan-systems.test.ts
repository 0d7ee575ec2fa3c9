import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { emptyLedger } from "../../../infra/release/ledger.ts";
import { addressOf, releasedServices, serviceAddress } from "../../../infra/release/plan.ts";
import { phases, type Phase } from "../../../policies/contract/phase.ts";
import { sampleConfig } from "../../support/config.ts";
import { image, migration, releaseOf, service, stackWith } from "./samples.ts";

const sample = sampleConfig();
const before: Phase[] = ["prepare", "lower-ttl"];
const live: Phase[] = [...before, "cutover", "observe"];

describe("services in place", () => {
  const services = {
    cache: service({ placement: "in-place", address: "203.0.113.40", port: 6379, image }),
    web: service({ placement: "in-place", address: "203.0.113.41", dependsOn: ["cache", "api"] }),
    api: service({ port: 9001 }),
  };
  const config = sampleConfig({ services });

  test("keep their address whoever serves; the others have that of their slot", () => {
    for (const slot of ["blue", "green"] as const) {
      expect(serviceAddress("web", slot, config)).toBe("203.0.113.41");
      expect(serviceAddress("api", slot, config)).toBe(sample.slots?.[slot]);
      expect(addressOf(slot, "app.example.com", config)).toBe("203.0.113.41");
    }
    expect(addressOf("legacy", "app.example.com", config)).toBe("203.0.113.30");
  });

  test("without slots and a legacy system there is no other address", () => {
    const { slots: _none, legacy: _gone, ...bare } = config;
    expect(serviceAddress("api", "blue", bare)).toBeUndefined();
    expect(addressOf("legacy", "app.example.com", bare)).toBeUndefined();
    expect(addressOf("blue", "unknown.example.com", bare)).toBeUndefined();
  });

  test("start in the order in which they wait; what has an image of its own is no step", () => {
    expect(releasedServices(config)).toEqual(["api", "web"]);
    const { steps } = stackWith({ services }).plan("cutover", "v1.0.0");
    expect(steps).not.toContain("cache");
    expect(steps).not.toContain("services");
    expect(steps.slice(steps.indexOf("api"), steps.indexOf("probe"))).toEqual(["api", "web"]);
  });

  test("a release of theirs takes the other slot, and answers at the same address", () => {
    const stack = stackWith({ services });
    const { now } = stack.run(["prepare", "cutover"], "v1.1.0", stack.run(live, "v1.0.0"));
    expect(now).toMatchObject({ serving: "green", slots: { blue: { version: "v1.0.0" } } });
    expect(stack.plan("cutover", "v1.0.0", { ...emptyLedger, now }).dnsBefore).toMatchObject([
      { name: "app.example.com", content: "203.0.113.41" },
    ]);
  });

  test("nothing answers before the first release of a system without a legacy one", () => {
    const { plan } = stackWith({ legacy: undefined as never });
    const first = plan("prepare", "v1.0.0");
    expect(first).toMatchObject({ dnsBefore: [], serving: "legacy", legacy: false });
    expect(first.steps).not.toContain("switch");
    expect(first.steps).not.toContain("legacy");
    expect(plan("cutover", "v1.0.0").steps).toContain("switch");
  });
});

describe("prepared migrations", () => {
  const [one, two, three] = ["0001.sql", "0002.sql", "0003.sql"].map(migration) as [
    ReturnType<typeof migration>,
    ReturnType<typeof migration>,
    ReturnType<typeof migration>,
  ];
  const stack = stackWith({}, (version) =>
    version === "v1.0.0"
      ? releaseOf(version, { migrations: [one, two], prepared: [one] })
      : releaseOf(version, { migrations: [one, two, three], prepared: [one, three] }),
  );
  const ready = stack.run(before, "v1.0.0");

  test("run in prepare of a first release, without a freeze; the rest in its cutover", () => {
    const prepare = stack.plan("prepare", "v1.0.0");
    expect(prepare).toMatchObject({ migrations: [one], migratedFor: null });
    expect(prepare.steps).toContain("migrate");
    expect(prepare.steps).not.toContain("freeze");
    expect(stack.plan("lower-ttl", "v1.0.0", ready).migrations).toEqual([one]);
    const cutover = stack.plan("cutover", "v1.0.0", ready);
    expect(cutover).toMatchObject({ migrations: [one, two], migratedFor: "v1.0.0" });
  });

  test("stay when the release is aborted, and join those of the one that takes over", () => {
    expect(stack.plan("prepare", "v1.0.0", ready).migrations).toEqual([one]);
    expect(stack.plan("prepare", "v1.1.0", ready).migrations).toEqual([one, three]);
  });

  test("are refused while a release serves, and the file is named", () => {
    const serving = stack.run(["cutover", "observe"], "v1.0.0", ready);
    expect(() => stack.plan("prepare", "v1.1.0", serving)).toThrow(
      /The release cannot be prepared\.[\s\S]*releases\/v1\.1\.0\.yaml: prepared[\s\S]*0003\.sql, while v1\.0\.0\s+serves[\s\S]*take them out of prepared/,
    );
  });

  test("that the database has seen are nothing to refuse", () => {
    const seen = stackWith({}, (version) =>
      releaseOf(version, { migrations: [one, two], prepared: [one, two] }),
    );
    const serving = seen.run(live, "v1.0.0");
    expect(seen.plan("prepare", "v1.1.0", serving).migrations).toEqual([one, two]);
    // In the phases after it nothing is prepared, so nothing is refused.
    expect(stack.plan("observe", "v1.1.0", serving).migrations).toEqual([one, two]);
  });
});

describe("flags and safe mode", () => {
  const flagsOf = (phase: Phase, version: string): Partial<Config> => ({
    flags: { navigation: version === "v1.0.0" ? "iframe" : "spa" },
    safeMode: phase === "observe",
  });
  const stack = stackWith(flagsOf);
  const first = stack.run(live, "v1.0.0");

  test("are those that a slot's release was started with", () => {
    expect(stack.plan("cutover", "v1.0.0").slots.blue).toMatchObject({
      flags: { navigation: "iframe" },
      safeMode: false,
    });
    const { slots } = stack.plan("cutover", "v1.1.0", stack.run(before, "v1.1.0", first));
    expect(slots.blue).toMatchObject({ flags: { navigation: "iframe" }, safeMode: true });
    expect(slots.green).toMatchObject({ flags: { navigation: "spa" }, safeMode: false });
  });

  test("may change while the release serves, also in a repeated run", () => {
    expect(first.now.slots.blue?.safeMode).toBe(true);
    const calm = stackWith({ flags: { navigation: "spa" } });
    expect(calm.plan("observe", "v1.0.0", first).slots.blue).toMatchObject({
      flags: { navigation: "spa" },
      safeMode: false,
    });
  });

  test("do not reach a slot while the next release is prepared", () => {
    const changed = stackWith({ flags: { navigation: "off" }, safeMode: true });
    const { now } = stack.run(["cutover", "observe"], "v1.1.0", stack.run(before, "v1.1.0", first));
    const { slots } = changed.plan("prepare", "v1.2.0", { ...emptyLedger, now });
    expect(slots).toEqual(now.slots);
  });

  test("of a way back are those of now", () => {
    const after = stack.run([...before, "cutover"], "v1.1.0", first);
    const back = stackWith({ safeMode: true }).plan("cutover", "v1.0.0", after);
    expect(back.slots.blue).toMatchObject({ flags: {}, safeMode: true });
    expect(back.slots.green).toEqual(after.now.slots.green);
  });
});

describe("the steps of a system", () => {
  const job = (step: "data-jobs" | "check-jobs"): Config["jobs"][string] => ({
    ...{ step, image: "api", command: ["run"], deadlineSeconds: 60, memoryMib: 256, env: {} },
  });
  const stepsIn = (phase: Phase, changes: Partial<Config>): readonly string[] => {
    const stack = stackWith(changes);
    const ledger = stack.run(phases.slice(0, phases.indexOf(phase)), "v1.0.0");
    return stack.plan(phase, "v1.0.0", ledger).steps;
  };

  test.each<[string, Config["jobs"], readonly string[]]>([
    ["no jobs", {}, []],
    ["jobs on the data", { a: job("data-jobs") }, ["data-jobs"]],
    ["jobs that check", { a: job("check-jobs") }, ["check-jobs"]],
    ["both", { a: job("check-jobs"), b: job("data-jobs") }, ["data-jobs", "check-jobs"]],
  ])("with %s: only once data moves, and they stay declared", (_, jobs, steps) => {
    const named = (phase: Phase): string[] =>
      stepsIn(phase, { jobs }).filter((step) => step.endsWith("-jobs"));
    for (const phase of before) expect(named(phase)).toEqual([]);
    for (const phase of ["cutover", "observe", "finalize"] as const) {
      expect(named(phase)).toEqual(steps);
    }
  });

  test("jobs on the data come before the services, jobs that check after them", () => {
    const steps = stepsIn("cutover", { jobs: { a: job("check-jobs"), b: job("data-jobs") } });
    const order = ["migrate", "data-jobs", "api", "worker", "web", "check-jobs", "probe"];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
  });

  test("a restore test is made in prepare, where the stack config asks for one", () => {
    const restoreTest = { queries: { orders: "SELECT true" } };
    expect(stepsIn("prepare", { restoreTest })).toContain("restore-test");
    expect(stepsIn("prepare", { restoreTest: undefined })).not.toContain("restore-test");
    for (const phase of phases.slice(1)) {
      expect(stepsIn(phase, { restoreTest })).not.toContain("restore-test");
    }
  });

  test("a legacy system is retired in each phase that still has it, where the stack config says so", () => {
    const retiring = { legacy: { ...sample.legacy!, afterCutover: "stopped" as const } };
    for (const phase of phases) {
      expect(stepsIn(phase, retiring).includes("retire")).toBe(phase !== "decommission");
      expect(stepsIn(phase, {})).not.toContain("retire");
    }
  });

  test("an upgrade of the database comes between recovery point and migrations", () => {
    const database = {
      ...(sample.database as { kind: "rds" } & Config["database"]),
      upgradeTo: "18.2",
    };
    const steps = stepsIn("cutover", { database });
    const order = ["freeze", "snapshot", "upgrade", "migrate"];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    expect(stepsIn("lower-ttl", { database })).not.toContain("upgrade");
    expect(stepsIn("cutover", {})).not.toContain("upgrade");
  });

  test("resolvers are waited for only where a name moves", () => {
    expect(stepsIn("lower-ttl", {})).toContain("ttl-shown");
    expect(stepsIn("lower-ttl", { dns: { ...sample.dns, names: {} } })).not.toContain("ttl-shown");
    for (const phase of phases.filter((one) => one !== "lower-ttl")) {
      expect(stepsIn(phase, {})).not.toContain("ttl-shown");
    }
  });
});
