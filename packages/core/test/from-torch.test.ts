import { describe, expect, test } from "vitest";
import { fromTorch } from "../src/interop/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { anything, codeOf, failureOf, partsOf } from "./support.js";

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
    const got = partsOf(fromTorch(name));
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
    ["Adafactor", { eps: [null, 0.3] }, { epsilon1: 2 ** -23, epsilon2: 0.3 }],
    ["Adafactor", { eps: [0.3, 0.4], d: 2 }, { epsilon1: 0.3, epsilon2: 0.4, clipThreshold: 2 }],
    ["Adafactor", { beta2_decay: -0.3 }, { beta2Decay: -0.3 }],
    ["NAdam", { momentum_decay: 0.3 }, { momentumDecay: 0.3 }],
    ["NAdam", { decoupled_weight_decay: true }, { weightDecayMode: undefined }],
    ["Adam", { foreach: true, fused: false, capturable: true, differentiable: false }, {}],
    ["Adam", { foreach: null, fused: null }, {}],
  ])("%s: %o", (name, options, change) => {
    expect(partsOf(fromTorch(name, options))).toEqual(
      JSON.parse(JSON.stringify({ ...partsOf(fromTorch(name)), ...change })),
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

  test.each([{ maximize: 1 }, { amsgrad: null }, { decoupled_weight_decay: "yes" }])(
    "a group cannot have %o",
    (option) => {
      const options = { groups: [{ parameters: ["w"], ...option }] };
      expect(codeOf(() => fromTorch("Adam", options))).toBe("INVALID_HYPERPARAMETER");
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
    expect(partsOf(fromTorch(name, groups[0]))).toEqual(partsOf(fromTorch(name, wanted)));
    expect(fromTorch(name, groups)).toEqual(fromTorch(name, groups[0]));
  });

  test("takes what SWALR adds to a parameter group", () => {
    const [group] = JSON.parse(printed.SGD) as Record<string, unknown>[];
    expect(partsOf(fromTorch("SGD", { ...group, swa_lr: 0.05 }))).toEqual(
      partsOf(fromTorch("SGD", { lr: 0.01 })),
    );
  });

  test("takes the name that trainers give a group", () => {
    const groups = [
      { lr: 0.00016, params: [0], name: "xyz" },
      { lr: 0.0025, params: [1], name: "f_dc", parameters: ["colors"] },
    ];
    const spec = fromTorch("Adam", groups);
    expect(partsOf(spec)).toEqual(partsOf(fromTorch("Adam", { lr: 0.00016 })));
    expect(spec.groups).toEqual([{ match: ["colors"], learningRate: 0.0025 }]);
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
