import { kerasMuon, kerasMuonOptions } from "./muon.js";
import { ignored, lookUp, translate, type OptionMap } from "./option-map.js";
import { scheduleFromKeras } from "./keras-schedules.js";
import {
  clipFromKeras,
  constraintFromKeras,
  emaFromKeras,
  stageOptions,
  type KerasConstraint,
} from "./keras-stages.js";
import {
  stepControlFromKeras,
  stepControlOptions,
  withDynamicLossScale,
} from "./keras-step-control.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { chain } from "../rule/chain.js";
import { rules } from "../rules/index.js";
import { GradstepError, show } from "../errors.js";
import type { OptimizerSpec } from "../rule/rule.js";

/** What `keras.optimizers.serialize(optimizer)` returns. */
export interface KerasOptimizer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Ignored. */
  readonly module?: unknown;
  /** Ignored. */
  readonly registered_name?: unknown;
}

const constraintOfLayer = {
  only: [null],
  why: "It belongs to a layer; pass it as fromKeras(optimizer, { constraint }).",
} as const;

/** The options of every class. */
export const commonKerasOptions: OptionMap = {
  name: ignored,
  learning_rate: { to: "learningRate" },
  weight_decay: { to: "weightDecay" },
  ...stageOptions,
  ...stepControlOptions,
  kernel_constraint: constraintOfLayer,
  bias_constraint: constraintOfLayer,
  // Keras 2.
  decay: { only: [0, null], why: "Set optimizer.learningRate before each step." },
  jit_compile: ignored,
  is_legacy_optimizer: { only: [false, null], why: "Save the optimizer with Keras 3." },
};

const beta1 = { beta_1: { to: "beta1" } } as const;
const beta2 = { beta_2: { to: "beta2" } } as const;
const epsilon = { epsilon: { to: "epsilon" } } as const;
const betas = { ...beta1, ...beta2, ...epsilon } as const;
const momentum = { momentum: { to: "momentum" } } as const;

// Keras with PyTorch computes the averages of Adam, AdamW and Nadam in this form, and parameters stay finite after a
// gradient whose square overflows. With TensorFlow or JAX it uses the difference, and they become NaN.
const sumOfSquares = { averageForm: "sum-of-squares" } as const;

interface KerasClass {
  readonly rule: string;
  /** The options it has in addition to the common ones. */
  readonly options: OptionMap;
  /** The options of the rule that select Keras's formula, where its default is another. */
  readonly form?: Readonly<Record<string, string>>;
}

/** The classes of Keras 3. */
export const kerasClasses: Readonly<Record<string, KerasClass>> = {
  SGD: { rule: "sgd", options: { ...momentum, nesterov: { to: "nesterov" } } },
  Adagrad: {
    rule: "adagrad",
    options: { ...epsilon, initial_accumulator_value: { to: "initialAccumulatorValue" } },
  },
  RMSprop: {
    rule: "rmsprop",
    options: { ...epsilon, ...momentum, rho: { to: "rho" }, centered: { to: "centered" } },
    form: sumOfSquares,
  },
  Adam: { rule: "adam", options: { ...betas, amsgrad: { to: "amsgrad" } }, form: sumOfSquares },
  AdamW: { rule: "adamw", options: { ...betas, amsgrad: { to: "amsgrad" } }, form: sumOfSquares },
  Adamax: { rule: "adamax", options: betas },
  Nadam: { rule: "nadam", options: betas, form: sumOfSquares },
  Lamb: { rule: "lamb", options: betas },
  Muon: { rule: "muon", options: kerasMuonOptions },
  Adafactor: {
    rule: "adafactor",
    options: {
      beta_2_decay: { to: "beta2Decay" },
      epsilon_1: { to: "epsilon1" },
      epsilon_2: { to: "epsilon2" },
      clip_threshold: { to: "clipThreshold" },
      // Keras takes the minimum with 1/√t in any case, unless the rate is a schedule.
      relative_step: ignored,
    },
  },
  ScheduleFreeAdamW: {
    rule: "schedule-free-adamw",
    options: { ...betas, warmup_steps: { to: "warmupSteps" } },
  },
  Adadelta: { rule: "adadelta", options: { ...epsilon, rho: { to: "rho" } } },
  Ftrl: {
    rule: "ftrl",
    options: {
      learning_rate_power: {
        only: [-0.5],
        why: "The rule language has a square root per element, but no other power.",
      },
      initial_accumulator_value: { to: "initialAccumulatorValue" },
      l1_regularization_strength: { to: "l1RegularizationStrength" },
      l2_regularization_strength: { to: "l2RegularizationStrength" },
      l2_shrinkage_regularization_strength: { to: "l2ShrinkageRegularizationStrength" },
      beta: { to: "beta" },
    },
  },
  Lion: { rule: "lion", options: { ...beta1, ...beta2 }, form: { averageForm: "sum" } },
};

