import { conformance } from "@gradstep/conformance";
import { describe, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { cpuJs } from "../src/index.js";

conformance({
  backend: () => cpuJs({ exact: true }),
  cases: cases(1000, 20),
  maxKernels: cases(Infinity, 4),
  ...sampledRunner({ describe, test }, 0, 3),
});
