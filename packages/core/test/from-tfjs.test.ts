import { describe, expect, test } from "vitest";
import { fromTfjs } from "../src/interop/index.js";
import { anything, codeOf, partsOf } from "./support.js";

describe("fromTfjs", () => {
  // The defaults of tf.train's functions in TF.js 4.22.
  test.each([
    ["sgd", { rule: "sgd", momentum: 0 }],
    ["momentum", { rule: "sgd", momentumForm: "torch" }],
    [
      "adadelta",
      {
        rule: "adadelta",
        learningRate: 0.001,
        rho: 0.95,
        epsilon: 1e-7,
        gradientAverage: "previous",
      },
    ],
    ["adagrad", { rule: "adagrad", initialAccumulatorValue: 0.1, epsilon: 1e-7 }],
    ["rmsprop", { rule: "rmsprop", rho: 0.9, momentum: 0, epsilon: 1e-7 }],
    [
      "adam",
      {
        rule: "adam",
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        epsilonMode: "paper",
      },
    ],
    [
      "adamax",
      {
        rule: "adamax",
        learningRate: 0.002,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        learningRateDecay: 0,
      },
    ],
  ])("the defaults of %s", (name, wanted) => {
    expect(partsOf(fromTfjs(name))).toMatchObject(wanted);
  });

  test.each([
    ["sgd", { learningRate: 0.3 }, { learningRate: 0.3 }],
    ["momentum", { momentum: 0.3 }, { momentum: 0.3 }],
    ["momentum", { useNesterov: true }, { nesterov: true }],
    ["adagrad", { initialAccumulatorValue: 0.3 }, { initialAccumulatorValue: 0.3 }],
    ["adadelta", { rho: 0.3, epsilon: 0.4 }, { rho: 0.3, epsilon: 0.4 }],
    ["rmsprop", { decay: 0.3 }, { rho: 0.3 }],
    ["rmsprop", { momentum: 0.3 }, { momentum: 0.3 }],
    ["rmsprop", { epsilon: 0.3 }, { epsilon: 0.3 }],
    ["rmsprop", { centered: true }, { centered: true, epsilonMode: "subtracted" }],
    ["rmsprop", { centered: false }, {}],
    ["adam", { beta1: 0.3, beta2: 0.4 }, { beta1: 0.3, beta2: 0.4 }],
    ["adam", { epsilon: 0.3 }, { epsilon: 0.3 }],
    ["adamax", { decay: 0.3 }, { learningRateDecay: 0.3 }],
  ])("%s: %o", (name, options, change) => {
    expect(partsOf(fromTfjs(name, options))).toEqual({ ...partsOf(fromTfjs(name)), ...change });
  });

  test.each([
    ["ftrl", {}, "UNSUPPORTED"],
    ["Adam", {}, "UNSUPPORTED"],
    ["adam", { lr: 1 }, "UNKNOWN_OPTION"],
    ["sgd", { momentum: 0.9 }, "UNKNOWN_OPTION"],
    ["adam", null, "UNKNOWN_OPTION"],
    ["adam", { learningRate: -1 }, "INVALID_HYPERPARAMETER"],
    ["rmsprop", { centered: "yes" }, "INVALID_HYPERPARAMETER"],
  ])("case %# is refused", (name, options, code) => {
    expect(codeOf(() => fromTfjs(name, anything(options)))).toBe(code);
  });
});
