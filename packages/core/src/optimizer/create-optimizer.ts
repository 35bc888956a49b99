import type { Tensor } from "../backend/backend.js";
import { checkGroups } from "./groups/check-groups.js";
import type { KnownNames } from "../rule/rule.js";
import { checkedSpec } from "./groups/rule-context.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import type { Optimizer, OptimizerOptions } from "./optimizer.js";
import type { Parameters } from "./parameters/parameter-checks.js";
import { parameterOptionNames } from "./parameters/parameter-options.js";
import { RuleOptimizer } from "./rule-optimizer.js";
import { StepControl } from "./step-control/step-control.js";
import { stepControlNames } from "../rule/step-control-options.js";
import { sparseOptionNames } from "../rule/sparse-options.js";
import { completeStepControl } from "./step-control/complete-step-control.js";
import type { OptimizerSpec } from "../rule/rule.js";

/** Any name if there are no parameters yet. */
type ParameterNames<N extends string> = [N] extends [never] ? string : N;

/** The hyperparameters of a spec; of one of several specs, those that all of them have. */
type HyperparametersOf<Spec extends OptimizerSpec> = keyof Spec["hyperparameters"] & string;

/** The hyperparameters that the groups of a spec have for rules of their own. */
type GroupHyperparametersOf<Spec extends OptimizerSpec> =
  Spec extends OptimizerSpec<string, infer S> ? KnownNames<S> : never;

/**
 * Creates an optimizer for parameters of one backend.
 *
 * @param spec what `adam({ … })`, `optimizerByName(…)` or `fromKeras(…)` returned
 * @param parameters tensors by name; may be empty (see `add`)
 * @throws {GradstepError} `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNKNOWN_PARAMETER` (a group without parameters,
 * unless it is part of the spec and selects them by a function), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`,
 * `INVALID_SHAPE` (the shape of a copy is not that of its parameter), `DISPOSED`
 */
export function createOptimizer<
  Spec extends OptimizerSpec,
  T extends Tensor = Tensor,
  R extends string = string,
  N extends string = string,
>(
  spec: Spec,
  parameters: Parameters<T> & Readonly<Record<N, unknown>>,
  options: OptimizerOptions<NoInfer<HyperparametersOf<Spec>>, T, R> = {},
): Optimizer<
  HyperparametersOf<Spec>,
  T,
  GroupHyperparametersOf<Spec> | KnownNames<R>,
  ParameterNames<N>
> {
  const checked = checkedSpec("the rule", spec);
  checkNoSettings(checked, options);
  checkOptions("createOptimizer", options, [
    "groups",
    ...parameterOptionNames,
    ...sparseOptionNames,
    ...stepControlNames,
  ]);
  const specGroups = checkGroups(spec.groups);
  const groups = [...specGroups, ...checkGroups(options.groups)];
  const control = completeStepControl({
    ...checked.control,
    ...Object.fromEntries(
      stepControlNames.flatMap((name) =>
        options[name] === undefined ? [] : [[name, options[name]]],
      ),
    ),
  });
  const { sparse = checked.sparseOptions?.sparse } = options;
  const { rowSteps = checked.sparseOptions?.rowSteps } = options;
  const optimizer = new RuleOptimizer({
    spec: checked,
    parameters,
    groups,
    specGroupCount: specGroups.length,
    parameterOptions: options,
    sparseOptions: { sparse, rowSteps },
    control: control && new StepControl(control),
  });
  return optimizer as never;
}

/** @throws {GradstepError} `UNKNOWN_OPTION` for a setting of the rule among the options of the optimizer */
function checkNoSettings(
  { rule: { name, hyperparameters } }: OptimizerSpec,
  options: object,
): void {
  const setting = Object.keys(hasNames(options) ? options : {}).find((key) =>
    Object.hasOwn(hyperparameters, key),
  );
  if (setting === undefined) return;
  throw new GradstepError(
    `createOptimizer has no option "${setting}": it is a setting of ${name}. Pass it to the rule, as in adam({ learningRate: 0.01 }).`,
    { code: "UNKNOWN_OPTION" },
  );
}
