import { checkChoice } from "../../argument-checks/check-choice.js";
import { checkSwitch } from "../../argument-checks/check-switch.js";
import { GradstepError } from "../../errors.js";
import type { SparseOptions } from "../../rule/sparse-options.js";
import { isElementwise } from "../../rule/elementwise.js";
import type { Variant } from "../../rule/variant.js";

/** What applies if everything is left out. */
export const denseSteps: CheckedSparseOptions = { sparse: "dense", rowSteps: false };

/** The options of `own` that differ from `defaults`, as plain data. */
export function sparseConfig(
  own: CheckedSparseOptions,
  defaults: CheckedSparseOptions = denseSteps,
): SparseOptions {
  return {
    ...(own.sparse !== defaults.sparse && { sparse: own.sparse }),
    ...(own.rowSteps !== defaults.rowSteps && { rowSteps: own.rowSteps }),
  };
}

export interface CheckedSparseOptions {
  readonly sparse: "dense" | "lazy";
  readonly rowSteps: boolean;
}

/**
 * @param label names the optimizer or group, as the message begins
 * @param defaults what applies where an option is left out
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNSUPPORTED` for a rule whose rows cannot count their own steps
 */
export function checkSparseOptions(
  label: string,
  { sparse, rowSteps }: SparseOptions,
  defaults: CheckedSparseOptions,
  variant: Variant,
): CheckedSparseOptions {
  if (sparse !== undefined) checkChoice(label, "sparse", sparse, ["dense", "lazy"]);
  checkSwitch(label, "rowSteps", rowSteps);
  const checked = { sparse: sparse ?? defaults.sparse, rowSteps: rowSteps ?? defaults.rowSteps };
  if (!checked.rowSteps) return checked;
  if (checked.sparse !== "lazy")
    throw new GradstepError(
      `${label}: rowSteps is true and sparse is "dense", which updates all rows at each step; expected sparse: "lazy".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const hasReductions = !isElementwise(variant);
  if (hasReductions || Object.keys(variant.persistentScalars).length > 0)
    throw new GradstepError(
      `${label}: rowSteps is true, but ${variant.label} ${hasReductions ? "has reductions" : "keeps scalars from step to step"}. Leave rowSteps out, or use a rule such as adam.`,
      { code: "UNSUPPORTED" },
    );
  return checked;
}
