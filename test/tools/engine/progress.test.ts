import { afterEach, expect, it, vi } from "vitest";
import { sayElapsed, withTicks } from "../../../tools/engine/progress.ts";

afterEach(() => void vi.useRealTimers());

it.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 min 0 s"],
  [245_000, "4 min 5 s"],
])("calls %i ms %s", (milliseconds, text) => {
  expect(sayElapsed(milliseconds)).toBe(text);
});

it("says every few seconds how far the work is, and stops with it", async () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  let done = 0;
  let finish = () => {};
  const work = withTicks(
    (line) => lines.push(line),
    () => `compiled ${done} packages`,
    () => new Promise<void>((resolve) => (finish = resolve)),
  );
  done = 7;
  await vi.advanceTimersByTimeAsync(10_000);
  finish();
  await work;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toEqual(["  compiled 7 packages, 5 s", "  compiled 7 packages, 10 s"]);
});
