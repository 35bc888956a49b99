import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  createOptimizer,
  linear,
  warmupStableDecay,
  type OptimizerSpec,
  type Schedule,
} from "../src/index.js";
import { fromKeras, fromTorch, type TorchScheduler } from "../src/interop/index.js";
import { oracle } from "../src/reference.js";
import { scheduleFromData } from "../src/schedules/from-data.js";
import { codeOf, failureOf } from "./support.js";

interface LibraryCase {
  readonly library: "keras" | "optax" | "torch";
  readonly name: string;
  readonly config: Readonly<Record<string, number>>;
  readonly optimizer: string;
  readonly options: Readonly<Record<string, number>>;
  readonly scheduler: TorchScheduler;
  /** The steps of the values, as runs: how many, and the distance from one to the next. */
  readonly steps: readonly (readonly [count: number, distance: number])[];
  /** Values in f64, in base64. */
  readonly values: string;
  /** Momentum or β₁. */
  readonly momenta?: string;
}

const { cases } = JSON.parse(
  readFileSync(new URL("fixtures/schedules.json", import.meta.url), "utf8"),
) as { readonly cases: readonly LibraryCase[] };

const of = (library: string): [number, string, LibraryCase][] =>
  cases.flatMap((one, i) => (one.library === library ? [[i, one.name, one]] : []));

function stepsOf({ steps }: LibraryCase): number[] {
  let step = 0;
  return steps.flatMap(([count, distance]) =>
    Array.from({ length: count }, () => (step += distance)),
  );
}

function decoded(base64: string): Float64Array {
  return new Float64Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}

/** The largest difference, in units of 2⁻⁵³ of the largest value. */
function worstError(schedule: Schedule, one: LibraryCase, values = one.values): number {
  const expected = decoded(values);
  const scale = Math.max(...expected.map(Math.abs)) * 2 ** -53;
  const errors = stepsOf(one).map((step, i) => Math.abs(schedule.valueAt(step) - expected[i]));
  // NaN is an error, too.
  return errors.some(Number.isNaN) ? Infinity : Math.max(...errors) / scale;
}

/**
 * Both sides round in f64, in another order of operations, so they differ by a few units of 2⁻⁵³ of the largest value.
 * PyTorch computes each value from the one before, which adds up; most where its cosine comes out of its minimum.
 */
const torchUnits = (name: string): number => (name === "CosineAnnealingLR" ? 30_000 : 64);

function rateOf(spec: OptimizerSpec, name = "learningRate"): Schedule {
  return (spec.hyperparameters as Record<string, Schedule>)[name];
}

describe("Keras", () => {
  test.each(of("keras"))("case %i, %s", (_, name, one) => {
    const schedule = rateOf(
      fromKeras({
        class_name: "SGD",
        config: { learning_rate: { class_name: name, config: one.config } },
      }),
    );
    expect(worstError(schedule, one)).toBeLessThan(8);
  });

  test("more than 10,000 points of all six classes", () => {
    const all = of("keras");
    expect(new Set(all.map(([, name]) => name)).size).toBe(6);
    const points = all.reduce((sum, [, , one]) => sum + stepsOf(one).length, 0);
    expect(points).toBeGreaterThan(10_000);
    for (const [, , one] of all) expect(decoded(one.values)).toHaveLength(stepsOf(one).length);
  });
});

describe("Optax", () => {
  const schedules: Record<string, (config: Readonly<Record<string, number>>) => Schedule> = {
    warmup_cosine_decay_schedule: ({
      init_value: from,
      peak_value: peak,
      warmup_steps: steps,
      decay_steps: all,
      end_value: end,
    }) =>
      rateOf(
        fromKeras({
          class_name: "SGD",
          config: {
            learning_rate: {
              class_name: "CosineDecay",
              config: {
                initial_learning_rate: from,
                warmup_target: peak,
                warmup_steps: steps,
                decay_steps: all - steps,
                alpha: end / peak,
              },
            },
          },
        }),
      ),
    linear_schedule: ({ init_value: from, end_value: to, transition_steps: steps }) =>
      linear(from, to, steps),
    warmup_stable_decay: ({ peak, warmup: warmupSteps, stable, decay, end }) =>
      warmupStableDecay(peak, { warmupSteps, stableSteps: stable, decaySteps: decay, end }),
    warmup_stable_cosine_decay: ({ peak, warmup: warmupSteps, stable, decay, end }) =>
      warmupStableDecay(peak, {
        warmupSteps,
        stableSteps: stable,
        decaySteps: decay,
        end,
        shape: "cosine",
      }),
  };

  test.each(of("optax"))("case %i, %s", (_, name, one) => {
    expect(worstError(schedules[name](one.config), one)).toBeLessThan(8);
  });
});

