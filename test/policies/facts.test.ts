import { describe, expect, test } from "vitest";
import { digestOf } from "../../policies/contract/digest.ts";
import { readFacts } from "../../policies/facts.ts";
import { readyFacts } from "../support/samples.ts";

const neverRan = {
  ...readyFacts,
  plannedCutover: null,
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
};

test("facts of the right shape are read as they are", () => {
  expect(readFacts(() => structuredClone(readyFacts))).toEqual({ facts: readyFacts });
});

test("what the engine drops because it is null is null again, and the digest is the same", () => {
  const { plannedCutover: _none, ...dropped } = {
    ...neverRan,
    before: { recorded: [], times: {} },
  };
  expect(readFacts(() => dropped)).toEqual({ facts: neverRan });
  expect(digestOf(dropped)).toBe(digestOf(neverRan));
});

test.each(["owners", "declared", "release"])("%s with an entry that is no text", (name) => {
  const broken = { ...readyFacts, [name]: { ...readyFacts.release, images: { api: 7 }, other: 7 } };
  expect(readFacts(() => broken).problems).toHaveLength(1);
});

test("all that is wrong is said at once", () => {
  const wrong = { ...readyFacts, guard: "exit", ttlSeconds: "60", covers: {} };
  expect(readFacts(() => wrong).problems).toMatchInlineSnapshot(`
    [
      "facts.guard is not one of entry, data, switch",
      "facts.ttlSeconds is not a number",
      "facts.covers.databases is not a list of texts",
      "facts.covers.containerDatabases is not a list of texts",
      "facts.covers.backups is not a list of texts",
      "facts.covers.buckets is not a list of texts",
      "facts.covers.archives is not a list of texts",
      "facts.covers.services is not a list of texts",
      "facts.covers.units is not a list of texts",
      "facts.covers.secrets is not a list of texts",
      "facts.covers.alarms is not a list of texts",
    ]
  `);
});

test("what is replaced may lack what the engine dropped because it is null", () => {
  const replaced = [{ resource: "bucket documents" }];
  expect(readFacts(() => ({ ...readyFacts, replaced })).facts?.replaced).toEqual([
    { resource: "bucket documents", property: null, key: null },
  ]);
});

test.each<[string, unknown, string]>([
  ["replaced", undefined, "facts.replaced is not a list of what is replaced"],
  ["replaced", "nothing", "facts.replaced is not a list of what is replaced"],
  ["replaced", [{ property: "bucket" }], "facts.replaced is not a list of what is replaced"],
  ["replaced", ["bucket"], "facts.replaced is not a list of what is replaced"],
  ["phases", undefined, "facts.phases is not a list of texts"],
  ["phases", "prepare", "facts.phases is not a list of texts"],
  ["phases", [7], "facts.phases is not a list of texts"],
  ["notBefore", undefined, "facts.notBefore is not texts by name"],
  ["notBefore", { finalize: 24 }, "facts.notBefore is not texts by name"],
])("%s that is %j is said to be wrong", (name, value, said) => {
  expect(readFacts(() => ({ ...readyFacts, [name]: value })).problems).toContain(said);
});

describe("facts that are no facts", () => {
  test.each([undefined, null, "facts", 7, [], {}])("%j", (given) => {
    expect(readFacts(() => given).problems).not.toHaveLength(0);
  });

  test("reading them throws", () => {
    const read = () => {
      throw new Error("s3cret");
    };
    expect(readFacts(read).problems).toEqual(["facts cannot be read"]);
  });
});
