import { describe, expect, test } from "vitest";
import type { Phase } from "../../../policies/contract/phase.ts";
import type { Config } from "../../../infra/config.ts";
import { announcementsOf } from "../../../infra/release/announcements.ts";
import { appendEntry, emptyLedger, type Ledger } from "../../../infra/release/ledger.ts";
import { planRelease, type Plan } from "../../../infra/release/plan.ts";
import { runFacts } from "../../../infra/release/run-facts.ts";
import { sampleConfig } from "../../support/config.ts";
import { entryOf, known, releaseOf } from "./samples.ts";

const url = "https://hooks.example.com/canary-77d2";
const announcements: Config["announcements"] = {
  team: { on: "lower-ttl", text: "TTLs go down today." },
  maintenance: { on: "freeze", text: "Orders cannot be changed from 02:00 to 02:15 UTC." },
  completion: { on: "live", text: "The release is live." },
  incident: { on: "rollback", text: "We went back to the last release." },
  postmortem: { on: "rollback", text: "What happened is due.", dueWithin: "48h" },
};
const webhooks = Object.fromEntries(Object.keys(announcements).map((name) => [name, url]));

type Run = readonly [phase: Phase, version: string];

const first: Run[] = [
  ["prepare", "v1.0.0"],
  ["lower-ttl", "v1.0.0"],
  ["cutover", "v1.0.0"],
  ["observe", "v1.0.0"],
];
const second: Run[] = [
  ...first,
  ["prepare", "v1.1.0"],
  ["lower-ttl", "v1.1.0"],
  ["cutover", "v1.1.0"],
];

describe("a run announces", () => {
  test.for<[string, Run[], string[], string[]]>([
    ["nothing in prepare", first.slice(0, 1), [], []],
    ["to the team in lower-ttl", first.slice(0, 2), ["team"], []],
    ["before the freeze, and once live", first.slice(0, 3), ["maintenance"], ["completion"]],
    ["nothing while observing", first, [], []],
    ["a second release as well", second, ["maintenance"], ["completion"]],
    [
      "nothing before a rollback, and what happened after it",
      [...second, ["cutover", "v1.0.0"]],
      [],
      ["incident", "postmortem"],
    ],
    [
      "nothing in the phases after a rollback",
      [...second, ["cutover", "v1.0.0"], ["observe", "v1.0.0"]],
      [],
      [],
    ],
    [
      "a rollback in any phase",
      [...second, ["observe", "v1.1.0"], ["finalize", "v1.0.0"]],
      [],
      ["incident", "postmortem"],
    ],
  ])("%s", ([, runs, before, after]) => {
    const plan = planOf(runs);
    expect(namesOf("announce", plan)).toEqual(before);
    expect(namesOf("publish", plan)).toEqual(after);
    expect(plan.steps.includes("announce")).toBe(before.length > 0);
    expect(plan.steps.includes("publish")).toBe(after.length > 0);
    // A repeated run declares the same, or it would drop what it announced.
    const repeated = planOf(runs, true);
    expect(repeated.steps).toEqual(plan.steps);
    expect(repeated.newestRecord?.at).toBe(plan.newestRecord?.at);
  });
});

test("without announcements there are no such steps", () => {
  const config = sampleConfig({ phase: "cutover", release: "v1.0.0" });
  const { steps } = planRelease(config, ledgerAfter(first.slice(0, 2)), releaseOf("v1.0.0"), []);
  expect(steps).toContain("freeze");
  expect(steps).not.toContain("announce");
  expect(steps).not.toContain("publish");
});

test("facts say what is announced to whom, and not where it is sent", () => {
  const config = configOf("cutover", "v1.0.0");
  const facts = runFacts(config, planOf(first.slice(0, 3)), "flagship/production", known);
  expect(facts.declared).toMatchObject({
    "announcements.maintenance.on": "freeze",
    "announcements.postmortem.dueWithin": "48h",
    "contacts.onCall.address": "on-call@example.com",
  });
  expect(facts.steps).toContain("announce");
  expect(JSON.stringify(facts)).not.toContain("canary");
  const moved = { ...config, webhooks: {} };
  expect(
    runFacts(moved, planOf(first.slice(0, 3)), "flagship/production", known).configDigest,
  ).toBe(facts.configDigest);
});

function namesOf(step: "announce" | "publish", plan: Plan): string[] {
  return announcementsOf(step, { announcements }, plan).map(([name]) => name);
}

/** The plan of the last of these runs, or of its repetition. */
function planOf(runs: readonly Run[], repeated = false): Plan {
  const [phase, version] = runs.at(-1) as Run;
  return plan(phase, version, ledgerAfter(repeated ? runs : runs.slice(0, -1)));
}

function ledgerAfter(runs: readonly Run[]): Ledger {
  return runs.reduce((ledger, [phase, version], index) => {
    const outcome = plan(phase, version, ledger);
    const at = new Date(Date.UTC(2026, 10, 21, index)).toISOString();
    return appendEntry(ledger, entryOf(outcome), at);
  }, emptyLedger);
}

function plan(phase: Phase, version: string, ledger: Ledger): Plan {
  return planRelease(configOf(phase, version), ledger, releaseOf(version), []);
}

function configOf(phase: Phase, version: string): Config {
  return sampleConfig({
    phase,
    release: version,
    announcements,
    webhooks,
    contacts: { onCall: { address: "on-call@example.com", escalation: "Primary" } },
  });
}
