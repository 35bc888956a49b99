import { cpuJs as backend } from "@gradstep/cpu-js";
import type { Contender } from "./contender.js";
import { gradstepContender, inPlace } from "./gradstep.js";

/** gradstep's plain JavaScript with the bits of the f32 reference. */
export const cpuJsExact: Contender = gradstepContender(
  "cpu-js-exact",
  "the same, rounded to f32 at every operation",
  () => inPlace(backend({ exact: true })),
);
