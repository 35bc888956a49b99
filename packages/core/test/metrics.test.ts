import { expect, test, vi } from "vitest";
import { chain, createOptimizer, defineStage, HostTensor, lion, sgd } from "../src/index.js";
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

test("metrics are those of the rules that took part in the last step", async () => {
  const backend = oracle();
  const parameters = { w: backend.tensor([2]), b: backend.tensor([1]) };
  const optimizer = createOptimizer(chain(norms(), sgd()), parameters, {
    groups: [{ match: "b", rule: chain(norms(), lion()) }],
  });
  optimizer.step({ w: Float64Array.of(3, -4), b: Float64Array.of(12) });
  expect(await optimizer.metrics()).toEqual({ gradientNorm: { w: 5, b: 12 }, greatest: 12 });
  optimizer.step({ b: Float64Array.of(-2) });
  expect(await optimizer.metrics()).toEqual({ gradientNorm: { w: 5, b: 2 }, greatest: 2 });
  optimizer.step({ w: Float64Array.of(6, 8) });
  expect(await optimizer.metrics()).toEqual({ gradientNorm: { w: 10, b: 2 }, greatest: 8 });
});

test("a metric of all tensors is read once", async () => {
  const backend = oracle();
  const optimizer = createOptimizer(chain(norms(), sgd()), {
    w: backend.tensor([2]),
    b: backend.tensor([1]),
  });
  const read = vi.spyOn(HostTensor.prototype, "read");
  await optimizer.metrics();
  expect(read).toHaveBeenCalledTimes(3);
  read.mockRestore();
});
