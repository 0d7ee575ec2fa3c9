import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  isoTime,
  nameOf,
  resultOf,
  unreadable,
  utcTime,
} from "../../../../infra/evidence/readers/shared.ts";
import { UnreadableError } from "../../../../policies/contract/json.ts";

const lists = { passed: [], warned: [], failed: [], skipped: [] };

describe("resultOf", () => {
  test.each([
    [{}, "FAILED"],
    [{ skipped: ["a"] }, "FAILED"],
    [{ passed: ["a"] }, "PASSED"],
    [{ passed: ["a"], skipped: ["b"] }, "PASSED"],
    [{ warned: ["a"] }, "WARNED"],
    [{ passed: ["a"], warned: ["b"] }, "WARNED"],
    [{ passed: ["a"], warned: ["b"], failed: ["c"] }, "FAILED"],
  ])("of %j is %s", (some, result) => {
    expect(resultOf({ ...lists, ...some })).toBe(result);
  });
});

describe("nameOf", () => {
  test.each([
    [["a"], "a"],
    [["a", "b"], "a > b"],
    [["", " a ", "\n", "b"], "a > b"],
    [["x".repeat(512)], "x".repeat(512)],
    [["x".repeat(513)], `${"x".repeat(511)}…`],
    [["x".repeat(509), "b"], `${"x".repeat(509)} >…`],
    [["x".repeat(508), "b"], `${"x".repeat(508)} > b`],
  ])("of %j", (parts, name) => {
    expect(nameOf(parts)).toBe(name);
  });

  test.each([[[]], [[""]], [[" ", "\t"]]])("of %j is an error", (parts) => {
    expect(() => nameOf(parts)).toThrow(UnreadableError);
  });
});

describe("isoTime", () => {
  test.each([
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31T12:00:00", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"],
    ["2026-01-31T00:30:00+01:00", "2026-01-30T23:30:00.000Z"],
    ["2026-01-31T00:30:00-0100", "2026-01-31T01:30:00.000Z"],
    ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ])("%s", (text, time) => {
    expect(isoTime(text)).toBe(time);
  });

  test.each([
    "",
    "now",
    "2026-01-31",
    "2026-01-31 12:00:00",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-31T25:00:00Z",
    "2026-01-31T12:00:00 CET",
    "1970-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-23:59",
    "1769860800000",
    " 2026-01-31T12:00:00Z",
  ])("%j is an error", (text) => {
    expect(() => isoTime(text)).toThrow(UnreadableError);
  });

  property.prop([fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })])(
    "gives back what it gave",
    (date) => {
      expect(isoTime(date.toISOString())).toBe(date.toISOString());
      expect(utcTime(date.getTime())).toBe(date.toISOString());
    },
  );

  property.prop([fc.oneof(fc.string(), fc.stringMatching(/^[\d:.TZ+-]{1,30}$/))])(
    "throws nothing else",
    (text) => {
      try {
        expect(isoTime(text)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableError);
      }
    },
  );
});

describe("utcTime", () => {
  test.each([-1, NaN, Infinity, 253_402_300_800_000])("%d is an error", (milliseconds) => {
    expect(() => utcTime(milliseconds)).toThrow(UnreadableError);
  });
});

test("an error's text has no control characters and an end", () => {
  const { message } = unreadable(`a\u0007\u200B${"b".repeat(1000)}`);
  expect(message).toBe(`a??${"b".repeat(397)}`);
});
