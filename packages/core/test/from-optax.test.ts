import { describe, expect, test } from "vitest";
import { fromOptax } from "../src/interop/index.js";
import { anything, codeOf, partsOf } from "./support.js";

describe("fromOptax", () => {
  const adam = { rule: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilonMode: "paper" };

  // The defaults of Optax's aliases; the learning rate has no default.
  test.each([
    ["sgd", { rule: "sgd", momentum: 0, momentumForm: "torch" }],
    ["adagrad", { rule: "adagrad", initialAccumulatorValue: 0.1, epsilon: 1e-7 }],
    ["rmsprop", { rule: "rmsprop", rho: 0.9, epsilon: 1e-8, momentum: 0 }],
    ["adam", { ...adam, epsilonRoot: 0, weightDecay: 0 }],
    ["nadam", { ...adam, nesterov: true }],
    ["amsgrad", { ...adam, amsgrad: true, amsgradOf: "corrected" }],
    ["adamw", { ...adam, rule: "adamw", weightDecay: 1e-4 }],
    ["nadamw", { ...adam, rule: "adamw", weightDecay: 1e-4, nesterov: true }],
    [
      "adamax",
      { rule: "adamax", beta1: 0.9, epsilon: 1e-8, epsilonMode: "inside", weightDecay: 0 },
    ],
    ["adamaxw", { rule: "adamax", epsilonMode: "inside", weightDecay: 1e-4 }],
    ["lion", { rule: "lion", beta1: 0.9, beta2: 0.99, weightDecay: 1e-3 }],
    ["adadelta", { rule: "adadelta", rho: 0.9, epsilon: 1e-6, weightDecayMode: "l2" }],
    ["radam", { rule: "radam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilonMode: "corrected" }],
    [
      "adabelief",
      { rule: "adabelief", beta1: 0.9, beta2: 0.999, epsilon: 1e-16, epsilonRoot: 1e-16 },
    ],
    ["yogi", { rule: "yogi", beta1: 0.9, beta2: 0.999, epsilon: 1e-3 }],
    [
      "adan",
      { rule: "adan", beta1: 0.98, beta2: 0.92, beta3: 0.99, epsilon: 1e-8, epsilonRoot: 1e-8 },
    ],
    ["adopt", { rule: "adopt", beta1: 0.9, beta2: 0.9999, epsilon: 1e-6 }],
    ["ademamix", { rule: "ademamix", beta1: 0.9, beta2: 0.999, beta3: 0.9999, alpha: 5 }],
    ["lamb", { rule: "lamb", beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecayMode: "update" }],
    ["lars", { rule: "lars", momentum: 0.9, trustCoefficient: 1e-3, epsilon: 0, weightDecay: 0 }],
    [
      "prodigy",
      { rule: "prodigy", beta1: 0.9, beta2: 0.999, beta3: 0, epsilon: 1e-8, d0: 1e-6, dCoef: 1 },
    ],
    ["schedule_free_sgd", { rule: "schedule-free-sgd", beta1: 0.9, weightLearningRatePower: 2 }],
    [
      "schedule_free_adamw",
      {
        rule: "schedule-free-adamw",
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightLearningRatePower: 2,
        weightDecayMode: "update",
      },
    ],
  ])("the defaults of %s", (name, wanted) => {
    expect(partsOf(fromOptax(name, { learning_rate: 0.5 }))).toMatchObject({
      learningRate: 0.5,
      ...wanted,
    });
  });

  test.each([
    ["sgd", { momentum: 0.3 }, { momentum: 0.3 }],
    ["sgd", { momentum: null }, {}],
    ["sgd", { nesterov: true }, { nesterov: true }],
    ["sgd", { accumulator_dtype: null }, {}],
    ["adagrad", { initial_accumulator_value: 0.3 }, { initialAccumulatorValue: 0.3 }],
    ["adagrad", { eps: 0.3 }, { epsilon: 0.3 }],
    ["adagrad", { eps: undefined, initial_accumulator_value: undefined }, {}],
    ["rmsprop", { decay: 0.3 }, { rho: 0.3 }],
    ["rmsprop", { eps: 0.3 }, { epsilon: 0.3 }],
    ["rmsprop", { centered: true }, { centered: true }],
    ["rmsprop", { momentum: 0.3 }, { momentum: 0.3 }],
    ["rmsprop", { eps_in_sqrt: true }, {}],
    ["rmsprop", { eps_in_sqrt: false }, { epsilonMode: "outside" }],
    ["rmsprop", { initial_scale: 0, nesterov: false, bias_correction: false }, {}],
    ["adam", { b1: 0.3, b2: 0.4 }, { beta1: 0.3, beta2: 0.4 }],
    ["adam", { eps: 0.3 }, { epsilon: 0.3 }],
    ["adam", { eps_root: 0.3 }, { epsilonRoot: 0.3 }],
    ["adam", { nesterov: true }, { nesterov: true }],
    ["adam", { mu_dtype: null }, {}],
    ["amsgrad", { eps_root: 0.3 }, { epsilonRoot: 0.3 }],
    ["adamw", { weight_decay: 0.3 }, { weightDecay: 0.3 }],
    ["adamw", { mask: null }, {}],
    ["adamw", { mask: undefined, mu_dtype: undefined }, {}],
    ["adadelta", { weight_decay: null }, {}],
    ["adamaxw", { weight_decay: 0.3 }, { weightDecay: 0.3 }],
    ["lion", { b2: 0.3, weight_decay: 0.4 }, { beta2: 0.3, weightDecay: 0.4 }],
    ["adadelta", { rho: 0.3, weight_decay_mask: null }, { rho: 0.3 }],
    ["radam", { threshold: 4, eps_root: 0.3, nesterov: false }, { threshold: 4, epsilonRoot: 0.3 }],
    ["adabelief", { eps_root: 0.3 }, { epsilonRoot: 0.3 }],
    ["yogi", { b1: 0.3, eps: 0.4 }, { beta1: 0.3, epsilon: 0.4 }],
    ["adan", { b3: 0.3, weight_decay: 0.4 }, { beta3: 0.3, weightDecay: 0.4 }],
    ["adopt", { use_clipping: false }, { useClipping: false }],
    ["ademamix", { b3: 0.3, alpha: 2 }, { beta3: 0.3, alpha: 2 }],
    ["lamb", { eps_root: 0.3, weight_decay: 0.4 }, { epsilonRoot: 0.3, weightDecay: 0.4 }],
    ["lars", { trust_coefficient: 0.3, nesterov: true }, { trustCoefficient: 0.3, nesterov: true }],
    ["lars", { weight_decay_mask: true, trust_ratio_mask: true }, {}],
    ["prodigy", { betas: [0.3, 0.4], beta3: 0.5 }, { beta1: 0.3, beta2: 0.4, beta3: 0.5 }],
    ["prodigy", { beta3: null, estim_lr0: 0.3 }, { d0: 0.3 }],
    ["prodigy", { estim_lr_coef: 2, safeguard_warmup: true }, { dCoef: 2, safeguardWarmup: true }],
    [
      "schedule_free_sgd",
      { weight_lr_power: 1, weight_decay: null },
      { weightLearningRatePower: 1 },
    ],
    ["schedule_free_adamw", { b1: 0.3, b2: 0.4 }, { beta1: 0.3, beta2: 0.4 }],
  ])("%s: %o", (name, options, change) => {
    expect(partsOf(fromOptax(name, options))).toEqual({ ...partsOf(fromOptax(name)), ...change });
  });

  test.each([
    ["fromage", {}, "UNSUPPORTED"],
    ["radam", { nesterov: true }, "UNSUPPORTED"],
    ["prodigy", { betas: 0.9 }, "INVALID_HYPERPARAMETER"],
    ["schedule_free_sgd", { warmup_steps: 3 }, "UNSUPPORTED"],
    ["adamw", { mask: () => true }, "UNSUPPORTED"],
    ["adam", { mu_dtype: "bfloat16" }, "UNSUPPORTED"],
    ["sgd", { accumulator_dtype: "bfloat16" }, "UNSUPPORTED"],
    ["rmsprop", { initial_scale: 1 }, "UNSUPPORTED"],
    ["rmsprop", { nesterov: true }, "UNSUPPORTED"],
    ["rmsprop", { bias_correction: true }, "UNSUPPORTED"],
    ["adam", { beta1: 0.9 }, "UNKNOWN_OPTION"],
    ["adam", { weight_decay: 0.9 }, "UNKNOWN_OPTION"],
    ["adam", null, "UNKNOWN_OPTION"],
    ["rmsprop", { eps_in_sqrt: 0 }, "INVALID_HYPERPARAMETER"],
    ["adam", { b1: 1 }, "INVALID_HYPERPARAMETER"],
  ])("case %# is refused", (name, options, code) => {
    expect(codeOf(() => fromOptax(name, anything(options)))).toBe(code);
  });

  test.each([
    ["clip+adam", { max_delta: 2 }, { rule: "clip-by-value+adam", clipValue: 2 }],
    [
      "clip_by_global_norm+sgd",
      { max_norm: 2, learning_rate: 0.25 },
      { rule: "clip-by-global-norm+sgd", globalClipNorm: 2, learningRate: 0.25 },
    ],
    ["adam+keep_params_nonnegative", {}, { rule: "adam+non-negative-weights" }],
  ])("the chain %s", (name, options, wanted) => {
    expect(partsOf(fromOptax(name, options))).toMatchObject(wanted);
  });

  test.each([
    ["clip+adam", { max_norm: 2 }, "UNKNOWN_OPTION"],
    ["clip+adam", { max_delta: -2 }, "INVALID_HYPERPARAMETER"],
    ["clip+adam", null, "UNKNOWN_OPTION"],
    ["adam+clip", {}, "INVALID_CHAIN"],
    ["clip", {}, "UNSUPPORTED"],
    ["multi_steps3+adam", {}, "INVALID_HYPERPARAMETER"],
  ])("the chain %s with %j is refused", (name, options, code) => {
    expect(codeOf(() => fromOptax(name, anything(options)))).toBe(code);
  });
});
