import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { tests } from "../../vitest.base.js";

/** Which package's sources are mutated (`pnpm test:mutation`). */
const mutated = process.env["MUTATED_PACKAGE"] ?? "";
const root = fileURLToPath(new URL("../..", import.meta.url));

/** How long each file took when it first ran, with all of its tests. */
const durations = new Map<string, number>();

/** The quickest files first, and the suite last: most mutants are noticed by quick tests. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const { moduleId } of files) {
      const known = this.ctx.cache.getFileTestResults(`:${relative(root, moduleId)}`);
      if (known !== undefined && !durations.has(moduleId)) durations.set(moduleId, known.duration);
    }
    const rank = ({ moduleId }: TestSpecification): number =>
      /conformance/.test(moduleId) ? Infinity : (durations.get(moduleId) ?? 0);
    const isBefore = (a: TestSpecification, b: TestSpecification): boolean =>
      rank(a) === rank(b) ? a.moduleId < b.moduleId : rank(a) < rank(b);
    return files.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}

/** The source of each entry of a package, read from its exports: an entry that is missing here would be tested as it was built. */
function sourcesOf(name: string): { find: RegExp; replacement: string }[] {
  const text = readFileSync(`${root}packages/${name}/package.json`, "utf8");
  const { exports } = JSON.parse(text) as { exports: Record<string, { default?: string }> };
  return Object.entries(exports).flatMap(([entry, { default: built }]) =>
    built === undefined
      ? []
      : [
          {
            find: new RegExp(`^@gradstep/${name}${entry.slice(1)}$`),
            replacement: `${root}packages/${name}/${built.replace("./dist/", "src/").replace(/\.js$/, ".ts")}`,
          },
        ],
  );
}

export default defineConfig({
  root,
  resolve: {
    // The sources, which are mutated, instead of what was built of them.
    alias: ["core", "cpu-js", "wasm", "conformance"].flatMap(sourcesOf),
  },
  test: {
    ...tests.test,
    // Stryker runs tests in a thread, which takes no options of V8.
    execArgv: [],
    // Not in browsers: each mutant would cost the start of one.
    include: [`packages/${mutated}/test/*.test.ts`, "testing/mutation/conformance.test.ts"],
    exclude: ["packages/*/test/conformance*.test.ts"],
    setupFiles: ["testing/mutation/setup.ts"],
    sequence: { sequencer: QuickestFirst },
    // Files share modules, which are loaded again for each mutant.
    isolate: false,
  },
});
