import { describe, expect, test } from "vitest";
import {
  areDifferent,
  factAt,
  factPath,
  factProblem,
  isSame,
} from "../../../policies/checks/fact-path.ts";
import { readyFacts } from "../../support/samples.ts";

const digest = `sha256:${"4f".repeat(32)}`;
const otherDigest = `sha256:${"5f".repeat(32)}`;

test.each<readonly [string, unknown]>([
  ["release.version", "v1.1.0"],
  ["release.images.api", `registry.example.com/orders/api@${digest}`],
  ["release.migrations", ["0001_orders.sql"]],
  ["before.record.release", "v1.0.0"],
  ["before.record.verdicts.phase-in-order", "pass"],
  ["before.times.lower-ttl", "2026-03-02T10:00:00Z"],
  ["before.ttl.seconds", 60],
  ["declared.services.web.port", "8080"],
  ["owners.rollback", "release-manager@example.com"],
  ["covers.databases", ["orders"]],
  ["ttlSeconds", 60],
  ["phase", "cutover"],
])("%s is a fact", (path, value) => {
  expect(factProblem(path)).toBeUndefined();
  expect(factPath.safeParse(path).success).toBe(true);
  expect(factAt(path, readyFacts)).toEqual(value);
});

test.each([
  "",
  "release",
  "release.",
  "release.verison",
  "release.images",
  "release.images.",
  "before",
  "before.record",
  "before.times.launch",
  "declared",
  "declared.",
  "owners",
  "covers.queues",
  "ttlSeconds.x",
  "clockScale",
  "constructor",
  "__proto__.x",
  "row.name",
])("%j is no fact", (path) => {
  expect(factProblem(path)).toMatch(/^no fact has this path; the facts are release\.…, before\.…/);
  expect(factPath.safeParse(path).success).toBe(false);
});

test.each(["declared.constructor", "declared.services", "owners.toString", "release.images.web"])(
  "%s is not there",
  (path) => {
    expect(factAt(path, readyFacts)).toBeUndefined();
  },
);

describe("two texts", () => {
  test.each([
    ["v1.1.0", "v1.1.0"],
    ["v1.1.0", "1.1.0"],
    [`registry.example.com/api@${digest}`, `mirror.example.com/other:v1@${digest}`],
    [digest, `registry.example.com/api@${digest}`],
  ])("%s is %s", (one, other) => {
    expect([isSame(one, other), isSame(other, one)]).toEqual([true, true]);
    expect([areDifferent(one, other), areDifferent(other, one)]).toEqual([false, false]);
  });

  test.each([
    ["other letters", "V1.1.0", "v1.1.0"],
    ["a number in another form", "1.0", "1"],
    ["a short commit", "c0ffee0", "c0ffee0".padEnd(40, "0")],
    ["a character that nobody sees", "alice", "al\u200Bice"],
    ["an accent in two ways", "ren\u00E9", "rene\u0301"],
    ["wide letters", "alice", "\uFF41lice"],
    ["one space more", "Alice Doe", "Alice  Doe"],
    ["an image by its tag", "registry.example.com/api:v1", `registry.example.com/api@${digest}`],
  ])("may be the same: %s", (_, one, other) => {
    expect([isSame(one, other), areDifferent(one, other)]).toEqual([false, false]);
    expect([isSame(other, one), areDifferent(other, one)]).toEqual([false, false]);
  });

  test.each([
    ["versions", "v1.1.0", "v1.1.1"],
    ["a candidate", "v1.1.0-rc1", "v1.1.0"],
    ["numbers", "1", "2"],
    ["digests", `registry.example.com/api@${digest}`, `registry.example.com/api@${otherDigest}`],
    ["commits", "c0ffee0".padEnd(40, "0"), "c0ffee1".padEnd(40, "0")],
    ["nothing and zero", "x", "0"],
    ["names", "alice", "alicia"],
  ])("are different: %s", (_, one, other) => {
    expect([isSame(one, other), areDifferent(one, other)]).toEqual([false, true]);
    expect([isSame(other, one), areDifferent(other, one)]).toEqual([false, true]);
  });
});
