import { cpuJs as backend } from "@gradstep/cpu-js";
import type { Contender } from "./contender.js";
import { gradstepContender, inPlace } from "./gradstep.js";

/** gradstep's plain JavaScript. */
export const cpuJs: Contender = gradstepContender("cpu-js", "gradstep in plain JavaScript", () =>
  inPlace(backend()),
);
