import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  cosineDecayRestarts,
  createOptimizer,
  exponentialDecay,
  GradstepError,
  inverseTimeDecay,
  joinSchedules,
  lion,
  muon,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  radam,
  sgd,
  warmup,
  type GroupOptions,
  type OptimizerConfig,
  type OptimizerSpec,
} from "../src/index.js";
import { fromTorch, toTorch, type TorchConfig, type TorchScheduler } from "../src/interop/index.js";
import { reference } from "../src/reference.js";
import { cases, seed } from "../../../testing/cases.js";

/** The configuration of an optimizer with the parameters `w` and `b`. */
function configOf(spec: OptimizerSpec, groups: readonly GroupOptions[] = []): OptimizerConfig {
  const backend = reference();
  const optimizer = createOptimizer(
    spec,
    { w: backend.tensor([2, 3]), b: backend.tensor([3, 2]) },
    { groups },
  );
  const config = optimizer.config();
  optimizer.dispose();
  return config;
}

function back({ name, paramGroups, scheduler }: TorchConfig): OptimizerSpec {
  return fromTorch(name, paramGroups, scheduler === undefined ? {} : { scheduler });
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof GradstepError && error.code === "UNSUPPORTED") return error.message;
    throw error;
  }
  return "nothing was thrown";
}

const rate = fc.double({ min: 1e-6, max: 1, noNaN: true });
const part = fc.double({ min: 0, max: 0.999, noNaN: true });
const flag = fc.boolean();
const betas = fc.tuple(part, part);
const common = { lr: rate, weight_decay: fc.oneof(fc.constant(0), rate) };
const adamOptions = { ...common, betas, eps: rate, maximize: flag, decoupled_weight_decay: flag };

/** Options of each class that PyTorch's constructor accepts. */
const optimizers: Readonly<Record<string, fc.Arbitrary<Record<string, unknown>>>> = {
  SGD: fc.oneof(
    fc.record({ ...common, momentum: part, dampening: part, maximize: flag }),
    fc.record({ ...common, momentum: rate, nesterov: flag }),
  ),
  Adagrad: fc.record({ ...common, eps: rate, lr_decay: part, initial_accumulator_value: part }),
  RMSprop: fc.record({ ...common, alpha: part, momentum: part, centered: flag, eps: rate }),
  Adam: fc.record({ ...adamOptions, amsgrad: flag }),
  AdamW: fc.record({ ...adamOptions, amsgrad: flag }),
  Adamax: fc.record({ ...common, betas, eps: rate, maximize: flag }),
  Adadelta: fc.record({ ...common, rho: part, eps: rate, maximize: flag }),
  Adafactor: fc.record({
    ...common,
    eps: fc.tuple(rate, rate),
    beta2_decay: fc.constant(-0.7),
    d: rate.map((value) => 1 + value),
  }),
  RAdam: fc.record(adamOptions),
  NAdam: fc.record({ ...adamOptions, momentum_decay: part }),
  Muon: fc.record({
    ...common,
    momentum: part,
    nesterov: flag,
    ns_steps: fc.integer({ min: 0, max: 9 }),
    ns_coefficients: fc.tuple(rate, rate, rate),
    eps: rate,
    adjust_lr_fn: fc.constantFrom("original", "match_rms_adamw"),
  }),
};

