import { readFileSync } from "node:fs";
import { keyOf } from "./mutant-list.mjs";

/**
 * Keeps Stryker from running what is not in the sample: a range of source holds the mutants of its parts, too. A
 * checker is told of each mutant before its tests, and a mutant that it refuses is not run.
 */
class OnlySampled {
  #keys = new Set();

  async init() {
    this.#keys = new Set(JSON.parse(readFileSync(process.env.SAMPLED_MUTANTS, "utf8")));
  }

  async check(mutants) {
    return Object.fromEntries(
      mutants.map((mutant) => [
        mutant.id,
        this.#keys.has(keyOf(mutant))
          ? { status: "passed" }
          : { status: "compileError", reason: "not in the sample" },
      ]),
    );
  }

  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }
}

export const strykerPlugins = [
  { kind: "Checker", name: "only-sampled", injectableClass: OnlySampled },
];
