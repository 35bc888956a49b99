import type { StageSpec } from "../rule/stage-factory.js";
import { clipByGlobalNorm } from "../stages/clip-by-global-norm.js";
import { clipByValue } from "../stages/clip-by-value.js";
import { nonNegativeWeights } from "../stages/non-negative-weights.js";
import type { OptionMap } from "./option-map.js";

interface OptaxTransformation {
  readonly options: OptionMap;
  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  readonly make: (settings: Readonly<Record<string, number>>) => StageSpec;
}

/** Transformations that Optax chains with an optimizer, with the same numbers for tensors of any shape. */
export const transformations: Readonly<Record<string, OptaxTransformation>> = {
  clip: { options: { max_delta: { to: "clipValue" } }, make: clipByValue },
  clip_by_global_norm: { options: { max_norm: { to: "globalClipNorm" } }, make: clipByGlobalNorm },
  keep_params_nonnegative: { options: {}, make: () => nonNegativeWeights() },
};
