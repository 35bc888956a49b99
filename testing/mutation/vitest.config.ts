import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { tests } from "../../vitest.base.js";

/** Which package's sources are mutated (`pnpm test:mutation`). */
const mutated = process.env["MUTATED_PACKAGE"] ?? "";
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files that take longest come last, and the suite after them: most mutants are noticed by quicker tests. */
class SlowestLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      /conformance/.test(moduleId) ? 2 : Number(slow.test(moduleId));
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** Of wasm. */
const slow = /\/(?:equality|golden|hosts|masks|newton-schulz|threads|workerd)\.test/;

export default defineConfig({
  root,
  resolve: {
    // The sources, which are mutated, instead of what was built of them.
    alias: [
      {
        find: /^@gradstep\/(core|cpu-js|wasm|conformance)$/,
        replacement: `${root}packages/$1/src/index.ts`,
      },
      {
        find: /^@gradstep\/core\/(rules|interop)$/,
        replacement: `${root}packages/core/src/$1/index.ts`,
      },
      {
        find: /^@gradstep\/(core|cpu-js)\/([a-z-]+)$/,
        replacement: `${root}packages/$1/src/$2.ts`,
      },
    ],
  },
  test: {
    ...tests.test,
    // Not in browsers: each mutant would cost the start of one.
    include: [`packages/${mutated}/test/*.test.ts`, "testing/mutation/conformance.test.ts"],
    exclude: ["packages/*/test/conformance*.test.ts"],
    setupFiles: ["testing/mutation/setup.ts"],
    sequence: { sequencer: SlowestLast },
    // Files share modules, which are loaded again for each mutant.
    isolate: false,
  },
});
