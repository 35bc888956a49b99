import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  rmsprop,
  sgd,
  type OptimizerConfig,
  type OptimizerOptions,
  type OptimizerSpec,
} from "../src/index.js";
import { fromTfjs, toTfjs } from "../src/interop/index.js";
import { reference } from "../src/reference.js";
import { cases, seed } from "../../../testing/cases.js";
import { codeOf } from "./support.js";

function configOf(spec: OptimizerSpec, options: OptimizerOptions = {}): OptimizerConfig {
  const backend = reference();
  return createOptimizer(
    spec,
    { w: backend.tensor([2]), b: backend.tensor([2]) },
    options,
  ).config();
}

const flag = fc.boolean();
const rate = fc.double({ min: 1e-6, max: 10, noNaN: true });
const part = fc.double({ min: 0, max: 0.99, noNaN: true });
const records = {
  sgd: fc.record({ learningRate: rate }),
  momentum: fc.record({
    learningRate: rate,
    momentum: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    useNesterov: flag,
  }),
  adadelta: fc.record({ learningRate: rate, rho: part, epsilon: rate }),
  adagrad: fc.record({ learningRate: rate, initialAccumulatorValue: rate }),
  rmsprop: fc.record({
    learningRate: rate,
    decay: part,
    momentum: part,
    epsilon: rate,
    centered: flag,
  }),
  adam: fc.record({ learningRate: rate, beta1: part, beta2: part, epsilon: rate }),
  adamax: fc.record({
    learningRate: rate,
    beta1: part,
    beta2: part,
    epsilon: rate,
    decay: part,
  }),
};

describe("toTfjs is the reverse of fromTfjs", () => {
  test.each(Object.entries(records))("%s", (name, record) => {
    fc.assert(
      fc.property(record as fc.Arbitrary<object>, (options) => {
        const given = { ...options };
        expect(toTfjs(configOf(fromTfjs(name, given)))).toEqual({ name, options: given });
      }),
      { seed, numRuns: cases(500, 50) },
    );
  });
});

describe("what TF.js computes as well, apart from roundings", () => {
  const same: [string, OptimizerSpec, string][] = [
    ["SGD without momentum", sgd({ nesterov: true }), "sgd"],
    ["Adam with ε as in the paper", adam({ epsilonMode: "paper" }), "adam"],
    ["Adam without ε", adam({ epsilon: 0 }), "adam"],
    ["Keras's Adagrad", adagrad(), "adagrad"],
    ["Keras's RMSprop", rmsprop({ momentum: 0.5 }), "rmsprop"],
    ["Keras's Adamax", adamax(), "adamax"],
  ];
  test.each(same)("%s", (_, spec, name) => {
    expect(toTfjs(configOf(spec)).name).toBe(name);
  });

  test("numbers outside of gradstep's ranges", () => {
    const config = configOf(fromTfjs("sgd"));
    const settings = { ...config.settings, learningRate: -0.1 };
    expect(toTfjs({ ...config, settings }).options).toEqual({ learningRate: -0.1 });
  });
});

describe("what TF.js does not compute is UNSUPPORTED and named", () => {
  const different: [string, OptimizerConfig, RegExp][] = [
    ["another rule", configOf(adamw()), /"adamw"/],
    ["stages", configOf(chain(clipByGlobalNorm(1), adam())), /without stages/],
    ["Keras's ε", configOf(adam()), /epsilonMode is "keras", and "paper" in TF.js/],
    ["amsgrad", configOf(adam({ epsilonMode: "paper", amsgrad: true })), /amsgrad is true/],
    ["Keras's momentum", configOf(sgd({ momentum: 0.9 })), /momentumForm is "keras"/],
    [
      "dampening",
      configOf(sgd({ momentum: 0.9, momentumForm: "torch", dampening: 0.5 })),
      /dampening is 0.5, and 0/,
    ],
    ["Adagrad's ε", configOf(adagrad({ epsilon: 1e-3 })), /epsilon is 0.001, and 1e-7 in TF.js/],
    [
      "PyTorch's RMSprop",
      configOf(rmsprop({ epsilonMode: "outside" })),
      /epsilonMode is "outside"/,
    ],
    ["centered with another ε", configOf(rmsprop({ centered: true })), /and "subtracted" in TF.js/],
    ["the paper's Adadelta", configOf(adadelta()), /gradientAverage is "current"/],
    [
      "a schedule",
      configOf(sgd({ learningRate: cosineDecay(0.1, 10) })),
      /learningRate follows a schedule/,
    ],
    [
      "groups",
      configOf(sgd(), { groups: [{ match: "w", learningRate: 0.1 }] }),
      /group 0 has learningRate/,
    ],
    ["accumulation", configOf(sgd(), { accumulate: 4 }), /accumulate is 4/],
    ["a loss scale", configOf(sgd(), { lossScale: 8 }), /lossScale is 8/],
  ];
  test.each(different)("%s", (_, config, message) => {
    expect(codeOf(() => toTfjs(config))).toBe("UNSUPPORTED");
    expect(() => toTfjs(config)).toThrow(message);
  });

  test("all of it is in one message", () => {
    const config = configOf(adam({ amsgrad: true }), { accumulate: 2 });
    expect(() => toTfjs(config)).toThrow(/accumulate.*amsgrad.*epsilonMode|amsgrad.*epsilonMode/);
  });
});
