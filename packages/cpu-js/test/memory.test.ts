// A step with the same tensors as the one before it allocates no arrays of numbers.
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  defineStage,
  nonNegative,
  type OptimizerSpec,
} from "@gradstep/core";
import { expect, test } from "vitest";
import {
  repeatedMasks,
  repeatedShapes,
  repeatedSpecs,
  watchingArrays,
} from "../../../testing/repeated-steps.js";
import { cpuJs } from "../src/index.js";
import { numbers } from "./support.js";

const scaled = defineStage({ name: "scaled", perElement: "g = g / (1 + normTensor(g))" });
const custom = defineRule({
  name: "custom",
  hyperparameters: { learningRate: nonNegative(0.1) },
  perElement: `
    x = (g - meanColumn(g)) / (1 + normRow(g) + maxTensor(p) + normAll(g))
    u = x * learningRate`,
});
const elementwise = defineRule({
  name: "elementwise",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: { m: 0 },
  perElement: "m = m * 0.5 + g\np = p - m * learningRate",
});

const specs: Readonly<Record<string, OptimizerSpec>> = {
  ...repeatedSpecs,
  "a chain that changes the gradient": chain(scaled(), clipByGlobalNorm(1), adam()),
  "an interpreted rule": custom(),
  "an interpreted elementwise rule": elementwise(),
};

const cases = Object.entries(specs).flatMap(([name, spec]) =>
  Object.entries(repeatedMasks).map(([mask, options]) => [name, mask, spec, options] as const),
);

test.each([false, true])("repeated steps allocate no arrays, exact: %s", (exact) => {
  const found = cases.map(([name, mask, spec, options]) => {
    const lengths: unknown[] = [];
    const record = (_: string, [length]: readonly unknown[]): void => void lengths.push(length);
    return watchingArrays(["Float32Array", "Float64Array"], record, () => {
      const backend = cpuJs({ exact });
      const tensors = (seed: number): Record<string, ReturnType<typeof backend.tensor>> =>
        Object.fromEntries(
          Object.entries(repeatedShapes).map(([one, shape]) => {
            const size = shape.reduce((a, b) => a * b, 1);
            return [one, backend.tensor(shape, numbers(size, seed))];
          }),
        );
      const optimizer = createOptimizer(spec, tensors(1));
      const gradients = tensors(2);
      optimizer.step(gradients, options);
      optimizer.step(gradients, options);
      lengths.length = 0;
      optimizer.step(gradients, options);
      return { name, mask, lengths };
    });
  });
  expect(found).toEqual(cases.map(([name, mask]) => ({ name, mask, lengths: [] })));
});
