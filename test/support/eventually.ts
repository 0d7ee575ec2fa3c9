import { vi } from "vitest";

/** Waits until a check stops throwing. Its patience is for slow machines: what never holds fails after 15 s. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 15_000, interval: 25 });
}
