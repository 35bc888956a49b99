import { cpuJs as backend } from "@gradstep/cpu-js";
import type { Contender } from "./contender.js";
import { gradstepContender, inArrays } from "./gradstep.js";

/** gradstep in plain JavaScript. */
export const cpuJs: Contender = gradstepContender("cpu-js", "gradstep in plain JavaScript", () =>
  inArrays(backend()),
);
