import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "./error-tracker.js";

/** Does work on a queue. If the device refuses it, `ready` rejects. @param purpose of the work: `copy a tensor` */
export function captureValidationError(
  errors: ErrorTracker,
  purpose: string,
  work: () => void,
): void {
  errors.capture(
    "validation",
    work,
    (message) =>
      new GradstepError(
        `The device could not ${purpose}: ${message}. Do not destroy a wrapped buffer before its tensor is freed.`,
        { code: "INVALID_MEMORY" },
      ),
  );
}
