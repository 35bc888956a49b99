import { GradstepError, show } from "@gradstep/core";

/** The error for an id that is not listed. */
export function unknownCheckpoint(id: string, store: string): GradstepError {
  return new GradstepError(
    `There is no checkpoint ${show(id)} in ${store}. It was removed, or never saved. list() gives the ids.`,
    { code: "STORE_FAILED" },
  );
}
