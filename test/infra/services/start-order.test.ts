import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { startOrder } from "../../../infra/services/start-order.ts";

type Table = Record<string, { dependsOn: string[] }>;

function table(rows: Record<string, string[]>): Table {
  return Object.fromEntries(Object.entries(rows).map(([name, dependsOn]) => [name, { dependsOn }]));
}

describe("startOrder", () => {
  test.each<[string, Record<string, string[]>, string[]]>([
    ["nothing", {}, []],
    [
      "rows that wait for none, as they are written",
      { web: [], api: [], worker: [] },
      ["web", "api", "worker"],
    ],
    [
      "one that waits for a later one",
      { web: ["api"], worker: [], api: [] },
      ["api", "web", "worker"],
    ],
    ["two that wait for the same", { web: ["db"], api: ["db"], db: [] }, ["db", "web", "api"]],
    ["names in no row left out", { web: ["elsewhere"] }, ["web"]],
  ])("puts in order: %s", (_, rows, order) => {
    expect(startOrder(table(rows))).toEqual({ order });
  });

  test.each<[string, Record<string, string[]>, string[]]>([
    ["one that waits for itself", { web: ["web"] }, ["web", "web"]],
    ["two that wait for each other", { web: ["api"], api: ["web"] }, ["web", "api", "web"]],
    [
      "only its members, not who waits for them",
      { web: ["api"], api: ["worker"], worker: ["queue"], queue: ["worker"] },
      ["worker", "queue", "worker"],
    ],
    [
      "one behind rows without a circle",
      { db: [], web: ["db"], a: ["b"], b: ["a"] },
      ["a", "b", "a"],
    ],
  ])("finds a circle: %s", (_, rows, circle) => {
    expect(startOrder(table(rows))).toEqual({ circle });
  });
});

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Tables that can be put in order: each row waits only for rows that a hidden order has before it. */
const orderly = fc
  .record({
    hidden: fc.shuffledSubarray(names, { minLength: 1 }),
    written: fc.infiniteStream(fc.nat()),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 }),
  })
  .map(({ hidden, written, edges }) => {
    const rows: Record<string, string[]> = Object.fromEntries(hidden.map((name) => [name, []]));
    for (const [later, earlier] of edges) {
      const at = later % hidden.length;
      if (at === 0) continue;
      const [name, other] = [hidden[at] as string, hidden[earlier % at] as string];
      const waited = rows[name] ?? [];
      if (!waited.includes(other)) waited.push(other);
    }
    const places = new Map(hidden.map((name) => [name, written.next().value]));
    const sorted = [...hidden].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    return table(Object.fromEntries(sorted.map((name) => [name, rows[name] ?? []])));
  });

/** Tables with whatever waits for whatever. */
const anyTable = fc
  .uniqueArray(fc.constantFrom(...names), { minLength: 1 })
  .chain((rows) =>
    fc.record(
      Object.fromEntries(
        rows.map((name) => [
          name,
          fc.record({ dependsOn: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }) }),
        ]),
      ),
    ),
  );

test.prop([orderly])("every row stands once, after all that it waits for", (rows) => {
  const { order } = startOrder(rows);
  expect([...(order ?? [])].sort()).toEqual(Object.keys(rows).sort());
  for (const [name, { dependsOn }] of Object.entries(rows)) {
    for (const other of dependsOn) {
      expect(order?.indexOf(other)).toBeLessThan(order?.indexOf(name) ?? -1);
    }
  }
});

test.prop([orderly])("an order, once found, stays as it is", (rows) => {
  const { order = [] } = startOrder(rows);
  const again = Object.fromEntries(order.map((name) => [name, rows[name] ?? { dependsOn: [] }]));
  expect(startOrder(again).order).toEqual(order);
});

test.prop([anyTable])("there is an order or a circle, and a circle is one", (rows) => {
  const { order, circle } = startOrder(rows);
  expect(order === undefined).toBe(circle !== undefined);
  if (circle === undefined) return;
  expect(circle.at(-1)).toBe(circle[0]);
  expect(new Set(circle).size).toBe(circle.length - 1);
  for (const [index, name] of circle.slice(0, -1).entries()) {
    expect(rows[name]?.dependsOn).toContain(circle[index + 1]);
  }
});
