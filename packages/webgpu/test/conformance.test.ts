import { conformance, wgsl } from "@gradstep/conformance";
import { describe as group, test } from "vitest";
import { cases, isFull, seed } from "../../../testing/cases.js";
import { conformanceSample } from "./conformance-sample.js";
import { describe, newBackend } from "./gpu.js";

// With a mask, Prodigy binds one buffer more than the eight that a default device allows.
const suiteBackend = () => newBackend({ maxStorageBuffersPerShaderStage: 9 });

describe(`conformance (${isFull ? "all checks" : "some of the checks"}, seed ${seed})`, () => {
  conformance({
    backend: suiteBackend,
    model: wgsl,
    wrapsArrays: false,
    // Each case is a round trip to the device.
    cases: cases(40, 10),
    sequences: cases(40, 4),
    // A shader with reductions takes seconds to compile on the CPU, and Muon alone has hundreds of variants.
    maxKernels: cases(8, 2),
    seed,
    ...conformanceSample({ describe: group, test }, 0, async () =>
      (await suiteBackend()).wrap(new Float32Array(1) as never),
    ),
  });
});
