import { expect, test } from "vitest";
import { createOptimizer, sgd } from "../src/index.js";
import { reference } from "../src/reference.js";

test("a loss scale grows after finite steps in a row: a skipped one sets the count to 0, as in PyTorch's GradScaler", () => {
  const backend = reference();
  const lossScale = { initial: 8, growthInterval: 2 };
  const optimizer = createOptimizer(sgd(), { w: backend.tensor([1]) }, { lossScale });
  const scales = [1, Infinity, 1, 1, 1, 1, Infinity, 1].map((gradient) => {
    optimizer.step({ w: Float32Array.of(gradient) });
    return optimizer.lossScale;
  });
  expect(scales).toEqual([8, 4, 4, 8, 8, 16, 8, 8]);
});
