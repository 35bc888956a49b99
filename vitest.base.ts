import { defineConfig } from "vitest/config";

/** `full` (`pnpm test:full`) runs every case; otherwise tests run a sample of their random cases and mutants. */
const { GRADSTEP_TEST = "sample", GRADSTEP_SEED = "" } = process.env;

/** What every package's tests have in common. */
export const tests = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests in a browser see these, too.
    env: { GRADSTEP_TEST, GRADSTEP_SEED },
    // Nothing here measures time, and a machine that builds at the same time is slow: only a hang is a failure.
    testTimeout: GRADSTEP_TEST === "full" ? 1_500_000 : 300_000,
    hookTimeout: 300_000,
    // Tests leave nothing behind: a third of the time went into loading modules once more for each file.
    isolate: false,
    // Most of what tests allocate is short-lived: with a larger nursery, a tenth of the time goes into collecting it.
    execArgv: ["--max-semi-space-size=32"],
    // Node loads what is built as an application's Node does: neither transformed nor found once more per package.
    server: { deps: { external: [/\/(?:packages|apps|examples)\/[^/]+\/dist\//] } },
  },
});
