import { describe, expect, test } from "vitest";
import { releaseRecord } from "../../../infra/provider/release-record.ts";
import { releaseRecordType } from "../../../infra/provider/type-tokens.ts";
import type { Ledger, LedgerEntry } from "../../../infra/release/ledger.ts";
import { serveTypes, unknownText, type Wire } from "../../support/engine.ts";

const target = { type: releaseRecordType, name: "ledger" };

const entry = {
  phase: "cutover",
  direction: "forward",
  release: { version: "v2.0.0" },
  serving: "green",
  slots: { blue: null, green: { version: "v2.0.0" } },
  ttlSeconds: 60,
  migrations: [],
  migratedFor: "v2.0.0",
  legacy: true,
  moves: true,
  dnsBefore: [{ name: "www", content: "192.0.2.1", ttlSeconds: 300 }],
  snapshot: null,
  configDigest: "e",
} as unknown as LedgerEntry;

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [releaseRecordType]: releaseRecord });
}

function wire(more: Partial<LedgerEntry> = {}): Wire {
  return { entry: { ...entry, ...more } };
}

async function recorded(): Promise<{
  engine: Awaited<ReturnType<typeof serve>>;
  ledger: Ledger;
  outputs: Wire;
}> {
  const engine = await serve();
  const { outputs } = await engine.create(target, wire());
  return { engine, outputs, ledger: outputs["ledger"] as Ledger };
}

describe("the first record", () => {
  test("begins a ledger with the time of this run", async () => {
    const before = Date.now();
    const { ledger } = await recorded();
    expect(ledger.now).toMatchObject({ phase: "cutover", release: "v2.0.0", serving: "green" });
    expect(ledger.records).toHaveLength(1);
    expect(ledger.records[0]).toMatchObject({
      slot: "green",
      snapshot: null,
      dnsBefore: entry.dnsBefore,
    });
    expect(Date.parse(ledger.records[0]?.at ?? "")).toBeGreaterThanOrEqual(before);
  });

  test("goes on with a ledger that is given", async () => {
    const { engine, ledger } = await recorded();
    const previous = JSON.parse(JSON.stringify(ledger)) as Wire;
    const news = { ...wire({ phase: "observe", moves: false }), previous };
    const { outputs } = await engine.create(target, news);
    expect((outputs["ledger"] as Ledger).now.phase).toBe("observe");
    expect((outputs["ledger"] as Ledger).records).toEqual(ledger.records);
  });

  test("is not known in a preview", async () => {
    const engine = await serve();
    expect(await engine.create(target, wire(), { preview: true })).toEqual({ id: "", outputs: {} });
    expect(
      await engine.create(
        target,
        { entry: { ...entry, snapshot: unknownText } },
        { preview: true },
      ),
    ).toEqual({ id: "", outputs: {} });
  });
});

describe("a later record", () => {
  test("goes on with the ledger of the state", async () => {
    const { engine, outputs, ledger } = await recorded();
    const next = wire({ phase: "observe", moves: false });
    const updated = await engine.update(target, { inputs: wire(), outputs }, next);
    expect(updated.outputs["ledger"]).toMatchObject({
      before: { phase: "cutover" },
      now: { phase: "observe" },
      records: ledger.records,
    });
  });

  test("goes on although the engine dropped the nulls on its way", async () => {
    const { engine, outputs } = await recorded();
    const {
      phase: _p,
      release: _r,
      ttl: _t,
      migratedFor: _m,
      ...before
    } = (outputs["ledger"] as Ledger).before;
    const olds = {
      inputs: wire(),
      outputs: { ledger: { ...(outputs["ledger"] as Ledger), before } },
    };
    const { snapshot: _s, migratedFor: _n, ...bare } = entry;
    const news = { entry: { ...bare, slots: { green: entry.slots.green }, phase: "observe" } };
    const { outputs: next } = await engine.update(target, olds, news);
    expect((next["ledger"] as Ledger).now).toMatchObject({
      migratedFor: null,
      slots: { blue: null, green: { version: "v2.0.0" } },
    });
  });

  test("says nothing new when nothing is new", async () => {
    const { engine, outputs } = await recorded();
    const olds = { inputs: wire(), outputs };
    expect(await engine.diff(target, olds, wire())).toMatchObject({ changes: false });
    expect((await engine.update(target, olds, wire())).outputs).toEqual(outputs);
    expect(
      await engine.diff(target, olds, { ...wire(), previous: outputs["ledger"] }),
    ).toMatchObject({ changes: false });
    expect(await engine.diff(target, olds, wire({ ttlSeconds: 61 }))).toMatchObject({
      changes: true,
      diffs: ["entry"],
    });
  });

  test("is not known in a preview, unless nothing is new", async () => {
    const { engine, outputs } = await recorded();
    const olds = { inputs: wire(), outputs };
    const preview = { preview: true };
    expect((await engine.update(target, olds, wire(), preview)).outputs).toEqual(outputs);
    expect((await engine.update(target, olds, wire({ ttlSeconds: 61 }), preview)).outputs).toEqual(
      {},
    );
  });
});

test("check wants an entry", async () => {
  const engine = await serve();
  expect(await engine.check(target, wire())).toEqual([]);
  const failures = await engine.check(target, { entry: { phase: 1 } });
  expect(failures.map((failure) => failure.property)).toEqual([
    "entry.phase",
    "entry.direction",
    "entry.release",
  ]);
});
