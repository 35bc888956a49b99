import { optaxMuon, optaxMuonOptions } from "./muon.js";
import { lookUp, translate, withoutPair, type OptionMap } from "./option-map.js";
import { checkSwitch } from "../argument-checks/check-switch.js";
import { rules } from "../rules/index.js";
import type { OptimizerSpec } from "../rule/rule.js";

const rate: OptionMap = { learning_rate: { to: "learningRate" } };
const whyNoMask =
  "Use groups: createOptimizer(spec, parameters, { groups: [{ match, weightDecay: 0 }] }).";
const decay: OptionMap = {
  weight_decay: { to: "weightDecay" },
  mask: { only: [null], why: whyNoMask },
};
const precision: OptionMap = { mu_dtype: { only: [null], why: "State is f32." } };
const accumulatorPrecision: OptionMap = {
  accumulator_dtype: { only: [null], why: "State is f32." },
};
const betas: OptionMap = { b1: { to: "beta1" }, b2: { to: "beta2" } };
const eps: OptionMap = { eps: { to: "epsilon" } };
const adamOptions: OptionMap = {
  ...rate,
  ...betas,
  ...eps,
  ...precision,
  eps_root: { to: "epsilonRoot" },
};
const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const adamForm = { epsilonMode: "paper", averageForm: "sum-of-squares" } as const;

const epsRoot: OptionMap = { eps_root: { to: "epsilonRoot" } };
const scheduleFree: OptionMap = {
  b1: { to: "beta1" },
  weight_decay: { to: "weightDecay" },
  weight_lr_power: { to: "weightLearningRatePower" },
  warmup_steps: { only: [null], why: "Optax's weights and rates are a step apart in its warmup." },
  state_dtype: { only: [null], why: "State is f32." },
};
const withoutNesterov: OptionMap = {
  nesterov: { only: [false], why: "This rule has no Nesterov momentum." },
};

interface OptaxAlias {
  readonly rule: string;
  readonly options: OptionMap;
  /** Optax's defaults and formulas, as settings of the rule. */
  readonly settings: Readonly<Record<string, number | string | boolean>>;
}

