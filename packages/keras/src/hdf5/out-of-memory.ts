import { GradstepError } from "@gradstep/core";

/** Whether an error says that an array or WebAssembly memory could not be allocated. */
export function isOutOfMemory(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  return /out of memory|enlarge memory|allocation failed|bad_alloc/i.test(message);
}

/** @param done what cannot be done with the file: `written` */
export function outOfMemory(done: "read" | "written", cause: unknown): GradstepError {
  return new GradstepError(
    `There is no memory for the HDF5 file to be ${done}: it is in WebAssembly memory, which holds 2 GiB, and once more in arrays. Use smaller files, or a process with more memory.`,
    { code: "OUT_OF_MEMORY", cause },
  );
}
