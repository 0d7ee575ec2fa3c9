import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { quantity } from "../../../policies/checks/quantity.ts";

describe("a quantity", () => {
  test.each([
    [0, 0],
    [44, 44],
    [0.001, 0.001],
    ["0.1%", 0.001],
    ["100%", 1],
    ["0.07%", 0.0007],
    ["500ms", 0.5],
    ["1ms", 0.001],
    ["90s", 90],
    ["1.5s", 1.5],
    ["5m", 300],
    ["24h", 86_400],
    ["7d", 604_800],
    ["0s", 0],
  ])("%j is %d", (written, number) => {
    expect(quantity.parse(written)).toEqual({ number, text: String(written) });
  });

  test.each([
    -1,
    Number.NaN,
    Infinity,
    "",
    "44",
    "5 m",
    "-5m",
    "+5m",
    "5M",
    ".5s",
    "5.s",
    "5w",
    "1e3s",
    "5m5s",
    "1234567890s",
    "5m\n",
    null,
    true,
    [5],
    {},
  ])("%j is none", (written) => {
    expect(quantity.safeParse(written).success).toBe(false);
  });

  test("a refusal says what it takes", () => {
    expect(quantity.safeParse("44").error?.issues[0]?.message).toBe(
      "a number, with %, ms, s, m, h or d",
    );
    expect(quantity.safeParse(true).error?.issues[0]?.message).toMatch(
      /^a number from 0 on, alone/,
    );
  });

  test("has a JSON Schema for editors", () => {
    expect(z.toJSONSchema(quantity, { io: "input" }).anyOf).toHaveLength(2);
  });

  property.prop([fc.nat({ max: 999_999 })])(
    "a percent is a hundredth, to the last digit",
    (part) => {
      expect(quantity.parse(`${part}%`).number).toBe(part / 100);
    },
  );

  property.prop([fc.string()])(
    "a text is refused or is a number that is not below zero",
    (text) => {
      const { data } = quantity.safeParse(text);
      if (data !== undefined) expect(data.number).toBeGreaterThanOrEqual(0);
    },
  );
});
