import { conformance } from "@gradstep/conformance";
import { wasm } from "../../src/index.js";
import { cases } from "../../../../testing/cases.js";
import { sampledRunner } from "../../../../testing/sampled-runner.js";
import { runner } from "../runner.js";

conformance({
  backend: () => wasm(),
  cases: cases(500, 20),
  maxKernels: cases(320, 2),
  wrapsArrays: runner.wrapsArrays,
  maskTensors: runner.maskTensors,
  ...sampledRunner(runner, 1, { quick: 12, full: 4 }),
});
