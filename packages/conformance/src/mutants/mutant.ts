import type { ErrorModel } from "../bounds/error-model.js";
import type { Target } from "../suite/check.js";

/** A deliberate bug. */
export interface Mutant {
  readonly name: string;
  /** Where the bug is: in the text of a rule, in a backend, or in the optimizer. */
  readonly kind: "rule" | "backend" | "optimizer";
  /** The rule whose checks run first. */
  readonly rule?: string;
  /** The group of checks that run first. */
  readonly group?: string;
  /** Whether an error model allows this behavior, so that it is not a bug; false if left out. */
  readonly isAllowed?: (model: ErrorModel) => boolean;
  /** A fresh target with the bug. */
  readonly target: () => Target;
}
