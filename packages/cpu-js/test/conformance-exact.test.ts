import { conformance } from "@gradstep/conformance";
import { cases } from "../../../testing/cases.js";
import { hostRunner } from "../../../testing/host-runner.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { cpuJs } from "../src/index.js";

const backend = () => cpuJs({ exact: true });
const runner = hostRunner(backend);

conformance({
  backend,
  cases: cases(1000, 20),
  maxKernels: cases(320, 4),
  maskTensors: runner.maskTensors,
  ...sampledRunner(runner, 0, { quick: 12 }),
});