/** The aliases of Optax 0.2.8, and optimizers of its `optax.contrib`. */
export const aliases: Readonly<Record<string, OptaxAlias>> = {
  sgd: {
    rule: "sgd",
    options: {
      ...rate,
      ...accumulatorPrecision,
      momentum: { to: "momentum" },
      nesterov: { to: "nesterov" },
    },
    settings: { momentumForm: "torch" },
  },
  adagrad: {
    rule: "adagrad",
    options: { ...rate, ...eps, initial_accumulator_value: { to: "initialAccumulatorValue" } },
    settings: { initialAccumulatorValue: 0.1, epsilon: 1e-7 },
  },
  rmsprop: {
    rule: "rmsprop",
    options: {
      ...rate,
      ...eps,
      decay: { to: "rho" },
      centered: { to: "centered" },
      momentum: { to: "momentum" },
      eps_in_sqrt: { to: "epsilonInSqrt" },
      initial_scale: { only: [0], why: "The average starts at 0." },
      nesterov: { only: [false], why: "rmsprop has no Nesterov momentum." },
      bias_correction: {
        only: [false],
        why: 'The corrected form is adam with beta1: 0 and epsilonMode: "paper".',
      },
    },
    settings: { rho: 0.9, epsilon: 1e-8, averageForm: "sum-of-squares" },
  },
  adam: {
    rule: "adam",
    options: { ...adamOptions, nesterov: { to: "nesterov" } },
    settings: { ...adamDefaults, ...adamForm },
  },
  nadam: {
    rule: "adam",
    options: adamOptions,
    settings: { ...adamDefaults, ...adamForm, nesterov: true },
  },
  amsgrad: {
    rule: "adam",
    options: adamOptions,
    settings: { ...adamDefaults, ...adamForm, amsgrad: true, amsgradOf: "corrected" },
  },
  adamw: {
    rule: "adamw",
    options: { ...adamOptions, ...decay, nesterov: { to: "nesterov" } },
    settings: { ...adamDefaults, ...adamForm, weightDecay: 1e-4 },
  },
  nadamw: {
    rule: "adamw",
    options: { ...adamOptions, ...decay },
    settings: { ...adamDefaults, ...adamForm, weightDecay: 1e-4, nesterov: true },
  },
  adamax: {
    rule: "adamax",
    options: { ...rate, ...betas, ...eps },
    settings: { ...adamDefaults, epsilonMode: "inside" },
  },
  adamaxw: {
    rule: "adamax",
    options: { ...rate, ...betas, ...eps, ...decay },
    settings: { ...adamDefaults, epsilonMode: "inside", weightDecay: 1e-4 },
  },
  adadelta: {
    rule: "adadelta",
    options: {
      ...rate,
      ...eps,
      rho: { to: "rho" },
      weight_decay: decay.weight_decay,
      weight_decay_mask: decay.mask,
    },
    // Optax adds the decay to the gradient.
    settings: { rho: 0.9, epsilon: 1e-6, weightDecayMode: "l2" },
  },
  radam: {
    rule: "radam",
    options: {
      ...rate,
      ...betas,
      ...eps,
      ...epsRoot,
      ...withoutNesterov,
      threshold: { to: "threshold" },
    },
    settings: { ...adamDefaults, epsilonMode: "corrected", averageForm: "sum-of-squares" },
  },
  adabelief: {
    rule: "adabelief",
    options: { ...rate, ...betas, ...eps, ...epsRoot, ...withoutNesterov },
    settings: {},
  },
  yogi: { rule: "yogi", options: { ...rate, ...betas, ...eps }, settings: {} },
  adan: {
    rule: "adan",
    options: { ...rate, ...betas, ...eps, ...epsRoot, ...decay, b3: { to: "beta3" } },
    settings: { epsilonRoot: 1e-8 },
  },
  adopt: {
    rule: "adopt",
    options: {
      ...rate,
      ...betas,
      ...eps,
      ...precision,
      ...withoutNesterov,
      use_clipping: { to: "useClipping" },
    },
    settings: {},
  },
  ademamix: {
    rule: "ademamix",
    options: {
      ...rate,
      ...betas,
      ...eps,
      ...epsRoot,
      ...precision,
      ...decay,
      b3: { to: "beta3" },
      alpha: { to: "alpha" },
    },
    settings: {},
  },
  lamb: {
    rule: "lamb",
    options: { ...rate, ...betas, ...eps, ...epsRoot, ...decay },
    settings: {
      ...adamDefaults,
      epsilon: 1e-6,
      averageForm: "sum-of-squares",
      weightDecayMode: "update",
    },
  },
  lars: {
    rule: "lars",
    options: {
      ...rate,
      ...eps,
      weight_decay: decay.weight_decay,
      weight_decay_mask: { only: [true], why: whyNoMask },
      trust_ratio_mask: { only: [true], why: "The ratio applies to all tensors." },
      trust_coefficient: { to: "trustCoefficient" },
      momentum: { to: "momentum" },
      nesterov: { to: "nesterov" },
    },
    settings: {},
  },
  prodigy: {
    rule: "prodigy",
    options: {
      ...rate,
      ...eps,
      betas: { to: "betas" },
      beta3: { to: "beta3" },
      estim_lr0: { to: "d0" },
      estim_lr_coef: { to: "dCoef" },
      weight_decay: decay.weight_decay,
      safeguard_warmup: { to: "safeguardWarmup" },
    },
    settings: { biasCorrection: true },
  },
  schedule_free_sgd: {
    rule: "schedule-free-sgd",
    options: { ...rate, ...scheduleFree },
    settings: {},
  },
  schedule_free_adamw: {
    rule: "schedule-free-adamw",
    options: { ...rate, ...scheduleFree, ...eps, b2: betas.b2 },
    settings: {
      weightLearningRatePower: 2,
      averageForm: "sum-of-squares",
      weightDecayMode: "update",
    },
  },
  muon: { rule: "muon", options: optaxMuonOptions, settings: {} },
  lion: {
    rule: "lion",
    options: { ...rate, ...betas, ...precision, ...decay },
    settings: { beta1: 0.9, beta2: 0.99, weightDecay: 1e-3, averageForm: "sum" },
  },
};

/**
 * The spec of an alias.
 * @param overrides settings in place of those that the options give
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function specOfAlias(
  name: string,
  options: Readonly<Record<string, unknown>>,
  overrides: Readonly<Record<string, unknown>> = {},
): OptimizerSpec {
  const optimizer = lookUp("Optax", name, aliases);
  const owner = `Optax's ${name}`;
  const { epsilonInSqrt = true, ...translated } = withoutPair(
    owner,
    translate(owner, options, optimizer.options),
  );
  if (optimizer.rule === "muon") return optaxMuon(owner, translated);
  // Optax uses None for no momentum, no decay, and a β₃ that follows from β₂.
  for (const key of ["momentum", "weightDecay", "beta3"])
    if (translated[key] === null) delete translated[key];
  checkSwitch(owner, "eps_in_sqrt", epsilonInSqrt);
  const form = epsilonInSqrt === true ? {} : { epsilonMode: "outside" };
  const rule = rules.find((one) => one.name === optimizer.rule)!;
  return rule.specify({ ...optimizer.settings, ...translated, ...form, ...overrides });
}
