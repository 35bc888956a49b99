import { GradstepError } from "../errors.js";
import type { Tensor } from "./backend.js";

/** The error for a tensor that cannot be used any more. @param what what it is, as the message begins */
export function notLive(what: string, { detached }: Tensor): GradstepError {
  return new GradstepError(
    detached === true
      ? `${what} lost its memory: the buffer was transferred or resized, or wasm memory has grown. Wrap the new memory.`
      : `${what} was freed; expected a live tensor.`,
    { code: "DISPOSED" },
  );
}

/** The error for a staging tensor before the first `stage`. @param what what it is, as the message begins */
export function withoutValues(what: string): GradstepError {
  return new GradstepError(`${what} has no values yet; give it some with stage().`, {
    code: "INVALID_MEMORY",
  });
}
