import { expect, test } from "vitest";
import { readFacts } from "../../../policies/facts.ts";
import { emptyLedger } from "../../../infra/release/ledger.ts";
import { planRelease } from "../../../infra/release/plan.ts";
import { runFacts } from "../../../infra/release/run-facts.ts";
import { sampleConfig } from "../../support/config.ts";

const release = {
  version: "v1.0.0",
  date: "2026-11-21",
  commit: "0".repeat(40),
  images: { api: "a", worker: "w", web: "b" },
  migrations: [],
  authors: ["developer@example.com"],
  prepared: [],
  digest: "d".repeat(64),
};

const config = sampleConfig({ phase: "cutover", release: "v1.0.0" });
const facts = runFacts(
  config,
  planRelease(config, emptyLedger, release, []),
  "flagship/production",
  { evidenceDigest: "e".repeat(64), checklistDigest: "c".repeat(64) },
);

test("are facts as the pack reads them", () => {
  expect(readFacts(() => ({ guard: "entry", ...facts })).problems).toBeUndefined();
  expect(facts).toMatchObject({
    release: { version: "v1.0.0", images: release.images, authors: release.authors },
    owners: config.owners,
    evidenceDigest: "e".repeat(64),
    checklistDigest: "c".repeat(64),
  });
});

test("declare the stack config by dotted key, and no secret", () => {
  expect(facts.declared).toMatchObject({
    "services.web.port": "8080",
    "dns.names.app.example.com.service": "web",
    "dns.ttl.lowered": "60",
    "database.deletionProtection": "true",
    "readings.resolvers.kind": "dns-answers",
    "readings.resolvers.target.resolvers": "1.1.1.1:53, 8.8.8.8:53",
  });
  expect(JSON.stringify(facts)).not.toContain(config.databasePassword);
});

test("tell the steps of the run, the time that was planned, and the migrations by name", () => {
  const migrated = {
    ...release,
    migrations: [{ name: "0001.sql", digest: "d", sql: "" }] as never,
  };
  const planned = { ...config, cutoverAt: "2026-12-01T02:00:00Z" };
  const plan = planRelease(planned, emptyLedger, migrated, []);
  const told = runFacts(planned, plan, "flagship/production", {
    evidenceDigest: "e".repeat(64),
    checklistDigest: "c".repeat(64),
  });
  expect(told.steps).toEqual(plan.steps);
  expect(told.plannedCutover).toBe("2026-12-01T02:00:00Z");
  expect(told.declared["cutoverAt"]).toBe("2026-12-01T02:00:00Z");
  expect(told.release.migrations).toEqual(["0001.sql"]);
});

test("tell nothing of what is not there yet", () => {
  const { cutoverAt: _none, ...unplanned } = config;
  const told = runFacts(
    unplanned,
    planRelease(unplanned, emptyLedger, release, []),
    "flagship/production",
    { evidenceDigest: "e".repeat(64), checklistDigest: "c".repeat(64) },
  );
  expect(told.plannedCutover).toBeNull();
  expect(told.before).toMatchObject({ phase: null, times: {}, record: null });
});

test("tell the record of the release's own cutover, and when the phases ended", () => {
  const verdicts = { "phase-in-order": "pass", "flagship/tests-passed": "waived" } as const;
  const standing = {
    ...emptyLedger.now,
    phase: "lower-ttl" as const,
    release: "v1.0.0",
    times: { prepare: "2026-11-01T00:00:00.000Z" },
  };
  const at = "2026-10-01T00:00:00.000Z";
  const record = {
    release,
    direction: "forward" as const,
    slot: "blue" as const,
    dnsBefore: [],
    snapshot: null,
    ttlShownAt: null,
    verdicts,
    waivers: {},
    at,
  };
  const ledger = { ...emptyLedger, now: standing, records: [record] };
  const told = runFacts(config, planRelease(config, ledger, release, []), "flagship/production", {
    evidenceDigest: "e".repeat(64),
    checklistDigest: "c".repeat(64),
  });
  expect(told.before.record).toEqual({ release: release.version, at, verdicts });
  expect(told.before.times).toEqual({ prepare: "2026-11-01T00:00:00.000Z" });
  expect(readFacts(() => ({ guard: "entry", ...told })).problems).toBeUndefined();
});
