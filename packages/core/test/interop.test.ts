import { describe, expect, test } from "vitest";
import { counterpartsOf, fromKeras, fromOptax, fromTfjs, fromTorch } from "../src/interop/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { rules } from "../src/rules/index.js";
import { anything, codeOf, failureOf } from "./support.js";

/** The rule of a spec, its hyperparameters, and the options that differ from the rule's defaults. */
function parts({ rule, hyperparameters, options }: OptimizerSpec): Record<string, unknown> {
  const changed = Object.entries(options).filter(([key, value]) => value !== rule.options[key][0]);
  return { rule: rule.name, ...hyperparameters, ...Object.fromEntries(changed) };
}

describe("fromKeras", () => {
  const keras = (name: string, config: Record<string, unknown> = {}): OptimizerSpec =>
    fromKeras({ class_name: name, config });

  // The defaults that Keras 3 documents.
  test.each([
    ["SGD", { rule: "sgd", learningRate: 0.01, momentum: 0, weightDecay: 0 }],
    [
      "Adagrad",
      { rule: "adagrad", learningRate: 0.001, initialAccumulatorValue: 0.1, epsilon: 1e-7 },
    ],
    ["RMSprop", { rule: "rmsprop", learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7 }],
    ["Adam", { rule: "adam", learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }],
    ["AdamW", { rule: "adamw", learningRate: 0.001, beta1: 0.9, weightDecay: 0.004 }],
    ["Adamax", { rule: "adamax", learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }],
    ["Nadam", { rule: "nadam", learningRate: 0.001, beta1: 0.9, epsilon: 1e-7, momentumDecay: 1 }],
    ["Lion", { rule: "lion", learningRate: 0.001, beta1: 0.9, beta2: 0.99, weightDecay: 0 }],
    ["Adadelta", { rule: "adadelta", learningRate: 0.001, rho: 0.95, epsilon: 1e-7 }],
    ["Lamb", { rule: "lamb", learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }],
    [
      "Adafactor",
      {
        rule: "adafactor",
        learningRate: 0.001,
        beta2Decay: -0.8,
        epsilon1: 1e-30,
        epsilon2: 1e-3,
        clipThreshold: 1,
      },
    ],
    [
      "ScheduleFreeAdamW",
      {
        rule: "schedule-free-adamw",
        learningRate: 0.0025,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        warmupSteps: 0,
        weightLearningRatePower: 0,
        weightDecay: 0,
      },
    ],
    [
      "Ftrl",
      {
        rule: "ftrl",
        learningRate: 0.001,
        initialAccumulatorValue: 0.1,
        l1RegularizationStrength: 0,
        l2RegularizationStrength: 0,
        l2ShrinkageRegularizationStrength: 0,
        beta: 0,
      },
    ],
  ])("the defaults of %s", (name, wanted) => {
    const got = parts(keras(name));
    expect(got).toMatchObject(wanted);
    expect(Object.values(got).filter((value) => typeof value === "boolean")).toEqual([]);
  });

  test.each([
    ["SGD", "learning_rate", 0.3, { learningRate: 0.3 }],
    ["SGD", "momentum", 0.3, { momentum: 0.3 }],
    ["SGD", "nesterov", true, { nesterov: true }],
    ["SGD", "weight_decay", 0.3, { weightDecay: 0.3 }],
    ["SGD", "weight_decay", null, { weightDecay: 0 }],
    ["Adagrad", "initial_accumulator_value", 0.3, { initialAccumulatorValue: 0.3 }],
    ["Adagrad", "epsilon", 0.3, { epsilon: 0.3 }],
    ["RMSprop", "rho", 0.3, { rho: 0.3 }],
    ["RMSprop", "momentum", 0.3, { momentum: 0.3 }],
    ["RMSprop", "epsilon", 0.3, { epsilon: 0.3 }],
    ["RMSprop", "centered", true, { centered: true }],
    ["Adam", "beta_1", 0.3, { beta1: 0.3 }],
    ["Adam", "beta_2", 0.3, { beta2: 0.3 }],
    ["Adam", "epsilon", 0.3, { epsilon: 0.3 }],
    ["Adam", "amsgrad", true, { amsgrad: true }],
    ["AdamW", "amsgrad", true, { amsgrad: true }],
    ["AdamW", "weight_decay", 0.3, { weightDecay: 0.3 }],
    ["Adamax", "beta_1", 0.3, { beta1: 0.3 }],
    ["Nadam", "beta_2", 0.3, { beta2: 0.3 }],
    ["Lion", "beta_1", 0.3, { beta1: 0.3 }],
    ["Adadelta", "rho", 0.3, { rho: 0.3 }],
    ["Ftrl", "learning_rate_power", -0.5, {}],
    ["Ftrl", "initial_accumulator_value", 0.3, { initialAccumulatorValue: 0.3 }],
    ["Ftrl", "l1_regularization_strength", 0.3, { l1RegularizationStrength: 0.3 }],
    ["Ftrl", "l2_regularization_strength", 0.3, { l2RegularizationStrength: 0.3 }],
    [
      "Ftrl",
      "l2_shrinkage_regularization_strength",
      0.3,
      { l2ShrinkageRegularizationStrength: 0.3 },
    ],
    ["Ftrl", "beta", 0.3, { beta: 0.3 }],
    ["Lamb", "beta_1", 0.3, { beta1: 0.3 }],
    ["Adafactor", "beta_2_decay", -0.3, { beta2Decay: -0.3 }],
    ["Adafactor", "epsilon_1", 0.3, { epsilon1: 0.3 }],
    ["Adafactor", "epsilon_2", 0.3, { epsilon2: 0.3 }],
    ["Adafactor", "clip_threshold", 0.3, { clipThreshold: 0.3 }],
    ["Adafactor", "relative_step", false, {}],
    ["ScheduleFreeAdamW", "warmup_steps", 3, { warmupSteps: 3 }],
  ])("%s: %s", (name, key, value, change) => {
    expect(parts(keras(name, { [key]: value }))).toEqual({ ...parts(keras(name)), ...change });
  });

  test.each<readonly [object, object]>([
    [{ loss_scale_factor: 8 }, { lossScale: 8, nonFinite: "propagate" }],
    [{ gradient_accumulation_steps: 2 }, { accumulate: 2, schedulesCount: "calls" }],
  ])("%o is when calls become steps", (config, control) => {
    const spec = keras("Adam", { ...config });
    expect(spec.control).toEqual(control);
    expect(parts(spec)).toEqual(parts(keras("Adam")));
  });

  test("a LossScaleOptimizer has a dynamic loss scale", () => {
    const inner_optimizer = { class_name: "Adam", config: { learning_rate: 0.1, clipnorm: 1 } };
    const config = { inner_optimizer, initial_scale: 256, dynamic_growth_steps: 10, clipnorm: 1 };
    const spec = fromKeras({ class_name: "LossScaleOptimizer", config });
    expect(spec.control).toEqual({ lossScale: { initial: 256, growthInterval: 10 } });
    expect(parts(spec)).toEqual(parts(fromKeras(inner_optimizer)));
  });

  test("an average of weights at each call of an accumulation is refused", () => {
    const config = { use_ema: true, gradient_accumulation_steps: 2 };
    expect(() => keras("Adam", config)).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  });

  test("options without effect are ignored", () => {
    const config = {
      name: "adam",
      jit_compile: true,
      ema_momentum: 0.5,
      ema_overwrite_frequency: 3,
      use_ema: false,
      clipnorm: null,
      clipvalue: null,
      global_clipnorm: null,
      loss_scale_factor: null,
      gradient_accumulation_steps: null,
      is_legacy_optimizer: false,
      decay: 0,
    };
    expect(parts(keras("Adam", config))).toEqual(parts(keras("Adam")));
    const printed = { class_name: "Adam", config: {}, module: "keras.optimizers" };
    expect(parts(fromKeras({ ...printed, registered_name: null }))).toEqual(parts(keras("Adam")));
  });

  test.each([
    ["decay", 1e-6],
    ["is_legacy_optimizer", true],
    ["learning_rate", { class_name: "MySchedule", config: {} }],
  ])("%s is known and refused", (key, value) => {
    expect(codeOf(() => keras("Adam", { [key]: value }))).toBe("UNSUPPORTED");
  });

  test.each([
    [{ class_name: "LossScaleOptimizer", config: {} }, "UNKNOWN_OPTION"],
    [{ class_name: "Ftrl", config: { learning_rate_power: -0.3 } }, "UNSUPPORTED"],
    [{ class_name: "adam", config: {} }, "UNSUPPORTED"],
    [{ class_name: "constructor", config: {} }, "UNSUPPORTED"],
    [{ class_name: Object.create(null), config: {} }, "UNSUPPORTED"],
    [{ config: {} }, "UNSUPPORTED"],
    [{}, "UNKNOWN_OPTION"],
    [[], "UNKNOWN_OPTION"],
    [{ class_name: "Adam" }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: null }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: [] }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: {}, build_config: {} }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: { momentum: 0.9 } }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: { beta1: 0.9 } }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: { constructor: 1 } }, "UNKNOWN_OPTION"],
    [{ class_name: "Lion", config: { epsilon: 0.9 } }, "UNKNOWN_OPTION"],
    [{ class_name: "Adam", config: { learning_rate: null } }, "INVALID_HYPERPARAMETER"],
    [{ class_name: "Adam", config: { beta_1: 1.5 } }, "INVALID_HYPERPARAMETER"],
    [{ class_name: "Adam", config: { amsgrad: 1 } }, "INVALID_HYPERPARAMETER"],
    [null, "UNKNOWN_OPTION"],
    ["Adam", "UNKNOWN_OPTION"],
  ])("case %# is refused", (optimizer, code) => {
    expect(codeOf(() => fromKeras(anything(optimizer)))).toBe(code);
  });

  test.each([
    [{ clipnorm: 2 }, { rule: "clip-by-norm+adam", clipNorm: 2 }],
    [{ clipvalue: 2 }, { rule: "clip-by-value+adam", clipValue: 2 }],
    [{ global_clipnorm: 2 }, { rule: "clip-by-global-norm+adam", globalClipNorm: 2 }],
    [{ clipnorm: 0 }, { rule: "adam" }],
    [{ use_ema: true }, { rule: "adam+ema", emaMomentum: 0.99, emaOverwrite: 0 }],
    [
      { use_ema: true, ema_momentum: 0.5, ema_overwrite_frequency: 7, clipvalue: 3 },
      { rule: "clip-by-value+adam+ema", clipValue: 3, emaMomentum: 0.5, emaOverwrite: 7 },
    ],
    [
      { use_ema: true, ema_overwrite_frequency: null, learning_rate: 0.25 },
      { rule: "adam+ema", emaOverwrite: 0, learningRate: 0.25 },
    ],
  ])("stages: %j", (config, wanted) => {
    expect(parts(keras("Adam", config))).toMatchObject(wanted);
  });

  test.each([
    [{ clipnorm: 1, clipvalue: 1 }],
    [{ clipnorm: -1 }],
    [{ clipnorm: "1" }],
    [{ use_ema: 1 }],
    [{ use_ema: true, ema_momentum: 1.5 }],
    [{ use_ema: true, ema_overwrite_frequency: -1 }],
  ])("%j is refused", (config) => {
    expect(codeOf(() => keras("Adam", config))).toBe("INVALID_HYPERPARAMETER");
  });

  const constrained = (name: string, config: Record<string, unknown> = {}): OptimizerSpec =>
    fromKeras(
      { class_name: "Adam", config: { use_ema: true } },
      { constraint: { class_name: name, config, module: "keras.constraints" } },
    );

  test.each([
    ["NonNeg", {}, { rule: "adam+ema+non-negative-weights" }],
    ["UnitNorm", {}, { rule: "adam+ema+unit-norm" }],
    ["UnitNorm", { axis: 1 }, { rule: "adam+ema+unit-norm", unitNormAxis: "row" }],
    ["MaxNorm", {}, { rule: "adam+ema+max-norm", maxNorm: 2, minNorm: 0, normRate: 1 }],
    ["MaxNorm", { max_value: 3, axis: [0] }, { maxNorm: 3 }],
    ["MaxNorm", { axis: [1, 2, 3] }, { maxNormAxis: "row" }],
    ["MinMaxNorm", {}, { maxNorm: 1, minNorm: 0, normRate: 1 }],
    [
      "MinMaxNorm",
      { min_value: 0.5, max_value: 3, rate: 0.25, axis: [1] },
      { minNorm: 0.5, maxNorm: 3, normRate: 0.25, maxNormAxis: "row" },
    ],
  ])("the constraint %s %j", (name, config, wanted) => {
    expect(parts(constrained(name, config))).toMatchObject(wanted);
  });

  test("no constraint is null", () => {
    const adam = { class_name: "Adam", config: {} };
    expect(parts(fromKeras(adam, { constraint: null }))).toEqual(parts(fromKeras(adam)));
  });

  test.each([
    ["RadialConstraint", {}, "UNSUPPORTED"],
    ["MaxNorm", { axis: [0, 1, 2] }, "UNSUPPORTED"],
    ["MaxNorm", { axis: -1 }, "UNSUPPORTED"],
    ["UnitNorm", { max_value: 1 }, "UNKNOWN_OPTION"],
    ["MaxNorm", { max_value: -1 }, "INVALID_HYPERPARAMETER"],
  ])("the constraint %s %j is refused", (name, config, code) => {
    expect(codeOf(() => constrained(name, config))).toBe(code);
  });

  test("another keyword is refused", () => {
    const adam = { class_name: "Adam", config: {} };
    expect(codeOf(() => fromKeras(adam, anything({ kernel_constraint: null })))).toBe(
      "UNKNOWN_OPTION",
    );
  });
});

