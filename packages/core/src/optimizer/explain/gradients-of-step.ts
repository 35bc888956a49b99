import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { GradstepError } from "../../errors.js";
import { propertyOf } from "../../argument-checks/property-of.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import {
  checkSparseGradient,
  isSparseGradient,
  type SparseGradient,
} from "../sparse/sparse-gradient.js";
import { checkIsTable, unknownParameters } from "../step/gradient-table-checks.js";
import { checkGradient, type Gradients } from "../step/gradients.js";

/** The gradients of a step, or that of the explained parameter alone. */
export type GivenGradients = Gradients | Values | Tensor | SparseGradient;

/**
 * Gradients by name, checked as a step does.
 * @param needed the parameter that must have one
 * @throws {GradstepError} as `optimizer.step` does
 */
export function gradientsOfStep(
  given: GivenGradients,
  byName: ReadonlyMap<string, ParameterRecord>,
  needed: string,
): Gradients {
  const isOne =
    ArrayBuffer.isView(given) ||
    isSparseGradient(given) ||
    typeof propertyOf(given, "read") === "function";
  const gradients = (isOne ? { [needed]: given } : given) as Gradients;
  checkIsTable(gradients);
  if ((gradients[needed] ?? undefined) === undefined)
    throw new GradstepError(`Got no gradient for "${needed}"; expected one.`, {
      code: "INVALID_GRADIENT",
    });
  for (const [name, gradient] of Object.entries(gradients)) {
    const record = byName.get(name);
    if (record === undefined) throw unknownParameters("gradient", [name], byName.keys());
    if (gradient === undefined || gradient === null) continue;
    if (isSparseGradient(gradient)) checkSparseGradient(name, gradient, record.update.parameter);
    else checkGradient(name, gradient, record.update.parameter);
  }
  return gradients;
}
