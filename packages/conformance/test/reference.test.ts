import { reference } from "@gradstep/core/reference";
import { cases } from "../../../testing/cases.js";
import { hostRunner } from "../../../testing/host-runner.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { conformance } from "../src/suite/conformance.js";

const runner = hostRunner(reference);
conformance({
  backend: reference,
  cases: cases(1000, 20),
  maxKernels: cases(320, 4),
  maskTensors: runner.maskTensors,
  ...sampledRunner(runner, 0, { quick: 18 }),
});
