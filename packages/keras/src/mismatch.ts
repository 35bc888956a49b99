import { GradstepError } from "@gradstep/core";

/** @throws {GradstepError} `STATE_MISMATCH` */
export function mismatch(what: readonly string[]): never {
  throw new GradstepError(
    `The checkpoint cannot be written for this model:\n${what.map((one) => `- ${one}`).join("\n")}`,
    { code: "STATE_MISMATCH" },
  );
}
