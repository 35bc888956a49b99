import { lookUp, translate } from "./option-map.js";
import { tfjsOptimizers } from "./tfjs-optimizers.js";
import { rules } from "../rules/index.js";
import type { OptimizerSpec } from "../rule/rule.js";

/**
 * The spec of a TF.js optimizer: `fromTfjs("adam", { learningRate: 0.01 })`, with TF.js's names and defaults. The same
 * gradients give TF.js's numbers, up to its rounding to f32.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function fromTfjs(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): OptimizerSpec {
  const optimizer = lookUp("TF.js", name, tfjsOptimizers);
  const settings = {
    ...optimizer.settings,
    ...translate(`TF.js's ${name}`, options, optimizer.options),
  };
  const isCentered = "centered" in settings && settings.centered === true;
  const rule = rules.find((one) => one.name === optimizer.rule)!;
  return rule.specify(isCentered ? { ...settings, epsilonMode: "subtracted" } : settings);
}
