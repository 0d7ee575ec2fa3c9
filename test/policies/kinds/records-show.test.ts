import { expect, test } from "vitest";
import { ago, judgeBy, kindNamed, testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

const rows = [
  { database: "orders", state: "restored", minutes: 12, at: ago(3600), note: secretText },
  { database: "billing", state: "restored", minutes: 30, at: ago(7200), note: secretText },
  { database: "legacy", state: "skipped" },
];

/** One row more. */
function and(row: unknown): unknown[] {
  return [...rows, row];
}

testKind("records-show", {
  requires: {
    of: "tests.restores",
    key: "database",
    where: { state: { is: "restored" } },
    each: { minutes: { atMost: "30m" }, at: { within: "24h" } },
    count: { atLeast: 2, atMost: 5 },
  },
  required:
    "2 rows or more and no more than 5 rows with state is restored, " +
    "of each minutes is 30m or less and at is within the last 1 day",
  given: { rows },
  passes: {
    "a row that another check of where rules out": {
      requires: { where: { state: { is: "restored" }, minutes: { atMost: 60 } } },
    },
    "each without a count": { requires: { count: undefined } },
    "a count without each": { requires: { each: undefined } },
    "no row where none may be": {
      requires: { each: undefined, where: { state: { is: "failed" } }, count: { atMost: 0 } },
    },
    "an export that lists nothing, where only a highest number is asked": {
      requires: { count: { atMost: 5 } },
      given: { rows: [] },
    },
    "rows without a name": { requires: { key: undefined } },
    "a field under its whole path": {
      requires: { each: { "time.minutes": { atMost: 44 } }, where: undefined, count: undefined },
      given: { rows: [{ "time.minutes": 44 }, { time: { minutes: 44 } }] },
    },
    "a field beside it": {
      requires: { each: { wanted: { sameAs: "row.found" } }, where: undefined, count: undefined },
      given: { rows: [{ wanted: 3, found: "3" }] },
    },
  },
  fails: {
    "a row over the limit": [
      { given: { rows: and({ ...rows[0], database: "stock", minutes: 1801 }) } },
      "fail",
      "stock: minutes is 1801",
    ],
    "a row that is too old": [
      { given: { rows: and({ ...rows[0], database: "stock", at: ago(86_401) }) } },
      "fail",
      `stock: at is ${ago(86_401)}`,
    ],
    "a row without a field": [
      { given: { rows: and({ database: "stock", state: "restored", minutes: 1 }) } },
      "inconclusive",
      "stock: at is not in the row",
    ],
    "a field that is null": [
      { given: { rows: and({ ...rows[0], database: "stock", minutes: null }) } },
      "inconclusive",
      "stock: minutes is not in the row",
    ],
    "a field of another type": [
      { given: { rows: and({ ...rows[0], database: "stock", minutes: "1" }) } },
      "inconclusive",
      "stock: minutes is a text, where a number is required",
    ],
    "a row that may be one of those that count": [
      { given: { rows: and({ database: "stock", minutes: 9000 }) } },
      "inconclusive",
      "stock: state is not in the row",
    ],
    "a row whose where has another type": [
      { given: { rows: and({ database: "stock", state: 1 }) } },
      "inconclusive",
      "stock: state is 1, where a text is required",
    ],
    "too few rows": [
      { given: { rows: rows.slice(1) } },
      "fail",
      "there is 1 row with state is restored",
    ],
    "too many rows": [
      { requires: { count: { atMost: 1 } } },
      "fail",
      "there are 2 rows with state is restored",
    ],
    "no rows at all": [
      { given: { rows: [] } },
      "inconclusive",
      "there are 0 rows with state is restored",
    ],
    "no rows at all, where no count is asked": [
      { requires: { count: undefined, where: undefined }, given: { rows: [] } },
      "inconclusive",
      "there are 0 rows",
    ],
    "none that matches, where no count is asked": [
      { requires: { count: undefined, where: { state: { is: "failed" } } } },
      "fail",
      "there are 0 rows with state is failed",
    ],
    "rows where none may be": [
      { requires: { each: undefined, count: { atMost: 0 } } },
      "fail",
      "there are 2 rows with state is restored",
    ],
    "a row without its name": [
      { given: { rows: and({ state: "restored", minutes: 1801, at: ago(60) }) } },
      "fail",
      "row 4: minutes is 1801",
    ],
    "many rows": [
      {
        requires: { count: undefined },
        given: { rows: Array.from({ length: 13 }, () => ({ ...rows[0], minutes: 1801 })) },
      },
      "fail",
      "3 more rows are not as required",
    ],
    "many rows that cannot be judged": [
      {
        requires: { count: undefined },
        given: { rows: Array.from({ length: 11 }, () => ({ ...rows[0], minutes: "x" })) },
      },
      "inconclusive",
      "1 more row is not as required",
    ],
  },
  refuses: {
    "where alone": { each: undefined, count: undefined },
    "an unknown check": { each: { minutes: { most: 3 } } },
    "a field without a check": { each: { minutes: {} } },
    "no fields": { each: {} },
    "a count of nothing": { count: {} },
    "a count that nothing can fail": { count: { atLeast: 0 } },
    "more at least than at most": { count: { atLeast: 3, atMost: 2 } },
    "a number of rows": { count: 3 },
    "a list of fields": { each: ["minutes"] },
    "an empty path": { of: " " },
  },
  hostile: (name) => {
    const key = name.trim() === "" || name === "__proto__" ? "key" : name;
    return {
      requires: { key, where: undefined, each: { [key]: { is: "other" }, at: { within: "1h" } } },
      given: { rows: [{ [key]: name, at: ago(60) }] },
    };
  },
});

const kind = kindNamed("records-show");
const parse = (asked: unknown): unknown => kind.requires.parse(asked);

test.each([
  [{ count: { atLeast: 1 } }, "1 row or more"],
  [{ count: { atMost: 0 }, where: { state: { is: "open" } } }, "no row with state is open"],
  [{ count: { atLeast: 2, atMost: 2 } }, "exactly 2 rows"],
  [{ each: { ok: { is: true } } }, "1 row or more, of each ok is true"],
  [{ each: { ok: { is: true } }, count: { atMost: 3 } }, "no more than 3 rows, of each ok is true"],
])("records-show says what %j requires", (asked, words) => {
  expect(kind.required(parse(asked))).toBe(words);
});

test("records-show reads the fields that are asked about, compared with or name a row, and no other", () => {
  if (kind.judges !== "records") throw new Error("records-show judges no records");
  const asked = parse({
    of: "a.b",
    key: "name",
    where: { state: { is: "open" } },
    each: {
      wanted: { sameAs: "row.found.it", differsFrom: "release.version" },
      state: { is: "x" },
    },
  });
  expect(kind.rows?.(asked)).toEqual({
    of: "a.b",
    fields: ["found.it", "name", "state", "wanted"],
  });
  expect(kind.rows?.(parse({ count: { atMost: 0 } }))).toEqual({ of: undefined, fields: [] });
});

test("records-show judges 50,000 rows at once", () => {
  const many = Array.from({ length: 50_000 }, (_, index) => ({ id: index, state: "open" }));
  const asked = parse({ each: { state: { oneOf: ["open", "closed"] }, id: { atMost: 49_998 } } });
  const started = performance.now();
  expect(judgeBy(kind, { rows: many }, asked)).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(5000);
});
