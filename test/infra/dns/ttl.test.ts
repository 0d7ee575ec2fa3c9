import { describe, expect, test } from "vitest";
import {
  dwellSeconds,
  longestLife,
  proxiedNames,
  skipsTtl,
  stageOf,
  ttlStages,
  unproxiedNames,
} from "../../../infra/dns/ttl.ts";
import { phases } from "../../../policies/contract/phase.ts";
import { sampleDns } from "./sample.ts";

const shownAt = "2026-03-02T10:00:00.000Z";
const lowered = { seconds: 60, previousSeconds: 3600, changedAt: shownAt };
const now = Date.parse(shownAt);

describe("the stages", () => {
  test("go round in the order of the phases, and end with the TTL that they began with", () => {
    expect(ttlStages.map(({ stage, phase, ttl }) => [stage, phase, ttl])).toEqual([
      ["baseline", "prepare", "baseline"],
      ["lowered", "lower-ttl", "lowered"],
      ["dwelled", "lower-ttl", "lowered"],
      ["switched", "cutover", "lowered"],
      ["raised", "finalize", "baseline"],
    ]);
    const order = ttlStages.map(({ phase }) => phases.indexOf(phase));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test.each([
    ["prepare", "baseline"],
    ["cutover", "switched"],
    ["observe", "switched"],
    ["finalize", "raised"],
    ["decommission", "raised"],
  ] as const)("after %s a stack is at %s, whatever the time", (phase, stage) => {
    for (const time of [now, now + 3_600_000]) {
      expect(stageOf({ phase, ttl: lowered, clockScale: 1, now: time })?.stage).toBe(stage);
    }
  });

  test.each([
    ["when it is shown", now, 1, "lowered"],
    ["a millisecond before the TTL before has run out", now + 3_599_999, 1, "lowered"],
    ["when the TTL before has run out", now + 3_600_000, 1, "dwelled"],
    ["when it has in scaled time", now + 1000, 3600, "dwelled"],
    ["a millisecond before it has in scaled time", now + 999, 3600, "lowered"],
  ] as const)("after lower-ttl, %s, it is %s", (_, time, clockScale, stage) => {
    const standing = { phase: "lower-ttl", ttl: lowered, clockScale, now: time } as const;

    expect(stageOf(standing)?.stage).toBe(stage);
  });

  test("are told with what comes next, and until when that waits", () => {
    const standing = { phase: "lower-ttl", ttl: lowered, clockScale: 1, now } as const;

    expect(stageOf(standing)?.text).toBe(
      "DNS answers live 60 s: lowered; dwelled waits for answers from before to run out, " +
        "for as long as the TTL before, until 2026-03-02T11:00:00.000Z",
    );
    expect(stageOf({ ...standing, phase: "finalize" })?.text).toBe("DNS answers live 60 s: raised");
  });

  test.each([
    ["never ran", { phase: null, ttl: null }],
    ["knows no TTL", { phase: "prepare", ttl: null }],
  ] as const)("are unknown of a stack that %s", (_, standing) => {
    expect(stageOf({ ...standing, clockScale: 1, now })).toBeUndefined();
  });
});

test.each([
  ["as long as the TTL", 3600, 3600],
  ["five minutes for the automatic one", 1, 300],
  ["two seconds for two", 2, 2],
])("answers from before live %s", (_, previous, seconds) => {
  expect(dwellSeconds(previous)).toBe(seconds);
});

describe("after a second change", () => {
  const day = { seconds: 3600, previousSeconds: 86_400, changedAt: shownAt };
  const later = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

  test.each([
    ["at once, answers of the first TTL live longest", day, 0, 1, 86_400],
    ["they live so much less", day, 600, 1, 85_800],
    ["until the second TTL outlives them", day, 82_800, 1, 3600],
    ["for good", day, 1_000_000, 1, 3600],
    ["scaled time passes faster", day, 1, 600, 85_800],
    ["an automatic TTL is five minutes", { ...day, seconds: 1, previousSeconds: 60 }, 0, 1, 300],
  ] as const)("%s", (_, before, seconds, clockScale, life) => {
    expect(longestLife(before, later(seconds), clockScale)).toBe(life);
  });
});

describe("TTL phases", () => {
  const reason = "the proxy hides the origin";

  test.each([
    ["none where no name moves", {}, true],
    ["none where a proxy answers for each", { "app.example.com": { proxied: reason } }, true],
    [
      "needed for one that no proxy answers for",
      { "app.example.com": { proxied: reason }, "api.example.org": {} },
      false,
    ],
    ["needed for all that no proxy answers for", { "app.example.com": {} }, false],
  ])("are %s", (_, names, skips) => {
    expect(skipsTtl(sampleDns({ names }))).toBe(skips);
  });

  test("tell who is proxied and why, and who is not", () => {
    const dns = sampleDns({
      names: { "app.example.com": { proxied: reason }, "api.example.org": {} },
    });

    expect(proxiedNames(dns)).toEqual({ "app.example.com": reason });
    expect(unproxiedNames(dns)).toEqual(["api.example.org"]);
  });
});
