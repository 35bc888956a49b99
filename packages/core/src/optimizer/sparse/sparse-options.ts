import { alternatives, GradstepError, show } from "../../errors.js";
import type { Variant } from "../../rule/variant.js";

/**
 * What a step does with sparse gradients: part of a spec, of a configuration, of a group, and of the options of
 * `createOptimizer`.
 */
export interface SparseOptions {
  /**
   * `"dense"`: the step with the gradient of all rows, which is 0 in rows without an index, so that momentum and decay
   * move these rows, too. `"lazy"`: only rows with an index are updated, as with a mask of these rows; cost is in
   * proportion to their number. `"dense"` if left out.
   */
  readonly sparse?: "dense" | "lazy" | undefined;
  /**
   * Whether each row counts its own steps, so that bias correction is right for rows that are updated seldom. Needs
   * `sparse: "lazy"`, and a rule without reductions and without scalars that it keeps from step to step. False if left
   * out.
   */
  readonly rowSteps?: boolean | undefined;
}

/** The names of `SparseOptions`. */
export const sparseOptionNames = ["sparse", "rowSteps"] as const;

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

const modes = ["dense", "lazy"];

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
  if (sparse !== undefined && !modes.includes(sparse))
    throw new GradstepError(
      `${label}: sparse is ${show(sparse)}; expected ${alternatives(modes)}.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  if (rowSteps !== undefined && typeof rowSteps !== "boolean")
    throw new GradstepError(`${label}: rowSteps is ${show(rowSteps)}; expected true or false.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  const checked = { sparse: sparse ?? defaults.sparse, rowSteps: rowSteps ?? defaults.rowSteps };
  if (!checked.rowSteps) return checked;
  if (checked.sparse !== "lazy")
    throw new GradstepError(
      `${label}: rowSteps is true and sparse is "dense", which updates all rows at each step; expected sparse: "lazy".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const { passPlan, persistentScalars, perElement } = variant;
  const [pass, ...others] = passPlan.passes;
  const isElementwise = others.length === 0 && pass.kind === "map" && pass.program === perElement;
  if (!isElementwise || Object.keys(persistentScalars).length > 0)
    throw new GradstepError(
      `${label}: rowSteps is true, but ${variant.label} ${isElementwise ? "keeps scalars from step to step" : "has reductions"}, which rows have in common. Leave rowSteps out, or use a rule such as adam.`,
      { code: "UNSUPPORTED" },
    );
  return checked;
}
