import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // For machines that do other things at the same time: nothing here measures time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
