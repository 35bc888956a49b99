import * as core from "@gradstep/core";
import { checkpointer, memoryStore } from "@gradstep/checkpoint";
import "@tensorflow/tfjs-backend-cpu";
import { ones, setBackend, train, variable } from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import {
  adam,
  averagedWeights,
  fromTfjsOptimizer,
  tfOptimizer,
  tfParameters,
  toTfjsOptimizer,
} from "../src/index.js";

await setBackend("cpu");
const w = variable(ones([2]));
const store = memoryStore();

test.each<[string, () => unknown, string]>([
  [
    "tfParameters of early stopping",
    () => core.earlyStopping({ parameters: tfParameters({ w }) as never }),
    "model.setWeights()",
  ],
  [
    "variables of early stopping",
    () => core.earlyStopping({ parameters: { w } as never }),
    "model.setWeights()",
  ],
  [
    "tfParameters of an optimizer of core",
    () => core.createOptimizer(core.adam(), tfParameters({ w }) as never),
    "use an optimizer of @gradstep/tfjs",
  ],
  [
    "variables as parameters of a checkpoint",
    () => checkpointer(adam(), { w } as never, { store }),
    "tfParameters(variables)",
  ],
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

describe("what is no optimizer is refused with a code", () => {
  const others = [undefined, null, "adam", 0.1, {}, [], Promise.resolve(), core.adam()];
  const codeOf = async (call: () => unknown): Promise<unknown> => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .catch((reason: unknown) => reason);
    return error instanceof core.GradstepError ? error.code : error;
  };

  test.each<[string, (one: never) => unknown, readonly unknown[], string]>([
    ["fromTfjsOptimizer", (one) => fromTfjsOptimizer(one), others, "UNSUPPORTED"],
    ["toTfjsOptimizer", (one) => toTfjsOptimizer(one), [...others, train.sgd(1)], "UNSUPPORTED"],
    [
      "averagedWeights",
      (one) => averagedWeights(one),
      [...others, train.sgd(1)],
      "INVALID_PARAMETER",
    ],
    ["tfOptimizer", (one) => tfOptimizer(one), others.slice(0, -1), "INVALID_RULE"],
  ])("%s", async (_, call, values, code) => {
    for (const value of values) expect(await codeOf(() => call(value as never))).toBe(code);
  });
});
