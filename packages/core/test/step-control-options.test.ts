import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { gradientArithmetic } from "../src/optimizer/step-control/gradient-arithmetic.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, codeOf } from "./support.js";

function make(lossScale: unknown) {
  const w = reference().tensor([2]);
  return createOptimizer(sgd({ learningRate: 1 }), { w }, { lossScale: anything(lossScale) });
}

describe("the parameters of a loss scale", () => {
  test.each([
    { initial: 0 },
    { initial: -1 },
    { initial: 1e39 },
    { initial: 1e-46 },
    { growthInterval: 0 },
    { growthInterval: 1.5 },
    { growthFactor: 0.5 },
    { growthFactor: Infinity },
    { growthFactor: Number.NaN },
    { backoffFactor: 0 },
    { backoffFactor: 1.5 },
    { backoffFactor: Number.NaN },
  ])("%o is refused", (wrong) => {
    expect(codeOf(() => make(wrong))).toBe("INVALID_HYPERPARAMETER");
  });

  test("may be the ends of their ranges", () => {
    const ends = { initial: 2 ** 127, growthInterval: 1, growthFactor: 1, backoffFactor: 1 };
    expect(make(ends).lossScale).toBe(2 ** 127);
  });
});

describe("the loss scale of a state", () => {
  test.each([
    ["8", 1],
    [0, 1],
    [-8, 1],
    [Number.NaN, 1],
    [8, -1],
    [8, 0.5],
    [8, "1"],
    [8, undefined],
    [undefined, 1],
  ])("%s after %s good steps is refused, and nothing has changed", async (scale, goodSteps) => {
    const optimizer = make({ initial: 4 });
    const state = await optimizer.state();
    const wrong = {
      ...state,
      iterations: 7,
      control: { ...state.control, lossScale: { scale, goodSteps } },
    };
    expect(codeOf(() => optimizer.restore(anything<OptimizerState>(wrong)))).toBe("STATE_MISMATCH");
    expect([optimizer.lossScale, optimizer.iterations]).toEqual([4, 0]);
  });

  test("is restored, with the steps since it changed", async () => {
    const optimizer = make({ initial: 4, growthInterval: 3 });
    const state = await optimizer.state();
    const control = { ...state.control!, lossScale: { scale: 8, goodSteps: 2 } };
    optimizer.restore({ ...state, control });
    expect(optimizer.lossScale).toBe(8);
    optimizer.step({ w: Float32Array.of(1, 1) });
    expect(optimizer.lossScale).toBe(16);
  });
});

test("with accumulate, a gradient that is not finite counts as a call, and the step is skipped", () => {
  const w = reference().tensor([1], [1]);
  const options = { accumulate: 2, nonFinite: "skip" } as const;
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, options);
  optimizer.step({ w: Float32Array.of(NaN) });
  expect([optimizer.microSteps, optimizer.skippedSteps]).toEqual([1, 0]);
  optimizer.step({ w: Float32Array.of(1) });
  expect([optimizer.microSteps, optimizer.skippedSteps, ...w.view!()]).toEqual([0, 1, 1]);
});

test("what is computed with gradients has a label for each operation", () => {
  const labels = gradientArithmetic.variants().map(({ label }) => label);
  expect(labels).toEqual(["add", "divide", "unscale", "scale", "clear"]);
});