describe("fromTorch", () => {
  // The defaults that PyTorch documents; decay is L2 but in AdamW.
  test.each([
    [
      "SGD",
      { rule: "sgd", learningRate: 0.001, momentum: 0, dampening: 0, momentumForm: "torch" },
      true,
    ],
    [
      "Adagrad",
      {
        rule: "adagrad",
        learningRate: 0.01,
        learningRateDecay: 0,
        initialAccumulatorValue: 0,
        epsilon: 1e-10,
        epsilonMode: "outside",
      },
      true,
    ],
    [
      "RMSprop",
      { rule: "rmsprop", learningRate: 0.01, rho: 0.99, epsilon: 1e-8, epsilonMode: "outside" },
      true,
    ],
    [
      "Adam",
      {
        rule: "adam",
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        epsilonMode: "paper",
      },
      true,
    ],
    [
      "AdamW",
      {
        rule: "adamw",
        learningRate: 0.001,
        weightDecay: 0.01,
        epsilon: 1e-8,
        epsilonMode: "paper",
      },
      false,
    ],
    [
      "Adamax",
      { rule: "adamax", learningRate: 0.002, beta1: 0.9, epsilon: 1e-8, epsilonMode: "inside" },
      true,
    ],
    [
      "NAdam",
      {
        rule: "nadam",
        learningRate: 0.002,
        beta1: 0.9,
        epsilon: 1e-8,
        momentumDecay: 0.004,
        productIn: "f32",
      },
      true,
    ],
    [
      "Adadelta",
      { rule: "adadelta", learningRate: 1, rho: 0.9, epsilon: 1e-6, averageForm: "sum" },
      true,
    ],
    [
      "RAdam",
      { rule: "radam", learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      true,
    ],
  ])("the defaults of %s", (name, wanted, isL2) => {
    const got = parts(fromTorch(name));
    expect(got).toMatchObject(isL2 ? { weightDecay: 0, ...wanted } : wanted);
    expect(got.weightDecayMode).toBe(isL2 ? "l2" : undefined);
  });

  test.each([
    ["SGD", { lr: 0.3 }, { learningRate: 0.3 }],
    ["SGD", { momentum: 0.3 }, { momentum: 0.3 }],
    ["SGD", { dampening: 0.3 }, { dampening: 0.3 }],
    ["SGD", { momentum: 0.3, nesterov: true }, { momentum: 0.3, nesterov: true }],
    ["SGD", { weight_decay: 0.3 }, { weightDecay: 0.3 }],
    ["SGD", { maximize: true }, { maximize: true }],
    ["Adagrad", { lr_decay: 0.3 }, { learningRateDecay: 0.3 }],
    ["Adagrad", { initial_accumulator_value: 0.3 }, { initialAccumulatorValue: 0.3 }],
    ["Adagrad", { eps: 0.3 }, { epsilon: 0.3 }],
    ["RMSprop", { alpha: 0.3 }, { rho: 0.3 }],
    ["RMSprop", { momentum: 0.3 }, { momentum: 0.3 }],
    ["RMSprop", { centered: true }, { centered: true }],
    ["Adam", { betas: [0.3, 0.4] }, { beta1: 0.3, beta2: 0.4 }],
    ["Adam", { amsgrad: true }, { amsgrad: true }],
    ["Adam", { decoupled_weight_decay: true }, { weightDecayMode: undefined }],
    ["AdamW", { weight_decay: 0.3 }, { weightDecay: 0.3 }],
    ["AdamW", { amsgrad: true }, { amsgrad: true }],
    ["Adadelta", { rho: 0.3 }, { rho: 0.3 }],
    ["RAdam", { betas: [0.3, 0.4], eps: 0.5 }, { beta1: 0.3, beta2: 0.4, epsilon: 0.5 }],
    ["RAdam", { decoupled_weight_decay: true }, { weightDecayMode: undefined }],
    ["Adafactor", { eps: [null, 0.3] }, { epsilon2: 0.3 }],
    ["Adafactor", { eps: [0.3, 0.4], d: 2 }, { epsilon1: 0.3, epsilon2: 0.4, clipThreshold: 2 }],
    ["Adafactor", { beta2_decay: -0.3 }, { beta2Decay: -0.3 }],
    ["NAdam", { momentum_decay: 0.3 }, { momentumDecay: 0.3 }],
    ["NAdam", { decoupled_weight_decay: true }, { weightDecayMode: undefined }],
    ["Adam", { foreach: true, fused: false, capturable: true, differentiable: false }, {}],
    ["Adam", { foreach: null, fused: null }, {}],
  ])("%s: %o", (name, options, change) => {
    expect(parts(fromTorch(name, options))).toEqual(
      JSON.parse(JSON.stringify({ ...parts(fromTorch(name)), ...change })),
    );
  });

  test("groups have their own options, and the optimizer's otherwise", () => {
    const spec = fromTorch("AdamW", {
      lr: 0.01,
      weight_decay: 0.1,
      groups: [
        { parameters: ["bias"], weight_decay: 0 },
        { parameters: ["head", "tail"], lr: 0.05, betas: [0.5, 0.6], eps: 1e-3, foreach: null },
      ],
    });
    expect(spec.groups).toEqual([
      { match: ["bias"], weightDecay: 0 },
      { match: ["head", "tail"], learningRate: 0.05, beta1: 0.5, beta2: 0.6, epsilon: 1e-3 },
    ]);
    const backend = reference();
    const names = ["body", "bias", "head", "tail"];
    const parameters = Object.fromEntries(names.map((name) => [name, backend.tensor([2])]));
    const { groups, learningRate } = createOptimizer(spec, parameters);
    expect(learningRate).toBe(0.01);
    expect(groups.map(({ parameters: own }) => own)).toEqual([["bias"], ["head", "tail"]]);
    expect(groups[0]).toMatchObject({ learningRate: 0.01, weightDecay: 0 });
    expect(groups[1]).toMatchObject({ learningRate: 0.05, weightDecay: 0.1, beta1: 0.5 });
  });

  test.each([
    ["LBFGS", {}, "UNSUPPORTED"],
    ["Adafactor", { eps: 1e-3 }, "INVALID_HYPERPARAMETER"],
    ["adam", {}, "UNSUPPORTED"],
    [Symbol("Adam"), {}, "UNSUPPORTED"],
    ["Adam", { learning_rate: 1 }, "UNKNOWN_OPTION"],
    ["Adam", { momentum: 0.9 }, "UNKNOWN_OPTION"],
    ["Adam", null, "UNKNOWN_OPTION"],
    ["Adam", 5, "UNKNOWN_OPTION"],
    ["Adam", { groups: {} }, "UNKNOWN_OPTION"],
    ["Adam", [], "UNKNOWN_OPTION"],
    ["Adam", { groups: [null] }, "UNKNOWN_OPTION"],
    ["Adam", { groups: [{ lr: 1 }] }, "UNKNOWN_OPTION"],
    ["Adam", { groups: [{ parameters: [1] }] }, "UNKNOWN_OPTION"],
    ["Adam", { groups: [{ parameters: ["a", 1] }] }, "UNKNOWN_OPTION"],
    ["Adam", { groups: [{ parameters: ["a"], momentum: 1 }] }, "UNKNOWN_OPTION"],
    ["Adam", { betas: 0.9 }, "INVALID_HYPERPARAMETER"],
    ["Adam", { betas: [0.9] }, "INVALID_HYPERPARAMETER"],
    ["Adam", { betas: [0.9, 1.5] }, "INVALID_HYPERPARAMETER"],
    ["Adam", { betas: [0.9, null] }, "INVALID_HYPERPARAMETER"],
    ["Adam", { lr: -1 }, "INVALID_HYPERPARAMETER"],
    ["Adam", { lr: null }, "INVALID_HYPERPARAMETER"],
    ["Adam", { decoupled_weight_decay: 1 }, "INVALID_HYPERPARAMETER"],
    ["Adam", { maximize: 1 }, "INVALID_HYPERPARAMETER"],
    ["SGD", { nesterov: true }, "INVALID_HYPERPARAMETER"],
    ["SGD", { nesterov: true, momentum: Symbol("m") }, "INVALID_HYPERPARAMETER"],
    ["SGD", { nesterov: true, momentum: 0.9, dampening: 0.1 }, "INVALID_HYPERPARAMETER"],
  ])("case %# is refused", (name, options, code) => {
    expect(codeOf(() => fromTorch(anything(name), anything(options)))).toBe(code);
  });

  test.each([{ maximize: true }, { amsgrad: true }, { decoupled_weight_decay: true }])(
    "a group cannot have %o if the optimizer does not",
    (option) => {
      const options = { groups: [{ parameters: ["w"], ...option }] };
      expect(codeOf(() => fromTorch("Adam", options))).toBe("UNSUPPORTED");
    },
  );

  // json.dumps(optimizer.state_dict()["param_groups"]) of PyTorch 2.13, after a scheduler was made.
  const printed = {
    SGD: `[{"lr": 0.01, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": false, "maximize": false, "foreach": null, "differentiable": false, "fused": null, "initial_lr": 0.01, "params": [0]}]`,
    Adagrad: `[{"lr": 0.01, "lr_decay": 0, "eps": 1e-10, "weight_decay": 0, "initial_accumulator_value": 0, "foreach": null, "maximize": false, "differentiable": false, "fused": null, "initial_lr": 0.01, "params": [0]}]`,
    RMSprop: `[{"lr": 0.01, "momentum": 0, "alpha": 0.99, "eps": 1e-08, "centered": false, "weight_decay": 0, "capturable": false, "foreach": null, "maximize": false, "differentiable": false, "initial_lr": 0.01, "params": [0]}]`,
    Adam: `[{"param_names": ["w", "b"], "lr": 0.0004, "betas": [0.95, 0.999], "eps": 1e-08, "weight_decay": 0, "amsgrad": false, "maximize": false, "foreach": null, "capturable": false, "differentiable": false, "fused": null, "decoupled_weight_decay": false, "initial_lr": 0.0004, "max_lr": 0.01, "min_lr": 4e-08, "max_momentum": 0.95, "base_momentum": 0.85, "params": [0, 1]}]`,
    AdamW: `[{"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0.01, "amsgrad": false, "maximize": false, "foreach": null, "capturable": false, "differentiable": false, "fused": null, "decoupled_weight_decay": true, "initial_lr": 0.01, "params": [0]}]`,
    Adamax: `[{"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0, "foreach": null, "maximize": false, "differentiable": false, "capturable": false, "initial_lr": 0.01, "params": [0]}]`,
    NAdam: `[{"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0, "momentum_decay": 0.004, "decoupled_weight_decay": false, "maximize": false, "foreach": null, "capturable": false, "differentiable": false, "initial_lr": 0.01, "params": [0]}]`,
  };
  test.each(Object.entries(printed))("takes the parameter groups that %s prints", (name, text) => {
    const groups = JSON.parse(text) as Record<string, unknown>[];
    const wanted = name === "Adam" ? { lr: 4e-4, betas: [0.95, 0.999] } : { lr: 0.01 };
    expect(parts(fromTorch(name, groups[0]))).toEqual(parts(fromTorch(name, wanted)));
    expect(fromTorch(name, groups)).toEqual(fromTorch(name, groups[0]));
  });

  test("takes what SWALR adds to a parameter group", () => {
    const [group] = JSON.parse(printed.SGD) as Record<string, unknown>[];
    expect(parts(fromTorch("SGD", { ...group, swa_lr: 0.05 }))).toEqual(
      parts(fromTorch("SGD", { lr: 0.01 })),
    );
  });

  test("a group that was frozen makes the first step of a parameter that PyTorch steps late", async () => {
    const backend = reference();
    const parameters = { w: backend.tensor([1], [1]), bias: backend.tensor([1], [1]) };
    const spec = fromTorch("Adam", { lr: 0.01 });
    const groups = [{ match: "bias", frozen: true }];
    const optimizer = createOptimizer(spec, parameters, { groups });
    const gradients = { w: Float32Array.of(0.5), bias: Float32Array.of(0.5) };
    for (let step = 0; step < 100; step += 1) optimizer.step(gradients);
    optimizer.groups[0].frozen = false;
    optimizer.step(gradients);
    // PyTorch 2.13: 0.990000, the first step of Adam.
    expect((await parameters.bias.read())[0]).toBeCloseTo(0.99, 6);
  });

  test("takes a list of several groups", () => {
    const [first] = JSON.parse(printed.AdamW) as Record<string, unknown>[];
    const second = { ...first, weight_decay: 0, params: [1] };
    const groups = [{ match: ["bias"], weightDecay: 0 }];
    expect(fromTorch("AdamW", [first, { ...second, parameters: ["bias"] }]).groups).toEqual(groups);
    expect(fromTorch("AdamW", [first, { ...second, param_names: ["bias"] }]).groups).toEqual(
      groups,
    );
    const { code, message } = failureOf(() => fromTorch("AdamW", [first, second]));
    expect(code).toBe("UNKNOWN_OPTION");
    expect(message).toContain('add parameters: ["…"]');
  });

  test("a group may repeat what the optimizer has", () => {
    const group = { parameters: ["w"], maximize: true, amsgrad: false };
    expect(fromTorch("Adam", { maximize: true, groups: [group] }).groups).toEqual([
      { match: ["w"] },
    ]);
  });

  test("an option that is undefined has PyTorch's default", () => {
    expect(fromTorch("AdamW", { lr: undefined, decoupled_weight_decay: undefined })).toEqual(
      fromTorch("AdamW"),
    );
  });
});

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
    expect(parts(fromOptax(name, { learning_rate: 0.5 }))).toMatchObject({
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
    expect(parts(fromOptax(name, options))).toEqual({ ...parts(fromOptax(name)), ...change });
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
    expect(parts(fromOptax(name, options))).toMatchObject(wanted);
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

describe("fromTfjs", () => {
  // The defaults of tf.train's functions in TF.js 4.22.
  test.each([
    ["sgd", { rule: "sgd", momentum: 0 }],
    ["momentum", { rule: "sgd", momentumForm: "torch" }],
    [
      "adadelta",
      {
        rule: "adadelta",
        learningRate: 0.001,
        rho: 0.95,
        epsilon: 1e-7,
        gradientAverage: "previous",
      },
    ],
    ["adagrad", { rule: "adagrad", initialAccumulatorValue: 0.1, epsilon: 1e-7 }],
    ["rmsprop", { rule: "rmsprop", rho: 0.9, momentum: 0, epsilon: 1e-7 }],
    [
      "adam",
      {
        rule: "adam",
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        epsilonMode: "paper",
      },
    ],
    [
      "adamax",
      {
        rule: "adamax",
        learningRate: 0.002,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        learningRateDecay: 0,
      },
    ],
  ])("the defaults of %s", (name, wanted) => {
    expect(parts(fromTfjs(name))).toMatchObject(wanted);
  });

  test.each([
    ["sgd", { learningRate: 0.3 }, { learningRate: 0.3 }],
    ["momentum", { momentum: 0.3 }, { momentum: 0.3 }],
    ["momentum", { useNesterov: true }, { nesterov: true }],
    ["adagrad", { initialAccumulatorValue: 0.3 }, { initialAccumulatorValue: 0.3 }],
    ["adadelta", { rho: 0.3, epsilon: 0.4 }, { rho: 0.3, epsilon: 0.4 }],
    ["rmsprop", { decay: 0.3 }, { rho: 0.3 }],
    ["rmsprop", { momentum: 0.3 }, { momentum: 0.3 }],
    ["rmsprop", { epsilon: 0.3 }, { epsilon: 0.3 }],
    ["rmsprop", { centered: true }, { centered: true, epsilonMode: "subtracted" }],
    ["rmsprop", { centered: false }, {}],
    ["adam", { beta1: 0.3, beta2: 0.4 }, { beta1: 0.3, beta2: 0.4 }],
    ["adam", { epsilon: 0.3 }, { epsilon: 0.3 }],
    ["adamax", { decay: 0.3 }, { learningRateDecay: 0.3 }],
  ])("%s: %o", (name, options, change) => {
    expect(parts(fromTfjs(name, options))).toEqual({ ...parts(fromTfjs(name)), ...change });
  });

  test.each([
    ["ftrl", {}, "UNSUPPORTED"],
    ["Adam", {}, "UNSUPPORTED"],
    ["adam", { lr: 1 }, "UNKNOWN_OPTION"],
    ["sgd", { momentum: 0.9 }, "UNKNOWN_OPTION"],
    ["adam", null, "UNKNOWN_OPTION"],
    ["adam", { learningRate: -1 }, "INVALID_HYPERPARAMETER"],
    ["rmsprop", { centered: "yes" }, "INVALID_HYPERPARAMETER"],
  ])("case %# is refused", (name, options, code) => {
    expect(codeOf(() => fromTfjs(name, anything(options)))).toBe(code);
  });
});

describe("counterparts", () => {
  const makers = {
    keras: (name: string) => fromKeras({ class_name: name, config: {} }),
    torch: (name: string) => fromTorch(name),
    optax: (name: string) => fromOptax(name),
    tfjs: (name: string) => fromTfjs(name, name === "momentum" ? { momentum: 0.9 } : {}),
  };

  test.each(rules)("of $name compute it", ({ name }) => {
    for (const { library, name: own } of counterpartsOf(name))
      expect(makers[library](own).rule.name).toBe(name);
  });

  test("are all there are", () => {
    const named = (library: string) =>
      rules
        .flatMap(({ name }) => counterpartsOf(name))
        .filter((one) => one.library === library)
        .map((one) => one.name)
        .sort();
    expect(named("tfjs")).toEqual([
      "adadelta",
      "adagrad",
      "adam",
      "adamax",
      "momentum",
      "rmsprop",
      "sgd",
    ]);
    expect(counterpartsOf("adan")).toEqual([
      {
        library: "optax",
        name: "adan",
        settings: expect.objectContaining({ b3: "beta3", learning_rate: "learningRate" }),
      },
    ]);
    expect(counterpartsOf("adam").map((one) => `${one.library} ${one.name}`)).toEqual([
      "keras Adam",
      "torch Adam",
      "optax adam",
      "optax nadam",
      "optax amsgrad",
      "tfjs adam",
    ]);
  });
});
