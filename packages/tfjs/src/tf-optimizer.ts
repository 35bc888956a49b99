import { GradstepError, show, type OptimizerSpec } from "@gradstep/core";
import { isInstance } from "@gradstep/core/internal";
import { Optimizer } from "@tensorflow/tfjs-core";
import type { TfOptimizerOptions } from "./optimizer-options.js";
import { GradstepOptimizer } from "./gradstep-optimizer.js";

/** A TF.js optimizer with each hyperparameter of its rule as a property that can be read and set between steps. */
export type TfOptimizer<H extends string = string> = string extends H
  ? GradstepOptimizer
  : GradstepOptimizer & Record<H, number>;

/**
 * Any rule as a TF.js optimizer: `tfOptimizer(adam({ … }))` of core, `tfOptimizer(fromTfjs("adam", { … }))` for TF.js's
 * own numbers, `fromKeras`, `fromTorch`, `optimizerByName`, and custom rules.
 *
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function tfOptimizer<H extends string, R extends string = string>(
  spec: OptimizerSpec<H>,
  options: TfOptimizerOptions<NoInfer<H>, R> = {},
): TfOptimizer<H> {
  // TF.js reads properties of what it compares, which null does not have.
  if (isInstance(spec, Optimizer as never)) {
    throw new GradstepError(
      `Got ${show(spec)}, which is an optimizer already; expected what a rule of @gradstep/core returns, such as adam().`,
      { code: "INVALID_RULE" },
    );
  }
  return new GradstepOptimizer(spec, options as TfOptimizerOptions) as TfOptimizer<H>;
}
