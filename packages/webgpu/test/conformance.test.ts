import { conformance, wgsl } from "@gradstep/conformance";
import { describe as group, test } from "vitest";
import { cases, isFull, seed } from "../../../testing/cases.js";
import { conformanceSample } from "./conformance-sample.js";
import { describe, newBackend } from "./gpu.js";

describe(`conformance (${isFull ? "all checks" : "a quarter of the checks"}, seed ${seed})`, () => {
  conformance({
    backend: newBackend,
    model: wgsl,
    wrapsArrays: false,
    // Each case is a round trip to the device.
    cases: cases(200, 20),
    sequences: cases(200, 10),
    maxKernels: cases(Infinity, 6),
    seed,
    ...conformanceSample({ describe: group, test }, 0, async () =>
      (await newBackend()).wrap(new Float32Array(1) as never),
    ),
  });
});
