import type { OptionMap } from "./option-map.js";

const rate: OptionMap = { learningRate: { to: "learningRate" } };
const epsilon: OptionMap = { epsilon: { to: "epsilon" } };
const betas: OptionMap = { ...rate, ...epsilon, beta1: { to: "beta1" }, beta2: { to: "beta2" } };
const momentum: OptionMap = { momentum: { to: "momentum" } };

/** What becomes of one of TF.js's optimizers. */
export interface TfjsOptimizer {
  readonly rule: string;
  readonly options: OptionMap;
  /** TF.js's defaults and formulas, as settings of the rule. */
  readonly settings: Readonly<Record<string, number | string>>;
}

/** The optimizers of TF.js 4.22 (`tf.train`), with the defaults of its constructors. */
export const tfjsOptimizers: Readonly<Record<string, TfjsOptimizer>> = {
  sgd: { rule: "sgd", options: rate, settings: {} },
  momentum: {
    rule: "sgd",
    options: { ...rate, ...momentum, useNesterov: { to: "nesterov" } },
    settings: { momentumForm: "torch" },
  },
  adadelta: {
    rule: "adadelta",
    options: { ...rate, ...epsilon, rho: { to: "rho" } },
    settings: { learningRate: 1e-3, rho: 0.95, epsilon: 1e-7, gradientAverage: "previous" },
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
