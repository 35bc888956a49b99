import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The driver is found through the environment, which a worker thread has only a copy of.
    pool: "forks",
    // A driver in software takes all processors by itself.
    fileParallelism: false,
    testTimeout: 120_000,
  },
});
