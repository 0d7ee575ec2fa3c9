import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import type { Readings } from "../../../policies/contract/readings.ts";
import { readAll, type ReadOptions, type Wanted } from "../../../infra/readings/read-all.ts";
import { ReadingError, type ReadingContext } from "../../../infra/readings/reading.ts";

const canary = "hunter2-canary";

const context = {
  now: new Date("2026-01-02T03:04:05Z"),
  release: { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} },
  database: undefined,
};

/** Short enough for a test; the pauses hardly count. */
const quick: ReadOptions = { eachTry: 100, allTries: 30_000, firstPause: 1 };

const never = new Promise<never>(() => undefined);

type Read = (tried: number, context: ReadingContext) => unknown;

/** A wanted reading of a kind that does as it is told, and how often it was tried. */
function fake(read: Read): Wanted & { readonly tries: () => number } {
  let tried = 0;
  return {
    target: { name: "orders" },
    tries: () => tried,
    kind: {
      kind: "fake",
      title: "what a test says",
      target: z.strictObject({ name: z.string() }),
      facts: {},
      subject: (target) => (target as { name: string }).name,
      async read(_target, context) {
        tried += 1;
        return (await read(tried, context)) as Record<string, unknown>;
      },
    },
  };
}

async function readFake(
  read: Read,
  options = quick,
): Promise<Readings[string] & { readonly tries: number }> {
  const wanted = fake(read);
  const { one } = await readAll({ one: wanted }, context, options);
  if (one === undefined) throw new Error("no reading");
  return { ...one, tries: wanted.tries() };
}

/** Time passes at the test's word, and the pauses are as long as can be expected. */
function fakeTime(): void {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

function again(message = "the queue is busy"): ReadingError {
  return new ReadingError(message, { again: true });
}

describe("what can be read", () => {
  test("has its kind, subject, time and value", async () => {
    const value = { ready: true, lag: 0, list: [null, { deep: "x" }], none: null };
    const began = Date.now();
    const reading = await readFake(() => value);
    expect(reading).toEqual({
      kind: "fake",
      subject: "orders",
      at: expect.any(String) as string,
      value,
      tries: 1,
    });
    expect(new Date(reading.at).toISOString()).toBe(reading.at);
    expect(Date.parse(reading.at)).toBeGreaterThanOrEqual(began);
  });

  test("is read with what the run knows", async () => {
    const { value } = await readFake((_tried, { now, release, database, signal }) => ({
      now: now.toISOString(),
      version: release.version,
      database: database === undefined,
      aborted: signal.aborted,
    }));
    expect(value).toEqual({
      now: "2026-01-02T03:04:05.000Z",
      version: "v2.0.0",
      database: true,
      aborted: false,
    });
  });

  test("comes in the order of the names", async () => {
    const wanted = { b: fake(() => ({ x: 1 })), a: fake(() => ({ x: 2 })), c: fake(() => ({})) };
    expect(Object.keys(await readAll(wanted, context, quick))).toEqual(["a", "b", "c"]);
    expect(await readAll({}, context, quick)).toEqual({});
  });

  test("20 take about as long as one", async () => {
    const slow = (): Promise<unknown> =>
      new Promise((resolve) => setTimeout(resolve, 200, { ok: true }));
    const wanted = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`reading-${index}`, fake(slow)]),
    );
    const began = performance.now();
    const readings = await readAll(wanted, context, {
      ...quick,
      eachTry: 60_000,
      allTries: 60_000,
    });
    expect(performance.now() - began).toBeLessThan(2000);
    expect(Object.values(readings).map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, () => ({ ok: true })),
    );
  });
});

