import * as core from "@gradstep/core";
import { expect, test } from "vitest";
import { adam, tfOptimizer, tfParameters } from "../src/index.js";

test.each<[string, () => unknown, string]>([
  ["the rate of tf.train.adam(0.1)", () => adam(0.1), "{ learningRate: 0.1 }"],
  ["Keras's clipnorm in camelCase", () => adam({ clipNorm: 1 } as never), '"clipnorm"'],
  ["Keras's use_ema in camelCase", () => adam({ useEma: true } as never), '"use_ema"'],
  ["a name of PyTorch", () => adam({ lr: 1 } as never), '"learningRate"'],
  ["an optimizer as a rule", () => tfOptimizer(adam() as never), "is an optimizer already"],
  ["an optimizer as a part", () => core.chain(adam() as never), "of @gradstep/core"],
  ["an optimizer as a model", () => tfParameters(adam() as never), "expected a tf.LayersModel"],
])("%s says what to do", (_, call, remedy) => {
  expect(call).toThrow(expect.objectContaining({ message: expect.stringContaining(remedy) }));
});
