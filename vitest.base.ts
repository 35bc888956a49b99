import { defineConfig } from "vitest/config";
import { leftOutFiles } from "./testing/left-out-files.js";

/**
 * How much runs: `quick` (`npm test`), `full` (`pnpm test:full`), `rest` (`full` less what `npm test` runs in the same way,
 * in `.ci/run`) or `exhaustive` (`pnpm test:exhaustive`).
 */
const { GRADSTEP_TEST = "quick", GRADSTEP_SEED = "" } = process.env;

/** Files that the level leaves out: `exclude` of every project. Vitest runs in the folder of a package. */
export const leftOut = leftOutFiles(GRADSTEP_TEST, process.cwd());

/** What every package's tests have in common. */
export const tests = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...leftOut],
    // Where `rest` leaves nothing to run.
    passWithNoTests: GRADSTEP_TEST === "rest",
    // Tests in a browser see these, too.
    env: { GRADSTEP_TEST, GRADSTEP_SEED },
    // Nothing here measures time, and a machine that builds at the same time is slow: only a hang is a failure.
    testTimeout: GRADSTEP_TEST === "quick" ? 300_000 : 3_600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 250_000 } },
    // Turbo runs several packages at once, and each worker loads their modules once more.
    maxWorkers: "50%",
    // Tests leave nothing behind: a third of the time went into loading modules once more for each file.
    isolate: false,
    // Most of what tests allocate is short-lived: with a larger nursery, a tenth of the time goes into collecting it. Most
    // functions run seldom: compiled only when they are hotter than usual, a sixth of the time goes.
    execArgv: [
      "--max-semi-space-size=32",
      "--interrupt-budget=1000000",
      `--import=${new URL("testing/poll-each-millisecond.mjs", import.meta.url).href}`,
    ],
    // Node loads what is built as an application's Node does: neither transformed nor found once more per package.
    server: { deps: { external: [/\/(?:packages|apps|examples)\/[^/]+\/dist\//] } },
  },
});
