import { expect, test } from "vitest";
import { phases } from "../../../policies/contract/phase.ts";
import { readFacts } from "../../../policies/facts.ts";
import { emptyLedger } from "../../../infra/release/ledger.ts";
import { planRelease } from "../../../infra/release/plan.ts";
import { runFacts } from "../../../infra/release/run-facts.ts";
import { sampleConfig } from "../../support/config.ts";
import { known, migration, releaseOf } from "./samples.ts";

const release = releaseOf("v1.0.0", { migrations: [], digest: "d".repeat(64) });

const config = sampleConfig({ phase: "cutover", release: "v1.0.0" });
const plan = planRelease(config, emptyLedger, release, []);
const facts = runFacts(config, plan, "flagship/production", known);

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
    "dns.kept.0.type": "CAA",
    "dns.kept.0.caa.value": "letsencrypt.org",
    "dns.resolvers": "1.1.1.1:53, 8.8.8.8:53",
    "buckets.access-log.store": "s3",
    "database.deletionProtection": "true",
    "readings.resolvers.kind": "dns-answers",
    "readings.resolvers.resolvers": "1.1.1.1:53, 8.8.8.8:53",
  });
  expect(JSON.stringify(facts)).not.toContain(config.databasePassword);
});

test("tell the steps of the run, the time that was planned, and the migrations by name", () => {
  const migrated = {
    ...release,
    migrations: [migration("0001.sql")],
  };
  const planned = { ...config, cutoverAt: "2026-12-01T02:00:00Z" };
  const plan = planRelease(planned, emptyLedger, migrated, []);
  const told = runFacts(planned, plan, "flagship/production", known);
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
    known,
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
    zones: [],
    verdicts,
    waivers: {},
    at,
  };
  const ledger = { ...emptyLedger, now: standing, records: [record] };
  const told = runFacts(
    config,
    planRelease(config, ledger, release, []),
    "flagship/production",
    known,
  );
  expect(told.before.record).toEqual({ release: release.version, at, verdicts });
  expect(told.before.times).toEqual({ prepare: "2026-11-01T00:00:00.000Z" });
  expect(readFacts(() => ({ guard: "entry", ...told })).problems).toBeUndefined();
});

test("tell what the run would replace, the system's phases and when each may begin", () => {
  const { legacy: _gone, ...rest } = config;
  const replaced = [{ resource: "bucket documents", property: null, key: null }];
  const told = runFacts(
    { ...rest, notBefore: { finalize: "24h" } },
    planRelease(rest, emptyLedger, release, []),
    "flagship/production",
    { ...known, replaced },
  );
  expect(told).toMatchObject({ replaced, notBefore: { finalize: "24h" } });
  expect(told.phases).toEqual(["prepare", "lower-ttl", "cutover", "observe", "finalize"]);
  expect(facts.phases).toEqual([...phases]);
  expect(readFacts(() => ({ guard: "entry", ...told })).problems).toBeUndefined();
});

test("another stack config is another digest, and another password is not", () => {
  const digestOf = (changes: object): string =>
    runFacts({ ...config, ...changes }, plan, "flagship/production", known).configDigest;
  expect(digestOf({ databasePassword: "another-password" })).toBe(facts.configDigest);
  expect(digestOf({ flags: { navigation: "spa" } })).not.toBe(facts.configDigest);
  expect(digestOf({ safeMode: true })).not.toBe(facts.configDigest);
});
