import { GradstepError, type Dimensions, type MatrixPass } from "@gradstep/core";
import type { StepDispatch } from "./dispatch.js";
import type { ArrayPlace } from "./step-target.js";

/** The matrices of a tensor, before and after an iteration. */
export interface MatrixItem {
  readonly dimensions: Dimensions;
  readonly from: ArrayPlace;
  readonly to: ArrayPlace;
  /** The scalars of the parameter's group; coefficients may be names of them. */
  readonly scalars: Float64Array;
}

/**
 * Plans the dispatches of one Newton–Schulz iteration per matrix.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function planMatrixPass(
  label: string,
  _pass: MatrixPass,
  _items: readonly MatrixItem[],
): StepDispatch[] {
  throw new GradstepError(
    `${label} has matrix products, which backend webgpu cannot compute; expected a rule without newtonSchulz. Use another backend or rule.`,
    { code: "UNSUPPORTED" },
  );
}
