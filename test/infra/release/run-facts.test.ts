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
    "services.port": "8080",
    "dns.names": "app.example.com",
    "dns.ttl.lowered": "60",
    "database.deletionProtection": "true",
    "readings.resolvers.kind": "dns-answers",
    "readings.resolvers.target.resolvers": "1.1.1.1:53, 8.8.8.8:53",
  });
  expect(JSON.stringify(facts)).not.toContain(config.databasePassword);
});
