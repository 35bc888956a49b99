import { expect, test } from "vitest";
import { createOptimizer, sgd } from "../src/index.js";
import { fromKeras, fromTorch, toTorch } from "../src/interop/index.js";
import { reference } from "../src/reference.js";

// With exactOptionalPropertyTypes, this file compiles only if the types permit it, too.
test("an option that is undefined is one that is left out", async () => {
  const keras = { class_name: "SGD", config: { learning_rate: 0.5 } };
  expect(fromKeras(keras, { constraint: undefined })).toEqual(fromKeras(keras));
  expect(fromTorch("SGD", { lr: 0.5 }, { scheduler: undefined })).toEqual(
    fromTorch("SGD", { lr: 0.5 }),
  );
  const backend = reference();
  const w = backend.tensor([2], [1, 2]);
  const to = backend.tensor([2]);
  const copies = { w: { to, as: undefined } };
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, { copies });
  optimizer.step({ w: Float32Array.of(3, 5) });
  expect([...(await to.read())]).toEqual([-2, -3]);
  const config = optimizer.config();
  expect(toTorch(config, { iterations: undefined })).toEqual(toTorch(config));
});
