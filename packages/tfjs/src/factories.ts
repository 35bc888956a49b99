import * as core from "@gradstep/core";
import type {
  CommonHyperparameter,
  CommonOptions,
  OptionTable,
  RuleFactory,
  Settings,
} from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import {
  kerasStageArgumentNames,
  withKerasStages,
  type KerasStageArguments,
} from "@gradstep/core/interop";
import type { TfOptimizerOptions } from "./optimizer-options.js";
import { tfOptimizer, type TfOptimizer } from "./tf-optimizer.js";

/** Makes a TF.js optimizer from a rule's settings, and from Keras's arguments for clipping and averages of the weights. */
export type TfOptimizerFactory<H extends string, O extends OptionTable> = <
  R extends string = string,
>(
  settings?: Settings<H | CommonHyperparameter, O & CommonOptions> & KerasStageArguments,
  options?: TfOptimizerOptions<H | CommonHyperparameter, R>,
) => TfOptimizer<H | CommonHyperparameter>;

function factoryOf<H extends string, O extends OptionTable>(
  rule: RuleFactory<H, O>,
): TfOptimizerFactory<H, O> {
  return (settings, options) => {
    checkSettings(rule, settings ?? {});
    const [own, keras] = split(settings ?? {});
    const spec = withKerasStages(rule(own as typeof settings), keras);
    return tfOptimizer<string>(spec, options as TfOptimizerOptions) as TfOptimizer<
      H | CommonHyperparameter
    >;
  };
}

/**
 * Core's rules check their own settings; this finds what `split` would hide from them.
 * @throws {GradstepError} `UNKNOWN_OPTION` for no object, such as the learning rate of `tf.train.adam(0.1)`, and for an
 * argument of Keras in another spelling
 */
function checkSettings({ name, hyperparameters, options }: core.Rule, settings: unknown): void {
  if (!core.hasNames(settings)) {
    const rate = typeof settings === "number" ? settings : 0.01;
    throw new core.GradstepError(
      `${name}: got ${core.show(settings)}; expected an object of settings, such as { learningRate: ${rate} }.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const known = [...Object.keys(hyperparameters), ...Object.keys(options)];
  checkOptions(name, settings, [...known, ...kerasStageArgumentNames]);
}

/** The settings of a rule, and Keras's arguments. */
function split(
  settings: object,
): [own: Readonly<Record<string, unknown>>, keras: KerasStageArguments] {
  const isKeras = ([name]: readonly [string, unknown]): boolean =>
    (kerasStageArgumentNames as readonly string[]).includes(name);
  const entries = Object.entries(settings);
  return [
    Object.fromEntries(entries.filter((one) => !isKeras(one))),
    Object.fromEntries(entries.filter(isKeras)),
  ];
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
/** AdaBelief. */
export const adabelief: FactoryOf<typeof core.adabelief> = /* @__PURE__ */ factoryOf(
  core.adabelief,
);
/** AdaDelta, with Keras's defaults. */
export const adadelta: FactoryOf<typeof core.adadelta> = /* @__PURE__ */ factoryOf(core.adadelta);
/** Adafactor, with Keras's defaults. */
export const adafactor: FactoryOf<typeof core.adafactor> = /* @__PURE__ */ factoryOf(
  core.adafactor,
);
/** Adan. */
export const adan: FactoryOf<typeof core.adan> = /* @__PURE__ */ factoryOf(core.adan);
/** AdEMAMix. */
export const ademamix: FactoryOf<typeof core.ademamix> = /* @__PURE__ */ factoryOf(core.ademamix);
/** ADOPT. */
export const adopt: FactoryOf<typeof core.adopt> = /* @__PURE__ */ factoryOf(core.adopt);
/** FTRL, with Keras's defaults. */
export const ftrl: FactoryOf<typeof core.ftrl> = /* @__PURE__ */ factoryOf(core.ftrl);
/** LAMB, with Keras's defaults. */
export const lamb: FactoryOf<typeof core.lamb> = /* @__PURE__ */ factoryOf(core.lamb);
/** LARS. */
export const lars: FactoryOf<typeof core.lars> = /* @__PURE__ */ factoryOf(core.lars);
/** Muon, for matrices alone; `tfOptimizer(muonWithAdamw())` is the usual split. */
export const muon: FactoryOf<typeof core.muon> = /* @__PURE__ */ factoryOf(core.muon);
/** Prodigy, which finds its own learning rate. */
export const prodigy: FactoryOf<typeof core.prodigy> = /* @__PURE__ */ factoryOf(core.prodigy);
/** RAdam. */
export const radam: FactoryOf<typeof core.radam> = /* @__PURE__ */ factoryOf(core.radam);
/** Schedule-free AdamW; `swap()` before you evaluate. */
export const scheduleFreeAdamw: FactoryOf<typeof core.scheduleFreeAdamw> =
  /* @__PURE__ */ factoryOf(core.scheduleFreeAdamw);
/** Schedule-free gradient descent; `swap()` before you evaluate. */
export const scheduleFreeSgd: FactoryOf<typeof core.scheduleFreeSgd> = /* @__PURE__ */ factoryOf(
  core.scheduleFreeSgd,
);
/** Yogi. */
export const yogi: FactoryOf<typeof core.yogi> = /* @__PURE__ */ factoryOf(core.yogi);
