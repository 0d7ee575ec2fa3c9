import { testKind } from "../../support/kind-tester.ts";

testKind("migrations-in-sync", {
  requires: { total: 12 },
  required: "all of 12 migrations applied, and none failed or diverged",
  given: {
    tool: { name: "migrator", version: "1.0.0" },
    state: "in-sync",
    total: 12,
    pending: [],
    failed: [],
    diverged: [],
  },
  passes: {
    "a number that nobody asks for": { requires: { total: undefined }, given: { total: 7 } },
    "no number where nobody asks for one": {
      requires: { total: undefined },
      given: { total: null },
    },
  },
  fails: {
    "pending ones": [
      { given: { state: "pending", pending: ["0011_a", "0012_b"] } },
      "fail",
      "2 pending migrations: 0011_a and 0012_b",
    ],
    "a failed one": [
      { given: { state: "failed", failed: ["0012_b"] } },
      "fail",
      "1 failed migration: 0012_b",
    ],
    "a diverged one": [
      { given: { state: "diverged", diverged: ["0001_a"] } },
      "fail",
      "1 diverged migration: 0001_a",
    ],
    "pending ones, and a state that says otherwise": [
      { given: { pending: ["0012_b"] } },
      "fail",
      "1 pending migration: 0012_b",
    ],
    "a state that no list explains": [
      { given: { state: "diverged" } },
      "fail",
      "its state is diverged, and it names no diverged migration",
    ],
    "a state that another list explains": [
      { given: { state: "failed", pending: ["0012_b"] } },
      "fail",
      "its state is failed, and it names no failed migration",
    ],
    "one too few": [{ given: { total: 11 } }, "fail", "there are 11 migrations"],
    "one too many": [{ given: { total: 13 } }, "fail", "there are 13 migrations"],
    "only one": [{ given: { total: 1 } }, "fail", "there is 1 migration"],
    "no number": [
      { given: { total: null } },
      "inconclusive",
      "it does not say how many migrations there are",
    ],
    "no migration": [{ given: { total: 0 } }, "fail", "there are no migrations"],
    "no migration, where nobody asks for a number": [
      { requires: { total: undefined }, given: { total: 0 } },
      "fail",
      "there are no migrations",
    ],
  },
  refuses: {
    "no migration": { total: 0 },
    "half a migration": { total: 0.5 },
    "a number in words": { total: "12" },
  },
  hostile: (name) => ({ given: { state: "pending", pending: [name], failed: [name, "other"] } }),
});
