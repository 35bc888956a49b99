import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { Checker, emptyStats, snapshot } from "../src/index.js";

test("rows are moved and slots reset between the steps that a checker follows", async () => {
  const values = { w: Float32Array.of(1, 2, 3, 4), b: Float32Array.of(5) };
  const backend = reference();
  const parameters = { w: backend.tensor([4], values.w), b: backend.tensor([1], values.b) };
  const optimizer = createOptimizer(adam(), parameters);
  const checker = new Checker({ spec: adam(), shapes: { w: [4], b: [1] }, values });
  const stats = emptyStats();
  const step = async (gradients: Readonly<Record<string, Float32Array>>): Promise<void> => {
    const before = await snapshot(optimizer, parameters);
    optimizer.step(gradients);
    const after = await snapshot(optimizer, parameters);
    checker.step({ before, gradients, after, stats });
  };
  await step({ w: Float32Array.of(1, -1, 2, -2), b: Float32Array.of(1) });
  for (const one of [optimizer, checker.optimizer]) {
    one.rows("w").remap(Uint32Array.of(3, 0));
    one.reset(["w", "b"]);
    one.reset("w", { rows: Uint32Array.of(1, 0) });
  }
  await step({ w: Float32Array.of(1, -1), b: Float32Array.of(1) });
  expect(checker.violation).toBe(undefined);
  expect(checker.difference).toBe(undefined);
  expect(stats).toMatchObject({ elements: 3 * (5 + 3), differingBits: 0 });
});