describe("PyTorch", () => {
  test.each(of("torch"))("case %i, %s", (_, name, one) => {
    const units = torchUnits(name);
    const spec = fromTorch(one.optimizer, one.options, { scheduler: one.scheduler });
    const schedule = rateOf(spec);
    expect(worstError(schedule, one)).toBeLessThan(units);
    const again = scheduleFromData(JSON.parse(JSON.stringify(schedule)));
    expect(worstError(again, one)).toBeLessThan(units);
    const momentum = rateOf(spec, one.optimizer === "SGD" ? "momentum" : "beta1");
    const cycled = one.momenta === undefined ? 0 : worstError(momentum, one, one.momenta);
    expect(cycled).toBeLessThan(units);
  });

  test("a group has the schedule by its own rate", () => {
    const spec = fromTorch(
      "SGD",
      { lr: 1, groups: [{ parameters: ["b"], lr: 4 }] },
      { scheduler: { name: "StepLR", step_size: 1, gamma: 0.5 } },
    );
    const backend = oracle();
    const tensors = { a: backend.tensor([1]), b: backend.tensor([1]) };
    const optimizer = createOptimizer(spec, tensors);
    optimizer.step({ a: Float64Array.of(1), b: Float64Array.of(1) });
    expect([optimizer.learningRate, optimizer.groups[0].learningRate]).toEqual([0.5, 2]);
  });

  const oneCycle = { name: "OneCycleLR", max_lr: 0.1, total_steps: 10 };
  const cyclic = { name: "CyclicLR", base_lr: 0.01, max_lr: 0.1, step_size_up: 4 };

  // The numbers are those that PyTorch 2.13 sets in both groups.
  test.each([
    ["Adam", { betas: [0.9, 0.99] }, { betas: [0.5, 0.8] }, oneCycle, "beta1", [0.95, 0.9, 0.85]],
    [
      "NAdam",
      { betas: [0.9, 0.99] },
      { lr: 2, betas: [0, 0.8] },
      cyclic,
      "beta1",
      [0.9, 0.875, 0.85],
    ],
    [
      "SGD",
      { momentum: 0.5 },
      { momentum: 0, dampening: 0.2 },
      cyclic,
      "momentum",
      [0.9, 0.875, 0.85],
    ],
  ])(
    "a scheduler that cycles the momentum sets that of all groups: %s, %j, %j",
    (name, whole, own, scheduler, key, values) => {
      const groups = [{ parameters: ["b"], ...own }];
      const spec = fromTorch(name, { lr: 1, ...whole, groups }, { scheduler });
      const backend = oracle();
      const tensors = { a: backend.tensor([1]), b: backend.tensor([1]) };
      const optimizer = createOptimizer(spec, tensors);
      const momenta = (of: unknown): number => (of as Record<string, number>)[key];
      for (const value of values) {
        expect(momenta(optimizer)).toBeCloseTo(value, 12);
        expect(momenta(optimizer.groups[0])).toBeCloseTo(value, 12);
        optimizer.step({ a: Float64Array.of(1), b: Float64Array.of(1) });
      }
    },
  );

  test.each([
    ["LambdaLR", {}, "UNSUPPORTED"],
    ["StepLR", { step_size: 3, gama: 1 }, "UNKNOWN_OPTION"],
    ["StepLR", { step_size: 0 }, "INVALID_HYPERPARAMETER"],
    ["StepLR", { step_size: 3, last_epoch: 4 }, "UNSUPPORTED"],
    ["MultiStepLR", { milestones: 3 }, "INVALID_HYPERPARAMETER"],
    ["OneCycleLR", { max_lr: 1, total_steps: 9, three_phase: true }, "UNSUPPORTED"],
    ["OneCycleLR", { max_lr: 1 }, "INVALID_HYPERPARAMETER"],
    ["OneCycleLR", { max_lr: 1, total_steps: 9, anneal_strategy: "sin" }, "INVALID_HYPERPARAMETER"],
    ["CyclicLR", { base_lr: 0, max_lr: 1, mode: "square" }, "UNSUPPORTED"],
    ["SequentialLR", { schedulers: [], milestones: [1] }, "INVALID_HYPERPARAMETER"],
    [
      "SequentialLR",
      {
        schedulers: [
          { name: "ExponentialLR", gamma: 0.5 },
          { name: "OneCycleLR", max_lr: 1, total_steps: 9 },
        ],
        milestones: [3],
      },
      "UNSUPPORTED",
    ],
  ])("%s %j: %s", (name, settings, code) => {
    const scheduler = { name, ...settings };
    expect(codeOf(() => fromTorch("SGD", { lr: 1, momentum: 0.9 }, { scheduler }))).toBe(code);
  });

  test("milestones may be in any order, as PyTorch counts them", () => {
    const of = (milestones: readonly number[]) =>
      rateOf(fromTorch("SGD", { lr: 1 }, { scheduler: { name: "MultiStepLR", milestones } }));
    const rates = Array.from({ length: 12 }, (_, step) => of([10, 3, 3]).valueAt(step));
    [1, 1, 1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001].forEach((rate, step) => {
      expect(rates[step]).toBeCloseTo(rate, 15);
    });
  });

  test("a rate of 0, as of a group that is not trained, stays 0", () => {
    for (const scheduler of [
      { name: "CosineAnnealingLR", T_max: 3 },
      { name: "CosineAnnealingWarmRestarts", T_0: 3 },
      { name: "ExponentialLR", gamma: 0.5 },
      { name: "LinearLR" },
    ]) {
      const rate = rateOf(fromTorch("SGD", { lr: 0 }, { scheduler }));
      expect(Array.from({ length: 8 }, (_, step) => rate.valueAt(step) + 0)).toEqual(
        Array<number>(8).fill(0),
      );
    }
  });

  test("arguments that can only have PyTorch's default may be given with it", () => {
    const needed = { base_lr: 0.1, max_lr: 1, step_size_up: 4, cycle_momentum: false };
    const cycle = { max_lr: 1, total_steps: 9, cycle_momentum: false };
    for (const [name, settings, defaults] of [
      ["StepLR", { step_size: 3 }, { last_epoch: -1, verbose: false }],
      ["CyclicLR", needed, { step_size_down: null, scale_fn: null, scale_mode: "cycle" }],
      ["OneCycleLR", cycle, { three_phase: false }],
    ] as const) {
      const of = (scheduler: object) =>
        fromTorch("SGD", { lr: 1 }, { scheduler: { name, ...scheduler } });
      expect(rateOf(of({ ...settings, ...defaults }))).toEqual(rateOf(of(settings)));
    }
  });

  // The arguments without a default in PyTorch's signatures, apart from the optimizer.
  test.each<[string, Record<string, unknown>]>([
    ["StepLR", { step_size: 3 }],
    ["MultiStepLR", { milestones: [3] }],
    ["ExponentialLR", { gamma: 0.5 }],
    ["CosineAnnealingLR", { T_max: 3 }],
    ["CosineAnnealingWarmRestarts", { T_0: 3 }],
    ["OneCycleLR", { max_lr: 1 }],
    ["CyclicLR", { base_lr: 0.5, max_lr: 1 }],
    ["SequentialLR", { schedulers: [{ name: "LinearLR" }], milestones: [] }],
  ])("%s: the error for an argument that is missing names it", (name, needed) => {
    for (const missing of Object.keys(needed)) {
      const { [missing]: _, ...others } = needed;
      const scheduler = { name, ...others };
      const { code, message } = failureOf(() => fromTorch("SGD", { lr: 1 }, { scheduler }));
      expect(code).toBe("INVALID_HYPERPARAMETER");
      expect(message).toContain(`${name}: ${missing} is`);
    }
  });

  test("momentum is cycled only where there is some", () => {
    const scheduler = { name: "OneCycleLR", max_lr: 1, total_steps: 10 };
    expect(codeOf(() => fromTorch("Adagrad", {}, { scheduler }))).toBe("UNSUPPORTED");
    const spec = fromTorch("Adagrad", {}, { scheduler: { ...scheduler, cycle_momentum: false } });
    expect(rateOf(spec).valueAt(0)).toBeCloseTo(0.04, 12);
  });
});
