import { expect, test } from "vitest";
import { chain, createOptimizer, defineStage, sgd } from "../src/index.js";
import { oracle } from "../src/reference.js";

const norms = defineStage({
  name: "norms",
  metrics: { gradientNorm: "tensor", greatest: "all" },
  perElement: "gradientNorm = normTensor(g); greatest = maxAll(abs(g)); g = g",
});

test("a metric per tensor is one number per parameter, one of all tensors a number", async () => {
  const backend = oracle();
  const parameters = { w: backend.tensor([2]), b: backend.tensor([1]), s: backend.tensor([2]) };
  const optimizer = createOptimizer(chain(norms(), sgd()), parameters);
  const [w, b, s] = [Float64Array.of(3, -4), Float64Array.of(-16), Float64Array.of(8, 15)];
  optimizer.step({ w, b, s });
  expect(await optimizer.metrics()).toEqual({
    gradientNorm: { w: 5, b: 16, s: 17 },
    greatest: 16,
  });
});
