import { describe, expect, test } from "vitest";
import { createOptimizer, linear, type OptimizerSpec, type Schedule } from "../src/index.js";
import { fromOptax } from "../src/interop/index.js";
import { reference } from "../src/reference.js";
import { codeOf } from "./support.js";

const rateOf = ({ hyperparameters }: OptimizerSpec): Schedule | number =>
  hyperparameters.learningRate;

function valuesOf(rate: Schedule | number): number[] {
  return [0, 1, 2].map((step) => (typeof rate === "number" ? rate : rate.valueAt(step)));
}

describe("the learning rate of a chain", () => {
  test("scales of an alias multiply its rate", () => {
    expect(rateOf(fromOptax("adam+scale+scale", { learning_rate: 0.5, step_size: 0.5 }))).toBe(
      0.125,
    );
  });

  test("a schedule stays one that can be stored where it is the rate itself", () => {
    const schedule = linear(1, 0, 4);
    const core = fromOptax("scale_by_adam+scale_by_learning_rate", { learning_rate: schedule });
    expect(rateOf(core)).toBe(schedule);
    const alias = fromOptax("adam+scale_by_schedule", { learning_rate: 1, step_size_fn: schedule });
    expect(rateOf(alias)).toBe(schedule);
  });

  test("otherwise it follows the product", () => {
    const schedule = linear(1, 0, 4);
    const scaled = fromOptax("adam+scale_by_schedule", {
      learning_rate: 0.5,
      step_size_fn: schedule,
    });
    expect(valuesOf(rateOf(scaled))).toEqual([0.5, 0.375, 0.25]);
    const negative = fromOptax("trace+scale_by_schedule", {
      decay: 0.9,
      step_size_fn: (step: number) => -0.1 * (step + 1),
    });
    expect(valuesOf(rateOf(negative))).toEqual([0.1, 0.2, 0.1 * 3]);
    const both = fromOptax("identity+scale_by_schedule+scale", {
      step_size_fn: schedule,
      step_size: -2,
    });
    expect(valuesOf(rateOf(both))).toEqual([2, 1.5, 1]);
  });
});

test("centralize subtracts the mean of a row, the weights of a unit in Optax", () => {
  const { rule, options } = fromOptax("centralize+sgd", { learning_rate: 1 });
  expect([rule.name, options.centralizeAxis]).toEqual(["centralize-gradients+sgd", "row"]);
});

test("MultiSteps and apply_if_finite are options of the spec", () => {
  const spec = fromOptax("multi_steps2+apply_if_finite+sgd", {
    every_k_schedule: 2,
    max_consecutive_errors: 3,
    learning_rate: 1,
  });
  expect(spec.control).toEqual({ accumulate: 2, nonFinite: "skip" });
  const w = reference().tensor([1], [4]);
  const optimizer = createOptimizer(spec, { w });
  for (const g of [1, 3, Number.NaN, 1, 1, 1]) optimizer.step({ w: Float32Array.of(g) });
  expect([optimizer.iterations, optimizer.skippedSteps]).toEqual([2, 1]);
});

test.each([
  ["clip+scale", {}, "INVALID_CHAIN"],
  ["adam+sgd", { learning_rate: 1 }, "INVALID_CHAIN"],
  ["scale_by_adam+add_decayed_weights", { weight_decay: 1 }, "INVALID_CHAIN"],
  ["scale_by_adam+scale", { step_size: 1 }, "INVALID_HYPERPARAMETER"],
  ["add_decayed_weights+clip+sgd", { weight_decay: 1, max_delta: 1 }, "INVALID_CHAIN"],
  ["adam+clip", { max_delta: 1 }, "INVALID_CHAIN"],
  ["adam+add_decayed_weights", { weight_decay: 1 }, "INVALID_CHAIN"],
  ["scale_by_adam+scale+clip_by_block_rms", { step_size: -1, threshold: 1 }, "INVALID_CHAIN"],
  ["add_decayed_weights+adamw", { weight_decay: 1 }, "UNSUPPORTED"],
  ["add_decayed_weights+muon", { weight_decay: 1 }, "UNSUPPORTED"],
  ...["lars", "muon", "prodigy", "schedule_free_sgd", "schedule_free_adamw"].map(
    (name): [string, Record<string, unknown>, string] => [
      `${name}+scale`,
      { learning_rate: 1, step_size: 0.5 },
      "UNSUPPORTED",
    ],
  ),
  ["rmsprop+scale", { learning_rate: 1, momentum: 0.9, step_size: 0.5 }, "UNSUPPORTED"],
  ["adam+multi_steps", { learning_rate: 1, every_k_schedule: 2 }, "INVALID_CHAIN"],
  ["apply_if_finite+multi_steps+adam", { every_k_schedule: 2 }, "UNSUPPORTED"],
  ["multi_steps4+adam", {}, "INVALID_HYPERPARAMETER"],
  ["multi_steps+adam", { every_k_schedule: 0.5 }, "INVALID_HYPERPARAMETER"],
  ["multi_steps+adam", { every_k_schedule: 2, use_grad_mean: false }, "UNSUPPORTED"],
  ["ema+adam", { decay: 0.9 }, "UNSUPPORTED"],
  ["adaptive_grad_clip+sgd", { clipping: 0.1, axis: 1 }, "UNSUPPORTED"],
  ["scale_by_lion+scale", { weight_decay: 1 }, "UNKNOWN_OPTION"],
])("%s %j: %s", (name, options, code) => {
  expect(codeOf(() => fromOptax(name, options))).toBe(code);
});
