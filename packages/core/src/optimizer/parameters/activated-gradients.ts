import {
  checkActivation,
  type Activation,
  type CheckedActivation,
} from "../../activations/activation.js";
import type { Backend } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import { checkIsTable, notAParameter } from "./parameter-checks.js";

/** Activations by the names of parameters whose gradients are by the activated values. */
export type ActivatedGradients = Readonly<Record<string, Activation>>;

/** @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `UNKNOWN_OPTION`, `UNSUPPORTED` */
export function checkActivatedGradients(
  activations: ActivatedGradients,
  names: ReadonlySet<string>,
  backend: Backend | undefined,
): Map<string, CheckedActivation> {
  checkIsTable("activatedGradients", activations, "activations by the names of parameters");
  const checked = new Map<string, CheckedActivation>();
  for (const [name, activation] of Object.entries(activations)) {
    if (!names.has(name)) throw notAParameter("activatedGradients", name, names);
    const one = checkActivation(`The gradient of "${name}"`, activation);
    if (one.kind !== "identity") checked.set(name, one);
  }
  if (checked.size > 0 && backend?.takesLayouts !== true) {
    throw new GradstepError(
      `Backend ${backend?.name} does not take gradients by activated values; multiply them by the derivatives.`,
      { code: "UNSUPPORTED" },
    );
  }
  return checked;
}
