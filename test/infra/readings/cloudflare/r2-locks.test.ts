import type { IncomingMessage, RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { r2Locks } from "../../../../infra/readings/cloudflare/r2-locks.ts";
import { readAll } from "../../../../infra/readings/read-all.ts";
import { expectFacts } from "../context.ts";
import { context, failure, id, startCloudflare, success, token } from "./cloudflare-server.ts";

const day = 86_400;

type Condition =
  | { readonly type: "Age"; readonly maxAgeSeconds: number }
  | { readonly type: "Date"; readonly date: string }
  | { readonly type: "Indefinite" };

interface Rule {
  readonly id: string;
  readonly enabled: boolean;
  readonly prefix?: string | null;
  readonly condition: Condition;
}

function age(days: number, change: Partial<Rule> = {}): Rule {
  const condition = { type: "Age", maxAgeSeconds: days * day } as const;
  return { id: `${days}-days`, enabled: true, prefix: "", condition, ...change };
}

const forever = { type: "Indefinite" } as const;
const untilDate = { type: "Date", date: "2030-01-01T00:00:00Z" } as const;

async function read(
  answer: RequestListener,
  target: Record<string, unknown> = {},
): Promise<{
  value: Readonly<Record<string, unknown>> | undefined;
  problem: string | undefined;
  requests: readonly IncomingMessage[];
}> {
  const { baseUrl, requests } = await startCloudflare(answer);
  const wanted = {
    kind: r2Locks,
    target: r2Locks.target.parse({ accountId: id, bucket: "flagship-archive", baseUrl, ...target }),
  };
  const { locks } = await readAll({ locks: wanted }, context, { firstPause: 1 });
  expect(JSON.stringify(locks)).not.toContain(token);
  expect(locks?.subject).toBe("flagship-archive");
  if (locks?.value !== undefined) expectFacts(r2Locks, locks.value);
  return { value: locks?.value, problem: locks?.problem, requests };
}

describe("the lock rules of a bucket", () => {
  test("are told as they are, by id", async () => {
    const rules = [
      age(90, { id: "b" }),
      { id: "a", enabled: false, prefix: "logs/", condition: untilDate },
    ];
    const { value, requests } = await read(success({ rules }));
    expect(value).toEqual({
      rules: [rules[1], rules[0]],
      lockedSeconds: 90 * day,
      indefinite: false,
    });
    expect(
      requests.map(({ method, url, headers }) => [method, url, headers["cf-r2-jurisdiction"]]),
    ).toEqual([["GET", `/client/v4/accounts/${id}/r2/buckets/flagship-archive/lock`, "default"]]);
  });

  test("are asked for where the bucket must stay", async () => {
    const { requests } = await read(success({ rules: [] }), { jurisdiction: "eu" });
    expect(requests[0]?.headers["cf-r2-jurisdiction"]).toBe("eu");
  });

  test.each<[string, Rule[], number | null, boolean]>([
    ["are none", [], null, false],
    ["have no prefix", [age(7, { prefix: undefined as never })], 7 * day, false],
    ["have null for a prefix", [age(7, { prefix: null })], 7 * day, false],
    ["are for a part of the bucket only", [age(7, { prefix: "logs/" })], null, false],
    ["are switched off", [age(7, { enabled: false })], null, false],
    ["are several: the longest counts", [age(7), age(90), age(30)], 90 * day, false],
    [
      "are longer for a part or switched off",
      [age(7), age(90, { prefix: "a" }), age(91, { enabled: false })],
      7 * day,
      false,
    ],
    ["are of no time at all", [age(0)], 0, false],
    ["are for ever", [age(7, { condition: forever })], null, true],
    [
      "are for ever in a part",
      [age(7), age(1, { condition: forever, prefix: "a" })],
      7 * day,
      false,
    ],
    [
      "are for ever and switched off",
      [age(7, { condition: forever, enabled: false })],
      null,
      false,
    ],
    ["end on a date", [age(7, { condition: untilDate })], null, false],
  ])("%s", async (_, rules, lockedSeconds, indefinite) => {
    const { value } = await read(success({ rules }));
    expect(value).toMatchObject({ lockedSeconds, indefinite });
    expect(value?.["rules"]).toHaveLength(rules.length);
  });

  test("are none where Cloudflare leaves them out", async () => {
    expect((await read(success({}))).value).toEqual({
      rules: [],
      lockedSeconds: null,
      indefinite: false,
    });
  });
});

describe("rules that cannot be read", () => {
  test("are those of a bucket that does not exist", async () => {
    const { problem } = await read(failure(404, 10_006));
    expect(problem).toContain(
      "Cloudflare has no R2 bucket flagship-archive (status 404, code 10006)",
    );
  });

  test("are denied", async () => {
    const { problem, requests } = await read(failure(403, 10_000));
    expect(problem).toBe(
      "Cloudflare does not let the token in CLOUDFLARE_API_TOKEN read R2 bucket flagship-archive (status 403, code 10000). To do: give it Workers R2 Storage:Read, for this one",
    );
    expect(requests).toHaveLength(1);
  });

  test("come at the second time", async () => {
    let asked = 0;
    const { value, requests } = await read((request, response) => {
      asked += 1;
      (asked === 1 ? failure(429) : success({ rules: [age(7)] }))(request, response);
    });
    expect(value).toMatchObject({ lockedSeconds: 7 * day });
    expect(requests).toHaveLength(2);
  });

  test.each<[string, unknown]>([
    ["of a kind that is not known", { type: "Moon" }],
    ["of a negative age", { type: "Age", maxAgeSeconds: -1 }],
    ["of an age in words", { type: "Age", maxAgeSeconds: "90" }],
    ["of an age that is left out", { type: "Age" }],
  ])("have a condition %s", async (_, condition) => {
    const { problem } = await read(success({ rules: [age(7, { condition: condition as never })] }));
    expect(problem).toMatch(/see result\.rules\.0\.condition/);
  });
});

test.each([
  ["no account", { accountId: "" }],
  ["an account with a path", { accountId: `${id}/x` }],
  ["a bucket with a path", { bucket: "a/../b" }],
  ["a bucket with capitals", { bucket: "Flagship" }],
  ["a bucket of two characters", { bucket: "ab" }],
  ["another jurisdiction", { jurisdiction: "us" }],
  ["a token", { token }],
])("a target with %s is refused", (_, change) => {
  const target = { accountId: id, bucket: "flagship-archive" };
  expect(r2Locks.target.safeParse(target).success).toBe(true);
  expect(r2Locks.target.safeParse({ ...target, ...change }).success).toBe(false);
});