describe("what fails for a while", () => {
  test("is asked again, twice, and tells when the good try began", async () => {
    const began: number[] = [];
    const { value, tries, at } = await readFake((tried) => {
      began.push(Date.now());
      if (tried < 3) throw again();
      return { tried };
    });
    expect({ value, tries }).toEqual({ value: { tried: 3 }, tries: 3 });
    expect(Date.parse(at)).toBeLessThanOrEqual(began[2] ?? 0);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(began[1] ?? Infinity);
  });

  test("is asked again after a try that hangs", async () => {
    const { value, tries } = await readFake((tried) => (tried === 1 ? never : { tried }));
    expect({ value, tries }).toEqual({ value: { tried: 2 }, tries: 2 });
  });

  test("is given up after the third try", async () => {
    expect(
      await readFake(() => {
        throw again();
      }),
    ).toMatchObject({ problem: "the queue is busy", tries: 3 });
  });

  test("waits longer each time", async () => {
    fakeTime();
    const at: number[] = [];
    const reading = readFake(() => {
      at.push(Date.now());
      throw again();
    }, {});
    await vi.advanceTimersByTimeAsync(10_000);
    await reading;
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThan(400);
    expect(third - second).toBeGreaterThan(second - first);
    expect(third - first).toBeLessThan(2000);
  });

  test("is not asked again when that cannot help", async () => {
    expect(
      await readFake(() => {
        throw new ReadingError("there is no queue orders");
      }),
    ).toMatchObject({ problem: "there is no queue orders", tries: 1 });
  });
});

