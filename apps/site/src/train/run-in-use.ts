import { GradstepError } from "@gradstep/core";

/** The name of the error, which is what a worker passes on. */
export const runInUse = "RunInUseError";

/** The error of a run whose checkpoints another tab writes; any other error as it is. */
export function asRunInUse(error: unknown): unknown {
  if (!(error instanceof GradstepError) || error.code !== "STORE_LOCKED") return error;
  const inUse = new Error("The run is open in another tab. Continue it there, or close that tab.");
  inUse.name = runInUse;
  return inUse;
}
