import { conformance } from "@gradstep/conformance";
import { cases } from "../../../testing/cases.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { wasm } from "../src/index.js";
import { runner } from "./runner.js";

conformance({
  backend: () => wasm(),
  cases: cases(1000, 20),
  maxKernels: cases(320, 4),
  wrapsArrays: runner.wrapsArrays,
  maskTensors: runner.maskTensors,
  ...sampledRunner(runner, 0, { quick: 8 }),
});
