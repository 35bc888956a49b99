import type { Runner } from "@gradstep/conformance";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/index.js";

// This backend wraps only arrays in its own memory (memory.test.ts). Tests that wrap other arrays do not apply: they test
// instead that such an array is refused.
const skip = (name: string): void => {
  test(`does not apply, and is refused: ${name}`, () => {
    expect(() => wasm().wrap(new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "INVALID_MEMORY" }),
    );
  });
};
const run = test.bind(undefined) as (name: string, body: () => Promise<void>) => void;

/** The runner of the conformance suite, and what it must know about this backend. */
export const runner: Runner & { readonly wrapsArrays: false } = {
  describe,
  test: Object.assign(run, { skip }),
  wrapsArrays: false,
};
