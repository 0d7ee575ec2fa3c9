import { z } from "zod";

/** A limit as it was written, and its number: a share for percents, seconds for lengths of time. */
export interface Quantity {
  readonly number: number;
  readonly text: string;
}

const factors: Readonly<Record<string, number>> = {
  "%": 0.01,
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

/** A number that is not below zero, alone or with a unit: `44`, `0.1%`, `500ms`, `5m`, `24h`, `7d`. */
export const quantity = z
  .union(
    [
      z.number().min(0),
      z
        .string()
        .regex(/^\d{1,9}(?:\.\d{1,9})?(?:%|ms|s|m|h|d)$/, "a number, with %, ms, s, m, h or d"),
    ],
    "a number from 0 on, alone or with one of the units %, ms, s, m, h and d",
  )
  .transform((value): Quantity => {
    if (typeof value === "number") return { number: value, text: String(value) };
    const unit = value.replace(/^[\d.]+/, "");
    // Rounded, because 0.1 % of a double is no 0.001.
    const number = Number((Number.parseFloat(value) * (factors[unit] ?? 1)).toPrecision(12));
    return { number, text: value };
  });
