import * as core from "@gradstep/core";
import type {
  CommonHyperparameter,
  CommonOptions,
  OptionTable,
  RuleFactory,
  Settings,
} from "@gradstep/core";
import { tfOptimizer, type TfOptimizer, type TfOptimizerOptions } from "./optimizer.js";

/** Makes a TF.js optimizer from a rule's settings. */
export type TfOptimizerFactory<H extends string, O extends OptionTable> = (
  settings?: Settings<H | CommonHyperparameter, O & CommonOptions>,
  options?: TfOptimizerOptions<H | CommonHyperparameter>,
) => TfOptimizer<H | CommonHyperparameter>;

function factoryOf<H extends string, O extends OptionTable>(
  rule: RuleFactory<H, O>,
): TfOptimizerFactory<H, O> {
  return (settings, options) => tfOptimizer(rule(settings), options);
}

type FactoryOf<R> = R extends RuleFactory<infer H, infer O> ? TfOptimizerFactory<H, O> : never;

/** Adam, with Keras's defaults (learning rate 0.001, ε 1e-7). `adam({ … })` takes all settings of core's `adam`. */
export const adam: FactoryOf<typeof core.adam> = /* @__PURE__ */ factoryOf(core.adam);
/** AdamW: Adam with decoupled weight decay, 0.004 as in Keras. */
export const adamw: FactoryOf<typeof core.adamw> = /* @__PURE__ */ factoryOf(core.adamw);
/** Gradient descent, with `momentum` and `nesterov`. Learning rate 0.01. */
export const sgd: FactoryOf<typeof core.sgd> = /* @__PURE__ */ factoryOf(core.sgd);
/** AdaGrad, with Keras's defaults. */
export const adagrad: FactoryOf<typeof core.adagrad> = /* @__PURE__ */ factoryOf(core.adagrad);
/** RMSprop, with `momentum` and `centered`, and Keras's defaults. */
export const rmsprop: FactoryOf<typeof core.rmsprop> = /* @__PURE__ */ factoryOf(core.rmsprop);
/** AdaMax, with Keras's defaults. */
export const adamax: FactoryOf<typeof core.adamax> = /* @__PURE__ */ factoryOf(core.adamax);
/** Nadam, with Keras's defaults. */
export const nadam: FactoryOf<typeof core.nadam> = /* @__PURE__ */ factoryOf(core.nadam);
/** Lion, with Keras's defaults. */
export const lion: FactoryOf<typeof core.lion> = /* @__PURE__ */ factoryOf(core.lion);
