import { stepControlNames, type GroupOptions, type StepControlOptions } from "@gradstep/core";
import { checkOptions, checkSwitch } from "@gradstep/core/internal";

/** Options of `tfOptimizer`, `adam`, `sgd` and the others. `R`: hyperparameters of the own rules of groups. */
export interface TfOptimizerOptions<
  H extends string = string,
  R extends string = string,
> extends StepControlOptions {
  /**
   * Hyperparameters for some of the variables, by name: `[{ match: /bias/, weightDecay: 0 }]`. A number that TF.js adds
   * to make a layer's variable unique (`dense/bias_1`) is ignored. A group may match variables that come later.
   */
  readonly groups?: readonly GroupOptions<H, R>[] | undefined;
  /**
   * Whether variables are updated in place where their memory is not shared; true if left out. `false` allocates new
   * memory for each variable in every step, as TF.js does.
   */
  readonly inPlace?: boolean | undefined;
}

/** @throws {GradstepError} `UNKNOWN_OPTION`; `INVALID_HYPERPARAMETER` for another `inPlace` than true or false */
export function checkOptimizerOptions(options: TfOptimizerOptions): void {
  checkOptions("tfOptimizer", options, ["groups", "inPlace", ...stepControlNames]);
  checkSwitch("tfOptimizer", "inPlace", options.inPlace);
}
