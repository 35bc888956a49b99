import { ignored, lookUp, translate, type Dictionary } from "./dictionary.js";
import { rules } from "../rules/index.js";
import { GradstepError, show } from "../errors.js";
import type { OptimizerSpec } from "../rule/spec.js";

/** What `keras.optimizers.serialize(optimizer)` gives. */
export interface KerasOptimizer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Written by Keras beside the two; of no influence. */
  readonly module?: unknown;
  readonly registered_name?: unknown;
}

const later = "Apply it to the gradients or parameters yourself, around optimizer.step().";

const common: Dictionary = {
  name: ignored,
  learning_rate: { to: "learningRate" },
  weight_decay: { to: "weightDecay" },
  clipnorm: { only: [null], why: later },
  clipvalue: { only: [null], why: later },
  global_clipnorm: { only: [null], why: later },
  use_ema: { only: [false], why: later },
  // Of no influence while use_ema is false.
  ema_momentum: ignored,
  ema_overwrite_frequency: ignored,
  loss_scale_factor: { only: [null], why: "Divide the gradients by it before optimizer.step()." },
  gradient_accumulation_steps: {
    only: [null],
    why: "Pass the mean of the gradients every n-th time.",
  },
  jit_compile: ignored,
  is_legacy_optimizer: { only: [false], why: "Save the optimizer with Keras 3." },
};

const beta1 = { beta_1: { to: "beta1" } } as const;
const beta2 = { beta_2: { to: "beta2" } } as const;
const epsilon = { epsilon: { to: "epsilon" } } as const;
const betas = { ...beta1, ...beta2, ...epsilon } as const;
const momentum = { momentum: { to: "momentum" } } as const;

/** Keras 3: class → rule here, and the options that class has beside the common ones. */
const classes: Readonly<Record<string, readonly [rule: string, own: Dictionary]>> = {
  SGD: ["sgd", { ...momentum, nesterov: { to: "nesterov" } }],
  Adagrad: [
    "adagrad",
    { ...epsilon, initial_accumulator_value: { to: "initialAccumulatorValue" } },
  ],
  RMSprop: [
    "rmsprop",
    { ...epsilon, ...momentum, rho: { to: "rho" }, centered: { to: "centered" } },
  ],
  Adam: ["adam", { ...betas, amsgrad: { to: "amsgrad" } }],
  AdamW: ["adamw", { ...betas, amsgrad: { to: "amsgrad" } }],
  Adamax: ["adamax", betas],
  Nadam: ["nadam", betas],
  Lion: ["lion", { ...beta1, ...beta2 }],
};

/**
 * The spec of a Keras 3 optimizer, from what Keras prints: `{ class_name: "Adam", config: { learning_rate: 0.01, … } }`.
 * The same gradients give Keras's numbers.
 *
 * @throws {GradstepError} `UNSUPPORTED` (a class or a value without counterpart), `UNKNOWN_OPTION` (a key that is not
 * understood is never ignored), `INVALID_HYPERPARAMETER`
 */
export function fromKeras(optimizer: KerasOptimizer): OptimizerSpec {
  if (optimizer === null || typeof optimizer !== "object") {
    throw new GradstepError(
      `Got ${show(optimizer)}; expected { class_name, config } as keras.optimizers.serialize gives.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const {
    class_name: className,
    config,
    module: _module,
    registered_name: _registered,
    ...rest
  } = optimizer;
  const owner = `Keras's ${typeof className === "string" ? className : show(className)}`;
  translate(owner, rest, { class_name: ignored, config: ignored });
  const [name, own] = lookUp("Keras", className, classes);
  const settings = translate(owner, config, { ...common, ...own });
  if (typeof settings.learningRate === "object" && settings.learningRate !== null) {
    throw new GradstepError(
      `${owner}: learning_rate is a schedule; expected a number. Pass its first value, and set optimizer.learningRate before each step.`,
      { code: "UNSUPPORTED" },
    );
  }
  // Keras writes null where no decay is meant.
  if (settings.weightDecay === null) settings.weightDecay = 0;
  return rules.find((rule) => rule.name === name)!.specify(settings);
}
