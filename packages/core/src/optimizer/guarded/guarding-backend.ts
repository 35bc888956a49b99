import type { Backend } from "../../backend/backend.js";
import type { Guard, GuardOptions } from "../../backend/guard.js";
import { propertyOf } from "../../argument-checks/property-of.js";
import type { GuardSteps } from "./guarded-steps.js";

/** A backend that lets the device decide which steps are skipped: one whose tensors have no `view`. */
export interface GuardingBackend extends Backend {
  guard(options: GuardOptions): Guard;
  /**
   * The function `guardSteps` of `@gradstep/core`. It is the backend that imports it, so that applications whose backends
   * need no guard load none of it.
   */
  readonly guardSteps: GuardSteps;
}

/** Whether a backend has a guard. Without one, and without a `view` of gradients, it takes every step. */
export function isGuarding(backend: Backend): backend is GuardingBackend {
  return ["guard", "guardSteps"].every((name) => propertyOf(backend, name) !== undefined);
}