/**
 * The Keras class of a rule, and the names of the rule's settings that the class has, too. All others must have the
 * values that `fromKeras` gives them; undefined if no class computes the rule.
 */
export function kerasClassOf(
  rule: string,
): { readonly className: string; readonly settings: readonly string[] } | undefined {
  const entry = Object.entries(kerasClasses).find(([, one]) => one.rule === rule);
  if (entry === undefined) return undefined;
  const [className, { options }] = entry;
  const settings = [...Object.values(commonKerasOptions), ...Object.values(options)].flatMap(
    (mapping) => (typeof mapping === "object" && "to" in mapping ? [mapping.to] : []),
  );
  return { className, settings };
}

/** Options of `fromKeras`. */
export interface KerasOptions {
  /** The constraint of the variables, which Keras applies after each update. None if it is null or left out. */
  readonly constraint?: KerasConstraint | null | undefined;
}

/**
 * The spec of a Keras optimizer, from what Keras prints: `{ class_name: "Adam", config: { learning_rate: 0.01, … } }`.
 * The same gradients give the numbers of Keras 3. The config of Keras 2 is accepted, too.
 *
 * `gradient_accumulation_steps`, `loss_scale_factor` and the class `LossScaleOptimizer` become `accumulate` and
 * `lossScale`; schedules then count calls, as in Keras. Clipping, `use_ema` and a constraint make it a chain. In Keras a
 * constraint belongs to a variable: to constrain some parameters only, give their group a rule of its own,
 * `{ match: /kernel/, rule: fromKeras(optimizer, { constraint }) }`.
 *
 * @throws {GradstepError} `UNSUPPORTED` (a class or a value without a counterpart), `UNKNOWN_OPTION` (unknown options
 * are never ignored), `INVALID_HYPERPARAMETER`
 */
export function fromKeras(optimizer: KerasOptimizer, keywords: KerasOptions = {}): OptimizerSpec {
  checkOptions("fromKeras", keywords, ["constraint"]);
  if (
    optimizer === null ||
    typeof optimizer !== "object" ||
    ["class_name", "config"].every((key) => propertyOf(optimizer, key) === undefined)
  ) {
    throw new GradstepError(
      `Got ${show(optimizer)}; expected { class_name: "Adam", config: { … } }, as keras.optimizers.serialize(optimizer) returns it. Parse text with JSON.parse().`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const { class_name: className, config } = optimizer;
  const owner = `Keras's ${typeof className === "string" ? className : show(className)}`;
  translate(owner, optimizer, {
    class_name: ignored,
    config: ignored,
    module: ignored,
    registered_name: ignored,
    // Written by Keras where one optimizer is used in several places.
    shared_object_id: ignored,
  });
  if (className === "LossScaleOptimizer")
    return withDynamicLossScale(
      fromKeras(config?.inner_optimizer as KerasOptimizer, keywords),
      config,
    );
  const { rule, options, form } = lookUp("Keras", className, kerasClasses);
  const translated = translate(owner, config, { ...commonKerasOptions, ...options });
  const isOfStage = ([key]: readonly [string, unknown]): boolean =>
    Object.hasOwn(stageOptions, key) || Object.hasOwn(stepControlOptions, key);
  const given = Object.entries(translated);
  const stageSettings = Object.fromEntries(given.filter(isOfStage));
  const settings = Object.fromEntries(given.filter((entry) => !isOfStage(entry)));
  const { learningRate } = settings;
  if (typeof learningRate === "object" && learningRate !== null)
    settings.learningRate = scheduleFromKeras(learningRate);
  // Keras prints null where there is no decay.
  if (settings.weightDecay === null) settings.weightDecay = 0;
  const spec =
    rule === "muon"
      ? kerasMuon(owner, settings)
      : rules.find((one) => one.name === rule)!.specify({ ...settings, ...form });
  const before = clipFromKeras(owner, stageSettings);
  const { constraint = null } = keywords;
  const after = [
    ...emaFromKeras(owner, stageSettings),
    ...(constraint === null ? [] : [constraintFromKeras(constraint)]),
  ];
  const control = stepControlFromKeras(owner, stageSettings);
  const chained = before.length + after.length === 0 ? spec : chain(...before, spec, ...after);
  return Object.keys(control).length === 0 ? chained : { ...chained, control };
}
