import { expect, test } from "vitest";
import { createOptimizer, defineRule, newRow, nonNegative, sgd } from "../src/index.js";
import { reference } from "../src/reference.js";

/** Moves every element that it updates, also where the gradient is 0. */
const constantDescent = defineRule({
  name: "constant-descent",
  hyperparameters: { learningRate: nonNegative(1) },
  perElement: "u = learningRate + g * 0",
});

test("a row that is added between two calls is not selected by the masks of the calls before", async () => {
  const w = reference().tensor([2, 1], [10, 20]);
  const optimizer = createOptimizer(constantDescent(), { w }, { accumulate: 2 });
  optimizer.step({ w: Float32Array.of(1, 1) }, { rows: Uint32Array.of(0, 1) });
  optimizer.rows("w").remap(Uint32Array.of(1, newRow, 0));
  optimizer.step({ w: Float32Array.of(1, 1, 1) }, { rows: Uint32Array.of(0, 0, 0) });
  expect([...(await w.read())]).toEqual([19, 0, 10]);
});

test("a sum that is not finite of a group that was frozen between two calls skips no step", async () => {
  const backend = reference();
  const w = backend.tensor([1], [1]);
  const frozen = backend.tensor([1], [2]);
  const optimizer = createOptimizer(
    sgd({ learningRate: 0.5 }),
    { w, frozen },
    { accumulate: 2, nonFinite: "skip", groups: [{ match: "frozen" }] },
  );
  optimizer.step({ w: Float32Array.of(1), frozen: Float32Array.of(Infinity) });
  optimizer.groups[0].frozen = true;
  optimizer.step({ w: Float32Array.of(3) });
  expect(optimizer.iterations).toBe(1);
  expect(optimizer.skippedSteps).toBe(0);
  expect([...(await w.read()), ...(await frozen.read())]).toEqual([0, 2]);

  // Nothing of the sum is left for the next step.
  optimizer.groups[0].frozen = false;
  for (let call = 0; call < 2; call += 1)
    optimizer.step({ w: Float32Array.of(0), frozen: Float32Array.of(1) });
  expect([...(await frozen.read())]).toEqual([1.5]);
});
