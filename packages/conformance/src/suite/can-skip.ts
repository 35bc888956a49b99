import { isGuarding, type Backend } from "@gradstep/core";

/** Whether a step can be skipped: JavaScript can look at gradients, or the backend does. */
export function canSkip(backend: Backend): boolean {
  return isGuarding(backend) || "view" in backend.tensor([1]);
}
