import { conformance } from "@gradstep/conformance";
import { cases } from "../../../testing/cases.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { runner } from "./runner.js";
import { threaded } from "./threaded.js";

conformance({
  backend: await threaded(),
  cases: cases(1000, 20),
  maxKernels: cases(320, 4),
  ...runner,
  ...sampledRunner(runner, 0, { quick: 4, full: 2 }),
});
