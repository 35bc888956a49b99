import { GradstepError } from "@gradstep/core";

/** @param what was got and expected, for the message. */
export function mismatch(what: string): GradstepError {
  return new GradstepError(
    `The weights do not belong to this optimizer: ${what}. Pass the result of getWeights() of an optimizer with the same rule and options.`,
    { code: "STATE_MISMATCH" },
  );
}
