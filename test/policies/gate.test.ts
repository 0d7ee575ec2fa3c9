import { describe, expect, test } from "vitest";
import {
  defineGate,
  fail,
  findingText,
  judgeGate,
  verdictOf,
  type Finding,
  type Gate,
} from "../../policies/gate.ts";
import { nouns } from "../../policies/nouns.ts";
import { releaseGates } from "../../policies/release-gates.ts";
import { toldNothing } from "../../policies/evidence/attested.ts";
import { expectReadable, judgeWorld, runOf, set, unknown } from "../support/gate-tester.ts";
import { openWorld, readyFacts } from "../support/samples.ts";

const finding: Finding = {
  verdict: "fail",
  subject: "database orders",
  found: "backupRetentionPeriod is 1",
  required: "backupRetentionPeriod is at least 7 days",
  remedy: "pulumi config set --path cutover:database.backupRetentionDays 7",
};

test("every gate is open in the open world", () => {
  expect(releaseGates.filter((gate) => judgeWorld(gate, []).length > 0)).toEqual([]);
});

test("a finding has three parts", () => {
  expect(findingText(finding)).toMatchInlineSnapshot(`
    "Found: database orders: backupRetentionPeriod is 1.
    Required: backupRetentionPeriod is at least 7 days.
    To do: pulumi config set --path cutover:database.backupRetentionDays 7"
  `);
});

test("long parts are broken at spaces, and a long command stays whole", () => {
  const long: Finding = {
    ...finding,
    found: "no declared bucket carries this name; 2 declared ones have names that are unknown",
    remedy: "pulumi config set --path cutover:bucket.publicAccessBlocked true --stack production",
  };
  expect(findingText(long)).toMatchInlineSnapshot(`
    "Found: database orders: no declared bucket carries this name; 2
      declared ones have names that are unknown.
    Required: backupRetentionPeriod is at least 7 days.
    To do:
      pulumi config set --path cutover:bucket.publicAccessBlocked true --stack production"
  `);
});

test("the worst finding is the verdict", () => {
  const unclear: Finding = { ...finding, verdict: "inconclusive" };
  expect(verdictOf([])).toBe("pass");
  expect(verdictOf([unclear])).toBe("inconclusive");
  expect(verdictOf([unclear, finding])).toBe("fail");
});

test("a gate that throws is closed, names itself and hides the error's words", () => {
  const broken: Gate = {
    ...defineGate({
      id: "phase-in-order",
      about: "facts",
      requires: "It works.",
      because: "It must.",
      severity: "low",
      required: "a gate that works",
      remedy: "nothing",
      judge: () => {
        throw new TypeError("s3cret in a message");
      },
    }),
  };
  const [found, ...rest] = judgeGate(broken, readyFacts, runOf(openWorld()), toldNothing, {
    now: 0,
    rehearsal: false,
  });
  expect(rest).toEqual([]);
  expect(found && findingText(found)).toMatchInlineSnapshot(`
    "Found: release v1.1.0: gate phase-in-order could not judge it
      (TypeError).
    Required: a gate that works.
    To do: report this as a fault of the policy pack"
  `);
  expect(found?.verdict).toBe("inconclusive");
});

test("an unknown value says so, wherever it lies", () => {
  const versioned = releaseGates.find(({ id }) => id === "bucket-versioned") as Gate;
  const [found] = judgeWorld(versioned, [
    set("versioning.versioningConfiguration.status", unknown),
  ]);
  expect(found && findingText(found)).toMatchInlineSnapshot(`
    "Found: bucket orders-documents: versioningConfiguration.status is
      unknown until the update.
    Required: a plain value, known before the update.
    To do: give versioningConfiguration.status a value that no other
      resource computes"
  `);
  expectReadable(found as Finding);
});

test("a gate that the contract does not know cannot be defined", () => {
  expect(() =>
    defineGate({ ...(releaseGates[0] as Gate), id: "no-such-gate" as "phase-in-order" }),
  ).toThrow("contract/gates.ts has no gate no-such-gate");
});

test("reasons override what the gate says in general", () => {
  expect(fail("x", { remedy: "y" })).toEqual({ verdict: "fail", found: "x", remedy: "y" });
});

describe("what a release need not have", () => {
  const found = (id: string, covers: Record<string, readonly string[]>): string[] => {
    const gate = releaseGates.find((one) => one.id === id) as Gate;
    const all = Object.entries(covers).map(([noun, names]) => set(`facts.covers.${noun}`, names));
    const world = judgeWorld(gate, all);
    return world.map((one) => one.found).filter((text) => text.startsWith("it covers no"));
  };

  test.each([
    ["database-encrypted-at-rest", "database", { databases: [] }],
    ["backup-vault-locked", "backup vault", { backups: [] }],
    ["service-image-pinned", "container", { services: [] }],
  ])("%s is closed without a %s", (id, one, covers) => {
    expect(found(id, covers)).toEqual([`it covers no ${one}, so there is nothing to judge`]);
  });

  test.each([
    [
      "an RDS instance, with a database in a container",
      "database-encrypted-at-rest",
      { databases: [], containerDatabases: ["flagship-database"] },
    ],
    [
      "a vault, with a database in a container",
      "backup-vault-locked",
      { backups: [], containerDatabases: ["flagship-database"] },
    ],
    ["a bucket", "bucket-versioned", { buckets: [] }],
    ["a secret", "secret-recoverable", { secrets: [] }],
    ["an alarm", "alarm-has-receiver", { alarms: [] }],
  ])("%s", (_, id, covers) => {
    expect(found(id, covers)).toEqual([]);
  });

  test("no noun may be left out for one that may be left out itself", () => {
    const others = Object.values(nouns).flatMap(({ mayBeNone }) =>
      typeof mayBeNone === "string" ? [nouns[mayBeNone].mayBeNone] : [],
    );
    expect(others).not.toEqual([]);
    expect(others).not.toContain(true);
  });
});
