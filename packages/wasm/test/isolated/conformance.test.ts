import { conformance } from "@gradstep/conformance";
import { cases } from "../../../../testing/cases.js";
import { sampledRunner } from "../../../../testing/sampled-runner.js";
import { runner } from "../runner.js";
import { threaded } from "../threaded.js";

conformance({
  backend: await threaded(),
  cases: cases(500, 20),
  maxKernels: cases(320, 2),
  ...runner,
  ...sampledRunner(runner, 2, { quick: 12, full: 4 }),
});
