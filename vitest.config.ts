import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // CI reads its closing line from the second one.
    reporters:
      process.env["CI"] === undefined
        ? ["default"]
        : ["default", ["json", { outputFile: ".vitest/results.json" }]],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Engine tests start several processes each; more at once only makes them wait for each other.
    maxWorkers: 2,
  },
});
