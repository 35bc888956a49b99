import { defineConfig } from "vitest/config";

/** What every package's tests have in common. */
export const tests = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Nothing here measures time, and a machine that builds at the same time is slow: only a hang is a failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Tests leave nothing behind: a third of the time went into loading modules once more for each file.
    isolate: false,
  },
});
