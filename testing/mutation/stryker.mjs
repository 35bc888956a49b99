import { Stryker } from "@stryker-mutator/core";

/**
 * Runs mutants of one package.
 *
 * @param {string} name the package
 * @param {object} options those of Stryker that are not the same for every run, and the `level` of the tests; `timeoutMS`
 * is long, as most endless loops are noticed by a count of turns, and a slow machine must not pass for one
 * @returns the results of all mutants
 */
export function runStryker(name, { plugins = [], level = "full", ...options }) {
  // The tests run in child processes: they inherit these.
  Object.assign(process.env, {
    MUTATED_PACKAGE: name,
    GRADSTEP_TEST: level,
    GRADSTEP_SEED: "1",
  });
  return new Stryker({
    testRunner: "vitest",
    vitest: { configFile: "testing/mutation/vitest.config.ts", related: false },
    plugins: [
      "@stryker-mutator/vitest-runner",
      "./testing/mutation/ignore-messages.mjs",
      ...plugins,
    ],
    ignorers: ["messages"],
    coverageAnalysis: "perTest",
    warnings: { slow: false },
    timeoutFactor: 2,
    dryRunTimeoutMinutes: 30,
    ignorePatterns: ["/apps", "/examples", "/docs", ".turbo", "/packages/{webgpu,tfjs,gradstep}"],
    tempDirName: ".stryker-tmp/sandbox",
    allowEmpty: true,
    ...options,
  }).runMutationTest();
}
