import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { gatesOf } from "../../../policies/checklist-gates.ts";
import {
  ChecklistError,
  parseChecklist,
  type Checklist,
} from "../../../policies/contract/checklist.ts";

const asks = "The document gives no number";

/** A checklist with one gate, which asks for the whole document list, and what its document leaves open. */
function shop(change: object, open?: unknown): object {
  const gate = {
    id: "cases-covered",
    title: "The cases passed.",
    phase: "cutover",
    kind: "list-covered",
    evidence: "cases",
    maxAge: "7d",
    requires: { items: ["login"] },
    severity: "high",
    why: "Somebody could not log in.",
    remedy: "attest them",
    waivable: true,
    ...change,
  };
  return {
    system: "shop",
    title: "A shop",
    ...(open === undefined ? {} : { open }),
    gates: [gate],
  };
}

function parsed(value: object): Checklist {
  const checklist = parseChecklist(stringify(value), "shop", "checklists/shop.yaml");
  gatesOf(checklist);
  return checklist;
}

function problemsOf(value: object): string {
  try {
    parsed(value);
    return "";
  } catch (error) {
    if (error instanceof ChecklistError) return error.message;
    throw error;
  }
}

describe("what the team decided stands in its place", () => {
  const days = { days: { asks, value: "30d" } };

  test("as an age", () => {
    expect(parsed(shop({ maxAge: { open: "days" } }, days)).gates[0]?.maxAge).toBe(30 * 86_400);
  });

  test("as one entry of a list", () => {
    const items = ["login", { open: "case" }];
    const { gates } = parsed(shop({ requires: { items } }, { case: { asks, value: "logout" } }));
    expect(gates[0]?.requires).toEqual({ items: ["login", "logout"] });
  });

  test("as a whole list", () => {
    const open = { cases: { asks, value: ["login", "logout"] } };
    const { gates } = parsed(shop({ requires: { items: { open: "cases" } } }, open));
    expect(gates[0]?.requires).toEqual({ items: ["login", "logout"] });
  });

  test("at two places", () => {
    const change = { maxAge: { open: "days" }, after: "prepare", afterBy: { open: "days" } };
    expect(parsed(shop(change, days)).gates[0]).toMatchObject({
      maxAge: 30 * 86_400,
      afterBy: 30 * 86_400,
    });
  });

  test("and changes the digest, as does what was asked", () => {
    const digestOf = (open: object): string =>
      parsed(shop({ maxAge: { open: "days" } }, open)).digest;
    const digests = [
      digestOf(days),
      digestOf({ days: { asks, value: "31d" } }),
      digestOf({ days: { asks: "How old?", value: "30d" } }),
      parsed(shop({ maxAge: "30d" })).digest,
    ];
    expect(new Set(digests).size).toBe(4);
  });

  test("false and zero are decisions", () => {
    const open = { waivers: { asks, value: false } };
    expect(parsed(shop({ waivable: { open: "waivers" } }, open)).gates[0]?.waivable).toBe(false);
  });

  test("a record with another key beside open is no reference", () => {
    expect(problemsOf(shop({ requires: { items: ["login"], open: "days" } }))).toContain(
      "requires: found the key open",
    );
  });
});

const undecided =
  "open.days: the document leaves it open (The document gives no number); " +
  "decide it and write it as open.days.value";

test.each<readonly [string, object, string]>([
  [
    "a name that is not there",
    shop({ maxAge: { open: "days" } }),
    "open.days: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that every object has",
    shop({ maxAge: { open: "constructor" } }, {}),
    "open.constructor: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that is not there, within a list",
    shop({ requires: { items: ["login", { open: "case" }] } }),
    "open.case: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that is not there, twice",
    shop({ maxAge: { open: "days" }, after: "prepare", afterBy: { open: "days" } }),
    "open.days: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that is not there, where a key must stand",
    shop({ severity: { open: "severity" } }, {}),
    "open.severity: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that is not there, within a list of phases",
    shop({ phase: ["cutover", { open: "phase" }] }, {}),
    "open.phase: a gate asks for it, and it does not stand under open",
  ],
  [
    "a name that no row asks for",
    shop({}, { days: { asks, value: "7d" } }),
    "open.days: no row asks for it; remove it",
  ],
  ["nothing decided", shop({ maxAge: { open: "days" } }, { days: { asks } }), undecided],
  [
    "nothing (null) decided",
    shop({ maxAge: { open: "days" } }, { days: { asks, value: null } }),
    undecided,
  ],
  [
    "a value of another type",
    shop({ maxAge: { open: "days" } }, { days: { asks, value: 7 } }),
    "gate cases-covered, maxAge (open.days.value): found 7, required a length of time such as 30m, 24h or 7d",
  ],
  [
    "a value of another type, for the kind",
    shop({ requires: { items: [{ open: "case" }] } }, { case: { asks, value: 7 } }),
    "gate cases-covered, requires.items.0: found 7, required a text",
  ],
  [
    "a decision that refers to another one",
    shop({ maxAge: { open: "days" } }, { days: { asks, value: { open: "weeks" } } }),
    "gate cases-covered, maxAge (open.days.value): found a group of keys, required a length of time such as 30m, 24h or 7d",
  ],
  [
    "a value without what was asked",
    shop({ maxAge: { open: "days" } }, { days: { value: "7d" } }),
    "open.days.asks: found nothing, required a sentence",
  ],
  [
    "a value in place of its record",
    shop({ maxAge: { open: "days" } }, { days: "7d" }),
    "open.days: found 7d, required a group of keys: asks, value",
  ],
  [
    "a list",
    shop({ maxAge: { open: "days" } }, ["7d"]),
    "open: found [7d], required a group of keys",
  ],
  [
    "a name that is none",
    shop({ maxAge: { open: "Days left" } }, { "Days left": { asks, value: "7d" } }),
    "open.Days left: found the name Days left, required a name in kebab case, 2 to 63 characters",
  ],
])("%s is one problem", (_, value, said) => {
  expect(problemsOf(value)).toBe(`checklists/shop.yaml: ${said}`);
});

test("each problem is a line of its own", () => {
  const value = shop(
    { maxAge: { open: "days" }, requires: { items: { open: "cases" } }, severity: "bad" },
    { days: { asks }, weeks: { asks, value: 1 } },
  );
  expect(problemsOf(value).split("\n")).toEqual([
    `checklists/shop.yaml: ${undecided}`,
    "checklists/shop.yaml: open.cases: a gate asks for it, and it does not stand under open",
    "checklists/shop.yaml: open.weeks: no row asks for it; remove it",
    "checklists/shop.yaml: gate cases-covered, severity: found bad, required one of low, medium, high, critical",
  ]);
});
