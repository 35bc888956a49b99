import { expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";

const backend = reference();
const mask = Uint32Array.of(1, 0);

/** Momentum of 0.5 and a rate of 1, on two rows of one value, with gradients of 1. */
function start(): { values: Float32Array; optimizer: Optimizer } {
  const values = Float32Array.of(0, 0);
  const spec: OptimizerSpec = sgd({ learningRate: 1, momentum: 0.5 });
  return { values, optimizer: createOptimizer(spec, { w: backend.wrap(values) }) };
}

test("how the other rows are treated holds for one step alone", () => {
  const { values, optimizer } = start();
  const gradients = { w: Float32Array.of(1, 1) };
  optimizer.step(gradients);
  expect([...values]).toEqual([-1, -1]);
  // The velocity of the second row is 1/2 of what it was, and is applied.
  optimizer.step(gradients, { rows: mask, unselectedRows: "zero" });
  expect([...values]).toEqual([-2.5, -1.5]);
  // Not said again: the second row keeps what it has, its velocity, too.
  optimizer.step(gradients, { rows: mask });
  expect([...values]).toEqual([-4.25, -1.5]);
  optimizer.step(gradients, { rows: mask, unselectedRows: "decay" });
  expect([...values]).toEqual([-6.125, -1.5]);
  optimizer.step(gradients);
  // Velocities: 1, 1.5, 1.75, 1.875, 1.9375 and 1, 0.5, 0.5, 0.25, 1.125.
  expect([...values]).toEqual([-8.0625, -2.625]);
});

test("a parameter without a mask of its own is stepped in all rows, whatever it had before", () => {
  const values = { a: Float32Array.of(0, 0), b: Float32Array.of(0, 0) };
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), {
    a: backend.wrap(values.a),
    b: backend.wrap(values.b),
  });
  const gradients = { a: Float32Array.of(1, 1), b: Float32Array.of(2, 2) };
  optimizer.step(gradients, { rows: { b: mask } });
  expect([[...values.a], [...values.b]]).toEqual([
    [-1, -1],
    [-2, 0],
  ]);
  optimizer.step(gradients, { rows: { a: mask } });
  expect([[...values.a], [...values.b]]).toEqual([
    [-2, -1],
    [-4, -2],
  ]);
});

test("a mask does not come back at a later step", () => {
  const values = { a: Float32Array.of(0, 0), b: Float32Array.of(0, 0) };
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), {
    a: backend.wrap(values.a),
    b: backend.wrap(values.b),
  });
  const [a, b] = [Float32Array.of(1, 1), Float32Array.of(1, 1)];
  optimizer.step({ a, b }, { rows: mask });
  optimizer.step({ a });
  optimizer.step({ a, b });
  expect([[...values.a], [...values.b]]).toEqual([
    [-3, -2],
    [-2, -1],
  ]);
});
