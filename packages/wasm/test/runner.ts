import type { Runner } from "@gradstep/conformance";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/index.js";

// It wraps only arrays that lie in its own memory (memory.test.ts). What needs another does not apply; that it is
// refused is what there is to test.
const skip = (name: string): void => {
  test(`does not apply, and is refused: ${name}`, () => {
    expect(() => wasm().wrap(new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "INVALID_MEMORY" }),
    );
  });
};
const run = test.bind(undefined) as (name: string, body: () => Promise<void>) => void;

/** The suite's runner, and what it needs to know of this backend. */
export const runner: Runner & { readonly wrapsArrays: false } = {
  describe,
  test: Object.assign(run, { skip }),
  wrapsArrays: false,
};