describe("toTorch", () => {
  test.each(Object.entries(optimizers))(
    "%s with random options, there and back",
    (name, options) => {
      fc.assert(
        fc.property(options, rate, (given, other) => {
          // PyTorch's and our own group, which differ in the rate and the decay.
          const groups = [{ parameters: ["b"], lr: other, weight_decay: other / 2 }];
          const config = configOf(fromTorch(name, { ...given, groups }));
          const torch = toTorch(config);
          expect(torch.name).toBe(name);
          expect(torch.paramGroups[0]).toMatchObject(given);
          expect(torch.paramGroups[1]).toMatchObject({
            ...given,
            lr: other,
            weight_decay: other / 2,
            param_names: ["b"],
          });
          const again = configOf(back(torch));
          expect(again.settings).toEqual(config.settings);
          const settingsOfGroup = { ...config.settings, ...config.groups[0] };
          expect({ ...again.settings, ...again.groups[0] }).toEqual(settingsOfGroup);
        }),
        { numRuns: cases(500, 25), seed },
      );
    },
  );

  const schedulers: readonly TorchScheduler[] = [
    { name: "StepLR", step_size: 4, gamma: 0.3 },
    { name: "MultiStepLR", milestones: [3, 7, 7, 12], gamma: 0.4 },
    { name: "ExponentialLR", gamma: 0.9 },
    { name: "CosineAnnealingLR", T_max: 9, eta_min: 0.001 },
    { name: "CosineAnnealingWarmRestarts", T_0: 4, T_mult: 2, eta_min: 0.001 },
    { name: "OneCycleLR", max_lr: 0.5, total_steps: 25, pct_start: 0.4 },
    {
      name: "OneCycleLR",
      max_lr: 0.5,
      total_steps: 25,
      anneal_strategy: "linear",
      cycle_momentum: false,
    },
    { name: "CyclicLR", base_lr: 0.01, max_lr: 0.2, step_size_up: 6, mode: "triangular2" },
    {
      name: "CyclicLR",
      base_lr: 0.01,
      max_lr: 0.2,
      step_size_up: 6,
      mode: "exp_range",
      gamma: 0.9,
    },
    { name: "LinearLR", start_factor: 0.2, total_iters: 8 },
    { name: "ConstantLR", factor: 0.2, total_iters: 8 },
    { name: "PolynomialLR", total_iters: 8, power: 2 },
    {
      name: "SequentialLR",
      schedulers: [
        { name: "LinearLR", start_factor: 0.1, total_iters: 5 },
        { name: "CosineAnnealingLR", T_max: 9, eta_min: 0.001 },
        { name: "ConstantLR", factor: 0.01, total_iters: 1000 },
      ],
      milestones: [5, 14],
    },
  ];
  test.each(schedulers)("the scheduler $name, there and back", (scheduler) => {
    const groups = [{ parameters: ["b"], lr: 0.05 }];
    const spec = fromTorch("SGD", { lr: 0.1, momentum: 0.9, groups }, { scheduler });
    const torch = toTorch(configOf(spec), { iterations: 3 });
    expect(torch.scheduler?.name).toBe(scheduler.name);
    const again = back(torch);
    for (const key of ["learningRate", "momentum"]) {
      for (let step = 0; step < 25; step += 1) {
        expectSame(
          valueAt(again.hyperparameters[key], step),
          valueAt(spec.hyperparameters[key], step),
        );
        const own = (one: OptimizerSpec) => one.groups[0][key] ?? one.hyperparameters[key];
        expectSame(valueAt(own(again), step), valueAt(own(spec), step));
      }
    }
    // What PyTorch has in its groups after three steps.
    expectSame(torch.paramGroups[0].lr, valueAt(spec.hyperparameters.learningRate, 3));
    expectSame(torch.paramGroups[0].momentum, valueAt(spec.hyperparameters.momentum, 3));
  });

  test.each([
    ["warmup", warmup(5, cosineDecay(0.1, 20), 0.01)],
    ["cosineDecay", cosineDecay(0.01, 12, { alpha: 0.1, warmupTarget: 0.1, warmupSteps: 5 })],
    ["piecewiseConstant", piecewiseConstant([3, 8], [0.1, 0.05, 0.0125])],
    ["piecewiseConstant that rises", piecewiseConstant([3], [0.05, 0.1])],
  ])("%s has a scheduler", (_, schedule) => {
    const spec = fromTorch("AdamW", { groups: [] });
    const { scheduler, paramGroups } = toTorch(
      configOf({ ...spec, hyperparameters: { ...spec.hyperparameters, learningRate: schedule } }),
    );
    expect(scheduler).toBeDefined();
    const again = fromTorch("AdamW", paramGroups, { scheduler: scheduler! });
    for (let step = 0; step < 30; step += 1)
      expectSame(valueAt(again.hyperparameters.learningRate, step), schedule.valueAt(step));
  });

  const paper = { epsilonMode: "paper", averageForm: "sum" } as const;
  test.each<[string, OptimizerSpec, readonly string[]]>([
    ["Keras's ε", adam(), ['epsilonMode is "keras", and "paper" in PyTorch']],
    [
      "several at once",
      adamw({ epsilonRoot: 1e-8, biasCorrection: false }),
      ["epsilonRoot is 1e-8", "biasCorrection is false", "epsilonMode", 'fromTorch("AdamW"'],
    ],
    ["Keras's momentum", sgd({ momentum: 0.9 }), ['momentumForm is "keras"']],
    ["decoupled decay", sgd({ weightDecay: 0.1 }), ['weightDecayMode is "decoupled"']],
    ["another threshold", radam({ threshold: 6, averageForm: "sum" }), ["threshold is 6"]],
    ["another factor of Muon", muon({ adjust: "none", momentumForm: "torch" }), ["adjust is"]],
    [
      "a schedule without a scheduler",
      adam({ ...paper, learningRate: inverseTimeDecay(1, 5, 1) }),
      ["inverse-time-decay"],
    ],
    [
      "a warm-up from 0",
      adam({ ...paper, learningRate: warmup(5, 0.1) }),
      ["LinearLR needs values above 0"],
    ],
    [
      "a decay in other steps",
      adam({ ...paper, learningRate: exponentialDecay(1, 9, 0.5) }),
      ["decaySteps 1"],
    ],
    [
      "steps without a common factor",
      adam({ ...paper, learningRate: piecewiseConstant([3, 5], [1, 0.5, 0.3]) }),
      ["no common factor"],
    ],
    [
      "a step down, and up again",
      adam({ ...paper, learningRate: piecewiseConstant([3, 5], [1, 0.5, 1]) }),
      ["no common factor"],
    ],
    [
      "a polynomial that does not end at 0",
      adam({ ...paper, learningRate: polynomialDecay(1, 9, { end: 0.5 }) }),
      ["PolynomialLR ends at 0"],
    ],
    [
      "restarts that become lower",
      adam({ ...paper, learningRate: cosineDecayRestarts(1, 9, { heightFactor: 0.5 }) }),
      ["periods of equal height"],
    ],
    [
      "a constant above the rate that the decay before it starts from",
      adam({ ...paper, learningRate: joinSchedules([exponentialDecay(0.1, 1, 0.9), 3], 0.2) }),
      ["above the initial rate 0.1"],
    ],
    [
      "decays that start from two rates",
      adam({
        ...paper,
        learningRate: joinSchedules(
          [exponentialDecay(0.1, 1, 0.9), 3],
          exponentialDecay(0.2, 1, 0.9),
        ),
      }),
      ["0.1 and 0.2"],
    ],
    [
      "a momentum in another cycle than the rate",
      sgd({
        learningRate: oneCycle(1, 10),
        momentum: oneCycle(0.8, 9, { divFactor: 0.9, finalDivFactor: 1 }),
      }),
      ["momentum: PyTorch changes the momentum in the cycle"],
    ],
    [
      "another scheduled option",
      adam({ ...paper, weightDecay: cosineDecay(0.1, 9) }),
      ["weightDecay follows a schedule"],
    ],
    [
      "a momentum by itself",
      adam({ ...paper, beta1: oneCycle(0.9, 10) }),
      ["beta1: PyTorch changes"],
    ],
    ["a function", adam({ ...paper, learningRate: (step) => 1 / (step + 1) }), ["function"]],
    ["a rule that PyTorch does not have", lion(), ["lion"]],
    ["a chain", chain(clipByGlobalNorm(), adam(paper)), ["stages", "clip_grad_norm_"]],
  ])("%s is refused", (_, spec, parts) => {
    for (const text of parts) expect(messageOf(() => toTorch(configOf(spec)))).toContain(text);
  });

  test("schedules that count calls are refused where a step has several", () => {
    const config = configOf(adam(paper));
    const counting = (accumulate: number) => ({
      ...config,
      accumulate,
      schedulesCount: "calls" as const,
    });
    expect(messageOf(() => toTorch(counting(2)))).toContain('schedulesCount is "calls"');
    expect(toTorch(counting(1))).toEqual(toTorch(config));
  });

  test.each<[GroupOptions, string]>([
    [{ match: "b", every: 2 }, "group 0: every is 2"],
    [{ match: "b", rule: sgd() }, "group 0: the rule sgd"],
    [{ match: "b", sparse: "lazy", rowSteps: true }, "group 0: rowSteps"],
    [{ match: "b", epsilonRoot: 1e-3 }, "group 0: epsilonRoot is 0.001"],
    [{ match: "b", learningRate: cosineDecay(0.1, 5) }, "one scheduler"],
  ])("group %# is refused", (group, text) => {
    expect(messageOf(() => toTorch(configOf(adam(paper), [group])))).toContain(text);
  });

  test.each([
    ["SGD", { momentum: 0.9, nesterov: true }],
    ["Muon", { momentum: 0.9 }],
  ])("a group of %s whose momentum is 0, with nesterov", (name, options) => {
    const groups = [{ parameters: ["b"], momentum: 0 }];
    const { paramGroups } = toTorch(configOf(fromTorch(name, { ...options, groups })));
    expect(paramGroups.map(({ momentum }) => momentum)).toEqual([0.9, 0]);
    expect(paramGroups.map(({ nesterov }) => nesterov)).toEqual([true, true]);
  });

  test("what has no effect may have any value", () => {
    const plain = adam({ epsilonMode: "paper" });
    expect(toTorch(configOf(plain)).paramGroups[0]).toMatchObject({ decoupled_weight_decay: true });
    expect(toTorch(configOf(sgd({ nesterov: true }))).paramGroups[0]).toMatchObject({
      momentum: 0,
      nesterov: false,
    });
    expect(toTorch(configOf(adam({ epsilon: 0 }))).name).toBe("Adam");
  });
});

function valueAt(value: unknown, step: number): number {
  return typeof value === "number"
    ? value
    : (value as { valueAt(step: number): number }).valueAt(step);
}

/** Up to roundings. */
function expectSame(got: unknown, expected: number): void {
  expect(Math.abs((got as number) - expected)).toBeLessThanOrEqual(
    1e-13 * Math.abs(expected) + 1e-17,
  );
}
