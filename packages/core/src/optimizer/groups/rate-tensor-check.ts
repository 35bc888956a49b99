import { GradstepError } from "../../errors.js";
import { dependencesOn } from "../../language/dependence.js";
import type { Variant } from "../../rule/variant.js";

/**
 * Checks that the learning rate of a step can be a tensor, which the device reads: that all scalars are linear in it.
 * @param label the group, as the message names it
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkTakesRateTensors(label: string, variant: Variant): void {
  const { perStep, persistentScalars } = variant;
  for (const [name, dependence] of dependencesOn(perStep, "learningRate")) {
    const isKept = Object.hasOwn(persistentScalars, name);
    if (dependence === "none" || (dependence === "affine" && !isKept)) continue;
    throw new GradstepError(
      `${label}: learningRate is a tensor; expected a number, because the host computes ${name} from the rate${isKept ? " and keeps it" : ""}. Read the tensor, or use a rule such as adam.`,
      { code: "UNSUPPORTED" },
    );
  }
}
