import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { databaseConfig } from "../../../infra/databases/config.ts";
import { emptyLedger, type Ledger } from "../../../infra/release/ledger.ts";
import { containerName, runFacts, slotName } from "../../../infra/release/run-facts.ts";
import type { CoverFacts } from "../../../policies/contract/facts.ts";
import type { Phase } from "../../../policies/contract/phase.ts";
import { sampleConfig } from "../../support/config.ts";
import { image, known, service, stackWith } from "./samples.ts";

const live: Phase[] = ["prepare", "lower-ttl", "cutover", "observe"];
const container = databaseConfig.parse({
  ...{ kind: "container", name: "flagship", username: "flagship", engineVersion: "18.1" },
  ...{ address: "203.0.113.50", port: 5432, image, memoryMib: 1024 },
  dumps: { bucket: "documents", keepDays: 30 },
});
const { backups: _vault, ...noVault } = sampleConfig();

/** What a run of a system covers. */
function coversOf(
  changes: Partial<Config>,
  phase: Phase,
  version = "v1.0.0",
  ledger: Ledger = emptyLedger,
): CoverFacts {
  const config = { ...sampleConfig(changes), phase, release: version };
  const plan = stackWith(changes).plan(phase, version, ledger);
  return runFacts(config, plan, "flagship/production", known).covers;
}

describe("databases and what keeps them", () => {
  test("on RDS: the instance and its vault", () => {
    expect(coversOf({}, "prepare")).toMatchObject({
      databases: ["flagship-production"],
      containerDatabases: [],
      backups: ["flagship-production"],
    });
  });

  test("in a container: the container, which is a service like all others too", () => {
    const covers = coversOf({ ...noVault, database: container, backups: undefined }, "prepare");
    expect(covers).toMatchObject({
      databases: [],
      containerDatabases: ["flagship-database"],
      backups: [],
    });
    expect(covers.services).toContain("flagship-database");
  });
});

test("buckets by their store", () => {
  expect(coversOf({}, "prepare")).toMatchObject({
    buckets: ["flagship-production-documents", "flagship-production-access-log"],
    archives: ["flagship-production-archive"],
  });
  expect(coversOf({ buckets: {} }, "prepare")).toMatchObject({ buckets: [], archives: [] });
});

test("secrets that AWS keeps, and not those of another store", () => {
  const secrets: Config["secrets"] = {
    jwt: { store: "secrets-manager", name: "flagship/jwt", rotateDays: 90 },
    elsewhere: { store: "key-vault", vault: "vault", name: "key" },
  };
  expect(coversOf({ secrets }, "prepare").secrets).toEqual(["flagship/jwt"]);
  expect(coversOf({ secrets: {} }, "prepare").secrets).toEqual([]);
});

test("an alarm for each rule, by the name that CloudWatch knows", () => {
  const rule = {
    ...{ namespace: "AWS/RDS", metric: "CPUUtilization", dimensions: {}, statistic: "Average" },
    ...{ above: 80, periodSeconds: 60, periods: 5 },
  };
  const alarms = {
    ...{ topic: "alarms", receivers: {}, dashboard: true },
    rules: { "db-cpu": rule, "5xx-rate": rule },
  };
  expect(coversOf({ alarms }, "prepare").alarms).toEqual(["flagship-db-cpu", "flagship-5xx-rate"]);
  expect(coversOf({ alarms: undefined }, "prepare").alarms).toEqual([]);
});

describe("containers", () => {
  const blue = ["api", "worker", "web"].map((name) => `flagship-blue-${name}`);
  const green = ["api", "worker", "web"].map((name) => `flagship-green-${name}`);

  test("are the legacy system's before its first release, and its slot's with it", () => {
    const { run } = stackWith();
    expect(coversOf({}, "prepare").services).toEqual(["flagship-legacy"]);
    expect(coversOf({}, "cutover").services).toEqual(["flagship-legacy", ...blue]);
    const done = run([...live, "finalize"], "v1.0.0");
    expect(coversOf({}, "decommission", "v1.0.0", done).services).toEqual(blue);
  });

  test("are those of both slots while both are kept", () => {
    const { run } = stackWith();
    const first = run(live, "v1.0.0");
    const second = run(["prepare", "lower-ttl"], "v1.1.0", first);
    expect(coversOf({}, "cutover", "v1.1.0", second).services).toEqual([
      "flagship-legacy",
      ...blue,
      ...green,
    ]);
    const observed = run(["cutover", "observe"], "v1.1.0", second);
    expect(coversOf({}, "finalize", "v1.1.0", observed).services).toEqual([
      "flagship-legacy",
      ...green,
    ]);
  });

  test("of what stands below are there in every phase, and those in place once each", () => {
    const services = {
      cache: service({ placement: "in-place", address: "203.0.113.40", port: 6379, image }),
      web: service({ placement: "in-place", address: "203.0.113.41" }),
      api: service({ port: 9001 }),
    };
    expect(coversOf({ services }, "prepare").services).toEqual([
      "flagship-cache",
      "flagship-legacy",
    ]);
    const { run } = stackWith({ services });
    const second = run(["prepare"], "v1.1.0", run(live, "v1.0.0"));
    const { services: covered } = coversOf({ services }, "cutover", "v1.1.0", second);
    expect(covered.toSorted()).toEqual([
      "flagship-blue-api",
      "flagship-cache",
      "flagship-green-api",
      "flagship-legacy",
      "flagship-web",
    ]);
  });

  test("of a release from before a service are not there", () => {
    const services = { ...sampleConfig().services, mailer: service({ port: 9002 }) };
    expect(coversOf({ services }, "cutover").services).toEqual(["flagship-legacy", ...blue]);
  });

  test("a unit of systemd is none, and is covered by its own name once a release serves", () => {
    const systemd = {
      ...{ environment: "app", command: ["run"], workingDirectory: "/srv", user: "app" },
      watchdogSeconds: 30,
    };
    const web = service({ placement: "in-place", address: "203.0.113.41", systemd });
    expect(coversOf({ services: { web } }, "cutover").services).toEqual(["flagship-legacy"]);
    expect(coversOf({ services: { web } }, "cutover").units).toEqual(["flagship-web"]);
    expect(coversOf({ services: { web } }, "prepare").units).toEqual([]);
    const named = service({ ...web, systemd: { ...systemd, unit: "shop" } });
    expect(coversOf({ services: { web: named } }, "cutover").units).toEqual(["shop"]);
  });
});

test("names of containers and slots", () => {
  expect(containerName("flagship", "blue", "api")).toBe("flagship-blue-api");
  expect(containerName("flagship", undefined, "api")).toBe("flagship-api");
  expect(containerName("flagship", "legacy")).toBe("flagship-legacy");
  const services = {
    web: service({ placement: "in-place", address: "203.0.113.41" }),
    api: service({}),
  };
  expect(slotName("web", "green", { services })).toBe("in-place");
  expect(slotName("api", "green", { services })).toBe("green");
  expect(slotName("unknown", "blue", { services })).toBe("blue");
});
