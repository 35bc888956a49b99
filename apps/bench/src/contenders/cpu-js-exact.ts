import { cpuJs as backend } from "@gradstep/cpu-js";
import type { Contender } from "./contender.js";
import { gradstepContender, inArrays } from "./gradstep.js";

/** gradstep in plain JavaScript, with the results of the f32 reference to the last bit. */
export const cpuJsExact: Contender = gradstepContender(
  "cpu-js-exact",
  "the same, rounded to f32 after every operation",
  () => inArrays(backend({ exact: true })),
);
