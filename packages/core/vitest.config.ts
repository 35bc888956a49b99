import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Far above what any test needs: machines that build at the same time are slow.
    testTimeout: 60_000,
  },
});
