import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Some train; on a busy machine with two cores that takes a while.
    testTimeout: 60_000,
  },
});
