import { lookUp, translate, type OptionMap } from "./option-map.js";
import { rules } from "../rules/index.js";
import type { OptimizerSpec } from "../rule/rule.js";

const rate: OptionMap = { learningRate: { to: "learningRate" } };
const epsilon: OptionMap = { epsilon: { to: "epsilon" } };
const betas: OptionMap = { ...rate, ...epsilon, beta1: { to: "beta1" }, beta2: { to: "beta2" } };
const momentum: OptionMap = { momentum: { to: "momentum" } };

interface TfjsOptimizer {
  readonly rule: string;
  readonly options: OptionMap;
  /** TF.js's defaults and formulas, as settings of the rule. */
  readonly settings: Readonly<Record<string, number | string>>;
}

/** The optimizers of TF.js 4.22 (`tf.train`), with the defaults of its constructors. */
const optimizers: Readonly<Record<string, TfjsOptimizer>> = {
  sgd: { rule: "sgd", options: rate, settings: {} },
  momentum: {
    rule: "sgd",
    options: { ...rate, ...momentum, useNesterov: { to: "nesterov" } },
    settings: { momentumForm: "torch" },
  },
  adagrad: {
    rule: "adagrad",
    options: { ...rate, initialAccumulatorValue: { to: "initialAccumulatorValue" } },
    settings: { initialAccumulatorValue: 0.1, epsilon: 1e-7 },
  },
  rmsprop: {
    rule: "rmsprop",
    options: {
      ...rate,
      ...epsilon,
      ...momentum,
      decay: { to: "rho" },
      centered: { to: "centered" },
    },
    settings: { rho: 0.9, epsilon: 1e-7, averageForm: "sum-of-squares" },
  },
  adam: {
    rule: "adam",
    options: betas,
    settings: {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      epsilonMode: "paper",
      averageForm: "sum-of-squares",
    },
  },
  adamax: {
    rule: "adamax",
    options: { ...betas, decay: { to: "learningRateDecay" } },
    settings: { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  },
};

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
  const optimizer = lookUp("TF.js", name, optimizers);
  const settings = {
    ...optimizer.settings,
    ...translate(`TF.js's ${name}`, options, optimizer.options),
  };
  const isCentered = "centered" in settings && settings.centered === true;
  const rule = rules.find((one) => one.name === optimizer.rule)!;
  return rule.specify(isCentered ? { ...settings, epsilonMode: "subtracted" } : settings);
}
