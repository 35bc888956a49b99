import { chain, clipByGlobalNorm, clipByValue, createOptimizer, sgd } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { Checker } from "../src/checker/checker.js";
import { emptyStats } from "../src/checker/check-stats.js";
import { snapshot } from "../src/checker/snapshot.js";

/** Two rules with a metric of one name, of different gradients: those of the second are clipped before. */
const first = chain(clipByGlobalNorm({ globalClipNorm: 1 }), sgd());
const second = chain(clipByValue({ clipValue: 1 }), clipByGlobalNorm({ globalClipNorm: 1 }), sgd());
const groups = [{ match: ["b"], rule: second }];

async function checkedStep(names: readonly string[], change: (norm: number) => number) {
  const backend = reference();
  const parameters = { a: backend.tensor([2]), b: backend.tensor([2]) };
  const optimizer = createOptimizer(first, parameters, { groups });
  const checker = new Checker({ spec: first, shapes: { a: [2], b: [2] }, groups });
  const before = await snapshot(optimizer, parameters);
  const gradients = Object.fromEntries(names.map((name) => [name, Float32Array.of(3, 4)]));
  optimizer.step(gradients);
  const after = await snapshot(optimizer, parameters);
  const { globalNorm } = (await optimizer.metrics()) as { globalNorm: number };
  const metrics = { globalNorm: change(globalNorm) };
  checker.step({ before, gradients, after, metrics, stats: emptyStats() });
  return { globalNorm, violation: checker.violation };
}

test("a metric that two rules have is that of the first parameter of the step", async () => {
  const both = await checkedStep(["a", "b"], (norm) => norm);
  expect(both).toEqual({ globalNorm: 5, violation: undefined });
  const last = await checkedStep(["b"], (norm) => norm);
  expect(last.globalNorm).toBeCloseTo(Math.SQRT2, 6);
  expect(last.violation).toBeUndefined();
});

test("and is checked", async () => {
  const { violation } = await checkedStep(["a", "b"], () => 2);
  expect(violation).toMatchObject({ parameter: "a", output: "globalNorm", got: 2 });
  expect((await checkedStep(["b"], () => 5)).violation).toMatchObject({ parameter: "b" });
});
