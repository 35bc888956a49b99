import type { Runner } from "@gradstep/conformance";
import { expect, test } from "vitest";
import { hostRunner } from "../../../testing/host-runner.js";
import { wasm } from "../src/index.js";

const host = hostRunner(() => wasm());

// This backend wraps only arrays in its own memory (memory.test.ts). Tests that wrap other arrays do not apply: they test
// instead that such an array is refused.
const testRefusal = (name: string): void => {
  test(`does not apply, and is refused: ${name}`, () => {
    expect(() => wasm().wrap(new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "INVALID_MEMORY" }),
    );
  });
};
const skip: Runner["test"]["skip"] = (name, body) =>
  name.includes("maskOf") ? host.test.skip(name, body) : testRefusal(name);

/** The runner of the conformance suite, and what it must know about this backend. */
export const runner: typeof host & { readonly wrapsArrays: false } = {
  ...host,
  test: Object.assign(test.bind(undefined) as Runner["test"]["skip"], { skip }),
  wrapsArrays: false,
};
