import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Engine tests start several processes each; more at once only makes them wait for each other.
    maxWorkers: 2,
  },
});
