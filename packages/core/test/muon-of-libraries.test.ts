import { describe, expect, test } from "vitest";
import { fromKeras, fromOptax, fromTorch } from "../src/interop/index.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { codeOf } from "./support.js";

describe("other libraries' Muon", () => {
  test("patterns of Keras's exclude_layers, and embeddings", () => {
    const config = { exclude_layers: ["^out.*el$"], learning_rate: 0.1, adam_lr_ratio: 0.5 };
    const [group] = fromKeras({ class_name: "Muon", config }).groups;
    const match = group.match as (parameter: object) => boolean;
    const shape = [2, 2];
    expect(match({ name: "output/kernel", shape })).toBe(true);
    expect(match({ name: "an/Embedding", shape })).toBe(true);
    expect(match({ name: "hidden/kernel", shape })).toBe(false);
    expect(group.rule!.hyperparameters.learningRate).toBe(0.05);
    expect(codeOf(() => fromKeras({ class_name: "Muon", config: { exclude_layers: "x" } }))).toBe(
      "UNKNOWN_OPTION",
    );
  });

  test("a scheduled rate has the ratio 1", () => {
    const schedule = {
      class_name: "ExponentialDecay",
      config: { initial_learning_rate: 0.5, decay_steps: 3, decay_rate: 0.5 },
    };
    const muonOf = (adam_lr_ratio: number) => () =>
      fromKeras({ class_name: "Muon", config: { learning_rate: schedule, adam_lr_ratio } });
    expect(codeOf(muonOf(0.5))).toBe("UNSUPPORTED");
    const { hyperparameters, groups } = muonOf(1)();
    expect(groups[0].rule!.hyperparameters.learningRate).toEqual(hyperparameters.learningRate);
  });

  test("rates by the shape", () => {
    const adjust = (adjust_lr_fn: unknown) => fromTorch("Muon", { adjust_lr_fn }).options.adjust;
    expect(adjust(null)).toBe("original");
    expect(adjust("original")).toBe("original");
    expect(adjust("match_rms_adamw")).toBe("rms");
    expect(codeOf(() => adjust("other"))).toBe("INVALID_HYPERPARAMETER");
    const keras = (rms_rate: unknown) => fromKeras({ class_name: "Muon", config: { rms_rate } });
    expect(keras(null).options.adjust).toBe("none");
    expect(keras(0.1).hyperparameters.rmsRate).toBe(0.1);
    expect(fromOptax("muon").options.adjust).toBe("transposed");
    expect(fromOptax("muon", { consistent_rms: 0.3 }).hyperparameters.rmsRate).toBe(0.3);
  });

  test("coefficients are three numbers", () => {
    const { hyperparameters } = fromTorch("Muon", { ns_coefficients: [3, -3, 1] });
    expect([hyperparameters.muonA, hyperparameters.muonB, hyperparameters.muonC]).toEqual([
      3, -3, 1,
    ]);
    expect(codeOf(() => fromTorch("Muon", { ns_coefficients: [3, -3] }))).toBe(
      "INVALID_HYPERPARAMETER",
    );
    expect(codeOf(() => fromOptax("muon", { ns_coeffs: "dion" }))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => fromOptax("muon", { adaptive: true }))).toBe("UNSUPPORTED");
  });

  const numbersOf = (spec: OptimizerSpec): Record<string, unknown> => ({ ...spec.hyperparameters });

  test("every option of Keras has its place", () => {
    const config = {
      learning_rate: 0.5,
      weight_decay: 0.25,
      momentum: 0.75,
      nesterov: false,
      ns_steps: 3,
      muon_a: 1,
      muon_b: 2,
      muon_c: 3,
      rms_rate: 4,
      epsilon: 0.125,
      adam_beta_1: 0.0625,
      adam_beta_2: 0.03125,
      adam_weight_decay: 8,
      adam_lr_ratio: 2,
      exclude_embeddings: false,
    };
    const spec = fromKeras({ class_name: "Muon", config });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 0.5,
      weightDecay: 0.25,
      momentum: 0.75,
      nsSteps: 3,
      muonA: 1,
      muonB: 2,
      muonC: 3,
      rmsRate: 4,
      epsilon: 1e-7,
    });
    expect(spec.options).toMatchObject({ nesterov: false, adjust: "rms", momentumForm: "keras" });
    const [{ rule, match }] = spec.groups;
    // Keras decays with the rate of Muon, here half of AdamW's.
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 1,
      weightDecay: 4,
      epsilon: 0.125,
      beta1: 0.0625,
      beta2: 0.03125,
    });
    const isAdamws = match as (parameter: object) => boolean;
    expect(isAdamws({ name: "embedding", shape: [2, 2] })).toBe(false);
    expect(isAdamws({ name: "bias", shape: [2] })).toBe(true);
  });

  test("defaults of Keras", () => {
    const spec = fromKeras({ class_name: "Muon", config: {} });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.004,
      momentum: 0.95,
      nsSteps: 5,
      rmsRate: 0.2,
    });
    const [{ rule }] = spec.groups;
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.004,
      epsilon: 1e-7,
    });
    const without = fromKeras({ class_name: "Muon", config: { adam_weight_decay: null } });
    expect(without.groups[0].rule!.hyperparameters.weightDecay).toBe(0);
  });

  test("every option of Optax has its place", () => {
    const spec = fromOptax("muon", {
      learning_rate: 0.5,
      ns_coeffs: [1, 2, 3],
      ns_steps: 4,
      beta: 0.75,
      eps: 0.125,
      weight_decay: 0.25,
      nesterov: false,
      adam_b1: 0.0625,
      adam_b2: 0.03125,
      adam_eps_root: 8,
      adam_weight_decay: 16,
      adam_learning_rate: 32,
    });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 0.5,
      muonA: 1,
      muonB: 2,
      muonC: 3,
      nsSteps: 4,
      momentum: 0.75,
      epsilon: 0.125,
      weightDecay: 0.25,
    });
    expect(spec.options).toMatchObject({ nesterov: false, momentumForm: "optax" });
    const [{ rule, match }] = spec.groups;
    expect(numbersOf(rule!)).toMatchObject({
      learningRate: 32,
      weightDecay: 16,
      epsilon: 0.125,
      epsilonRoot: 8,
      beta1: 0.0625,
      beta2: 0.03125,
    });
    expect(rule!.options).toMatchObject({
      nesterov: false,
      epsilonMode: "paper",
      averageForm: "sum-of-squares",
    });
    expect((match as (parameter: object) => boolean)({ name: "head", shape: [2, 2] })).toBe(false);
  });

  test("defaults of Optax", () => {
    const spec = fromOptax("muon", { learning_rate: 0.5, ns_coeffs: "standard" });
    expect(numbersOf(spec)).toMatchObject({ epsilon: 1e-8, muonA: 3.4445, weightDecay: 0 });
    expect(numbersOf(spec.groups[0].rule!)).toMatchObject({
      learningRate: 0.5,
      weightDecay: 0,
      epsilon: 1e-8,
    });
    expect(spec.groups[0].rule!.options.nesterov).toBe(true);
  });

  test("options of PyTorch", () => {
    const spec = fromTorch("Muon", { eps: 0.5, momentum: 0.25, ns_steps: 2, nesterov: false });
    expect(numbersOf(spec)).toMatchObject({
      learningRate: 1e-3,
      weightDecay: 0.1,
      epsilon: 0.5,
      momentum: 0.25,
      nsSteps: 2,
    });
    expect(spec.options).toMatchObject({
      nesterov: false,
      momentumForm: "torch",
      weightDecayMode: "decoupled",
    });
    expect(fromTorch("Muon").hyperparameters.epsilon).toBe(1e-7);
    const { rmsRate } = fromTorch("Muon", { adjust_lr_fn: "match_rms_adamw" }).hyperparameters;
    expect(rmsRate).toBe(0.2);
  });

  test.each([
    ["weight_decay_mask", "x"],
    ["mu_dtype", "bfloat16"],
    ["preconditioning", "aol"],
    ["muon_weight_dimension_numbers", {}],
  ])("Optax's %s is refused", (option, value) => {
    expect(codeOf(() => fromOptax("muon", { [option]: value }))).toBe("UNSUPPORTED");
  });
});
