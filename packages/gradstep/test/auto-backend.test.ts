import { expect, test } from "vitest";
import { adam, autoBackend, createOptimizer } from "../src/index.js";

test("autoBackend gives a backend that takes the first step of Adam", async () => {
  const backend = await autoBackend();
  const parameter = backend.tensor([2], [1, -1]);
  const optimizer = createOptimizer(adam({ learningRate: 0.5, epsilon: 0 }), { parameter });
  optimizer.step({ parameter: new Float32Array([3, -4]) });
  // The first step of Adam is the rate, against the sign of the gradient.
  expect([...(await parameter.read())]).toEqual([expect.closeTo(0.5, 6), expect.closeTo(-0.5, 6)]);
});