describe("what cannot be read", () => {
  test("is cut off when it hangs, though it ignores its signal", async () => {
    const began = performance.now();
    const reading = await readFake(() => never, { ...quick, eachTry: 50, allTries: 120 });
    expect(reading.problem).toBe("it did not answer in time (0.05 s for a try, 0.12 s in all)");
    expect(reading).not.toHaveProperty("value");
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test("tells the last reason when the time ends in a try that hangs", async () => {
    const { problem } = await readFake(
      (tried) => {
        if (tried === 1) throw again();
        return never;
      },
      { ...quick, allTries: 80 },
    );
    expect(problem).toBe(
      "it did not answer in time (0.1 s for a try, 0.08 s in all); the last try before: the queue is busy",
    );
  });

  test.each<[string, () => Error]>([
    ["some error", () => new Error(canary)],
    ["an error of its own", () => again("the connection was closed")],
    ["an error that does not pass", () => new ReadingError("the connection was closed")],
  ])("is told in the same way when it heeds its signal with %s", async (_, error) => {
    const heed = (_tried: number, { signal }: ReadingContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(error());
        });
      });
    const { problem, tries } = await readFake(heed, { ...quick, eachTry: 20 });
    expect(problem).toBe("it did not answer in time (0.02 s for a try, 30 s in all)");
    expect(tries).toBe(3);
  });

  test("is not tried once more after its time ended in a pause", async () => {
    fakeTime();
    const wanted = fake(() => {
      throw again();
    });
    const readings = readAll({ one: wanted }, context, { ...quick, allTries: 60, firstPause: 500 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await readings)["one"]?.problem).toContain("0.06 s in all");
    expect(wanted.tries()).toBe(1);
  });

  test("has 10 s for a try and 25 s in all, unless told otherwise", async () => {
    fakeTime();
    const began = Date.now();
    const at: number[] = [];
    const reading = readFake(() => {
      at.push(Date.now() - began);
      return never;
    }, {}).then((done) => ({ ...done, ended: Date.now() - began }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await reading).ended).toBe(25_000);
    expect((await reading).problem).toBe("it did not answer in time (10 s for a try, 25 s in all)");
    expect(at[1]).toBeGreaterThan(10_000);
    expect(at[1]).toBeLessThan(11_000);
  });

  test.each<[string, () => unknown, string]>([
    ["an error", () => new Error(canary), "cannot be read (Error)"],
    ["a type error", () => new TypeError(canary), "cannot be read (TypeError)"],
    [
      "an error with a code",
      () => Object.assign(new Error(canary), { code: "ECONNREFUSED" }),
      "cannot be read (Error ECONNREFUSED)",
    ],
    [
      "an error with a secret for a code",
      () => Object.assign(new Error(canary), { code: `password ${canary}` }),
      "cannot be read (Error)",
    ],
    [
      "an error with a secret for a name",
      () => Object.assign(new Error(canary), { name: `password=${canary}` }),
      "cannot be read (Error)",
    ],
    ["a text", () => canary, "cannot be read (string)"],
    ["nothing", () => undefined, "cannot be read (undefined)"],
  ])("tells of %s that was not expected its name and code only", async (_, error, problem) => {
    const reading = await readFake(() => {
      throw error();
    });
    expect(reading).toMatchObject({ problem, tries: 1 });
    expect(JSON.stringify(reading)).not.toContain(canary);
  });

  test.each<[string, unknown, string]>([
    ["NaN", { ok: 1, lag: Number.NaN }, "lag"],
    ["an infinite number deep within", { a: [{ b: Number.POSITIVE_INFINITY }] }, "a"],
    ["what is undefined", { gone: undefined }, "gone"],
    ["a date", { at: new Date(0) }, "at"],
    ["a big integer", { size: 1n }, "size"],
    ["a map", { map: new Map() }, "map"],
    ["a function", { f: () => 1 }, "f"],
    ["several of these", { b: Number.NaN, a: undefined }, "b, a"],
    ["a list", [1], "the whole"],
    ["null", null, "the whole"],
    ["a text", "x", "the whole"],
  ])("has a problem when the value is or has %s", async (_, value, where) => {
    const reading = await readFake(() => value);
    expect(reading.problem).toBe(`what was read cannot be kept, it is no plain JSON: ${where}`);
    expect(reading.tries).toBe(1);
  });

  test("has a problem when the value holds itself or throws", async () => {
    const round: Record<string, unknown> = {};
    round["round"] = round;
    const trap = {
      get fact(): never {
        throw new Error(canary);
      },
    };
    expect((await readFake(() => round)).problem).toBe("cannot be read (TypeError)");
    expect((await readFake(() => trap)).problem).toBe("cannot be read (Error)");
  });

  test("drops a key __proto__", async () => {
    const value: unknown = JSON.parse('{"a":1,"__proto__":{"polluted":true}}');
    expect(JSON.stringify((await readFake(() => value)).value)).toBe('{"a":1}');
  });

  test("has a problem when the value is larger than 64 KiB", async () => {
    const sized = (bytes: number): unknown => ({ text: "x".repeat(bytes - '{"text":""}'.length) });
    expect((await readFake(() => sized(65_536))).problem).toBeUndefined();
    expect((await readFake(() => sized(65_537))).problem).toBe(
      "what was read takes 65537 bytes, more than 65536; name a smaller target",
    );
    expect((await readFake(() => ({ text: "ä".repeat(40_000) }))).problem).toContain("80011 bytes");
  });

  test("does no harm to the others", async () => {
    const wanted = {
      hangs: fake(() => never),
      throws: fake(() => {
        throw new Error(canary);
      }),
      good: fake(() => ({ ok: true })),
      subject: { ...fake(() => ({})), kind: { ...fake(() => ({})).kind, subject: fails } },
    };
    const readings = await readAll(wanted, context, { ...quick, eachTry: 30, allTries: 60 });
    expect(readings["good"]?.value).toEqual({ ok: true });
    for (const name of ["hangs", "throws", "subject"]) {
      expect(readings[name]?.problem, name).toBeTypeOf("string");
      expect(readings[name], name).not.toHaveProperty("value");
    }
    expect(JSON.stringify(readings)).not.toContain(canary);
  });
});

describe("a run that is stopped", () => {
  test("ends all readings at once", async () => {
    const stop = new AbortController();
    const wanted = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `reading-${index}`,
        fake(() => {
          stop.abort();
          return never;
        }),
      ]),
    );
    const began = performance.now();
    const readings = await readAll(wanted, context, { signal: stop.signal });
    expect(performance.now() - began).toBeLessThan(2000);
    expect([...new Set(Object.values(readings).map(({ problem }) => problem))]).toEqual([
      "the run was stopped before it was read",
    ]);
  });

  test("reads nothing when it was stopped before", async () => {
    const wanted = fake(() => ({}));
    const { one } = await readAll({ one: wanted }, context, { signal: AbortSignal.abort() });
    expect(one?.problem).toBe("the run was stopped before it was read");
    expect(wanted.tries()).toBe(0);
  });
});

function fails(): never {
  throw new Error(canary);
}
