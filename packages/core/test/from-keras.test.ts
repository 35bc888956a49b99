import { describe, expect, test } from "vitest";
import { fromKeras, kerasClassOf } from "../src/interop/index.js";
import { anything, codeOf, partsOf } from "./support.js";
import type { OptimizerSpec } from "../src/rule/rule.js";

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
    const got = partsOf(keras(name));
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
    expect(partsOf(keras(name, { [key]: value }))).toEqual({ ...partsOf(keras(name)), ...change });
  });

  test.each<readonly [object, object]>([
    [{ loss_scale_factor: 8 }, { lossScale: 8, nonFinite: "propagate" }],
    [{ gradient_accumulation_steps: 2 }, { accumulate: 2, schedulesCount: "calls" }],
  ])("%o is when calls become steps", (config, control) => {
    const spec = keras("Adam", { ...config });
    expect(spec.control).toEqual(control);
    expect(partsOf(spec)).toEqual(partsOf(keras("Adam")));
  });

  test("a LossScaleOptimizer has a dynamic loss scale", () => {
    const inner_optimizer = { class_name: "Adam", config: { learning_rate: 0.1, clipnorm: 1 } };
    const config = { inner_optimizer, initial_scale: 256, dynamic_growth_steps: 10, clipnorm: 1 };
    const spec = fromKeras({ class_name: "LossScaleOptimizer", config });
    expect(spec.control).toEqual({ lossScale: { initial: 256, growthInterval: 10 } });
    expect(partsOf(spec)).toEqual(partsOf(fromKeras(inner_optimizer)));
  });

  test.each([{ gradient_accumulation_steps: 3 }, { loss_scale_factor: 8 }])(
    "a LossScaleOptimizer around one with %j is refused",
    (config) => {
      const inner_optimizer = { class_name: "Adam", config };
      const wrapped = { class_name: "LossScaleOptimizer", config: { inner_optimizer } };
      expect(codeOf(() => fromKeras(wrapped))).toBe("UNSUPPORTED");
    },
  );

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
    expect(partsOf(keras("Adam", config))).toEqual(partsOf(keras("Adam")));
    const printed = { class_name: "Adam", config: {}, module: "keras.optimizers" };
    expect(partsOf(fromKeras({ ...printed, registered_name: null }))).toEqual(
      partsOf(keras("Adam")),
    );
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
    expect(partsOf(keras("Adam", config))).toMatchObject(wanted);
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
    expect(partsOf(constrained(name, config))).toMatchObject(wanted);
  });

  test("no constraint is null", () => {
    const adam = { class_name: "Adam", config: {} };
    expect(partsOf(fromKeras(adam, { constraint: null }))).toEqual(partsOf(fromKeras(adam)));
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

describe("kerasClassOf", () => {
  test("is the class from which fromKeras makes the rule, with the settings that Keras has", () => {
    const { className, settings } = kerasClassOf("lion")!;
    expect(className).toBe("Lion");
    expect(settings).toEqual(
      expect.arrayContaining(["learningRate", "weightDecay", "beta1", "beta2"]),
    );
    expect(settings).not.toContain("epsilon");
    expect(fromKeras({ class_name: className, config: {} })).toMatchObject({
      rule: { name: "lion" },
    });
  });

  test("is undefined for a rule without one", () => {
    expect(kerasClassOf("prodigy")).toBeUndefined();
  });
});
