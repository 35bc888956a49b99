import { conformance, wgsl } from "@gradstep/conformance";
import { expect, test } from "vitest";
import { backendOnSharedDevice, describe } from "./gpu.js";

// What needs a Float32Array to be wrapped does not apply; that it is refused is what there is to test.
const skip = (name: string): void => {
  test(`does not apply, and is refused: ${name}`, async () => {
    const backend = await backendOnSharedDevice();
    expect(() => backend.wrap(new Float32Array(1) as never)).toThrow("expected a GPUBuffer");
  });
};

const run = test.bind(undefined) as (name: string, body: () => Promise<void>) => void;

describe("conformance", () => {
  conformance({
    backend: backendOnSharedDevice,
    model: wgsl,
    wrapsArrays: false,
    // Each is a round trip to the device; `pnpm conformance verify webgpu` runs as many as one likes.
    cases: 100,
    sequences: 200,
    describe,
    test: Object.assign(run, { skip }),
  });
});
