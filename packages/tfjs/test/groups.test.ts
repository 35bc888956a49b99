import { rmsprop } from "@gradstep/core";
import { adamw, GradstepOptimizer, sgd, type TfOptimizerOptions } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { codeOf, layers, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
  vi.restoreAllMocks();
});

/** One step with gradients of 0: only weight decay changes a variable. */
function decay(optimizer: tf.Optimizer, ...names: string[]): void {
  const { registeredVariables } = tf.engine();
  tf.tidy(() => {
    optimizer.applyGradients(
      names.map((name) => ({ name, tensor: tf.zerosLike(registeredVariables[name]) })),
    );
  });
}

const valueOf = (name: string): number => tf.engine().registeredVariables[name].dataSync()[0];

type Groups = NonNullable<TfOptimizerOptions["groups"]>;

const optimizerOf = (groups: Groups): ReturnType<typeof sgd> =>
  sgd({ learningRate: 1, weightDecay: 0.5 }, { groups: groups });

describe("groups", () => {
  const matches: [string, Groups[number]["match"]][] = [
    ["a pattern with an end", /(bias|gamma)$/],
    ["a global pattern", /bias$/g],
    ["a name", "d/bias"],
    ["a list of names", ["e/bias", "d/bias"]],
    ["a function", ({ name }) => name === "d/bias"],
  ];
  for (const [what, match] of matches)
    test.each(["d/bias", "d/bias_1", "d/bias_12"])(`${what} matches %s`, (name) => {
      variable([1], [1], name);
      variable([1], [1], "d/kernel_1");
      const optimizer = optimizerOf([{ match, weightDecay: 0 }]);
      decay(optimizer, name, "d/kernel_1");
      expect([valueOf(name), valueOf("d/kernel_1")]).toEqual([1, 0.5]);
      expect(optimizer.groups[0].parameters).toEqual([name]);
    });

  test("with a rule of its own, has it again from a configuration", () => {
    variable([1], [1], "w");
    variable([1], [1], "b");
    const groups: Groups = [{ match: "b", rule: rmsprop({ learningRate: 0.25 }) }];
    const optimizer = sgd({ learningRate: 1, weightDecay: 0.5 }, { groups });
    decay(optimizer, "w", "b");
    expect([valueOf("w"), valueOf("b")]).toEqual([0.5, 1]);
    const config = optimizer.getConfig();
    const again = GradstepOptimizer.fromConfig(
      GradstepOptimizer,
      config,
    ) as unknown as GradstepOptimizer;
    expect(again.getConfig()).toEqual(config);
    expect((again.groups[0] as unknown as Record<string, number>).rho).toBe(0.9);
  });

  test("the same model, built again and again: biases have no weight decay", async () => {
    const build = (): layers.Sequential =>
      layers.sequential({
        layers: [
          layers.layers.dense({
            name: "again",
            units: 1,
            inputShape: [2],
            kernelInitializer: "ones",
            biasInitializer: "ones",
          }),
        ],
      });
    for (let fold = 0; fold < 3; fold += 1) {
      const model = build();
      const groups = [{ match: /bias$/, weightDecay: 0 }];
      const optimizer = adamw({ learningRate: 0.1, weightDecay: 0.5 }, { groups });
      decay(optimizer, ...model.weights.map(({ name }) => name));
      const [kernel, bias] = model.getWeights().map((weight) => weight.dataSync()[0]);
      expect(kernel).toBeCloseTo(0.95, 6);
      expect(bias).toBe(1);
      model.dispose();
    }
  });

  test("a group that has the full name wins over one that matches without the number", () => {
    for (const name of ["d/bias", "d/bias_1"]) variable([1], [1], name);
    const optimizer = optimizerOf([
      { match: "d/bias", weightDecay: 0 },
      { match: "d/bias_1", weightDecay: 0.25 },
    ]);
    decay(optimizer, "d/bias", "d/bias_1");
    expect([valueOf("d/bias"), valueOf("d/bias_1")]).toEqual([1, 0.75]);
  });

  test("names without a scope are the user's own: their numbers count", () => {
    for (const name of ["w", "w_1"]) variable([1], [1], name);
    const optimizer = optimizerOf([{ match: "w", weightDecay: 0 }]);
    decay(optimizer, "w", "w_1");
    expect([valueOf("w"), valueOf("w_1")]).toEqual([1, 0.5]);
  });

  test("two groups for one variable are an error", async () => {
    variable([1], [1], "d/bias_1");
    const optimizer = optimizerOf([
      { match: /bias$/, weightDecay: 0 },
      { match: "d/bias", weightDecay: 0.25 },
    ]);
    expect(await codeOf(() => decay(optimizer, "d/bias_1"))).toBe("INVALID_PARAMETER");
    expect(valueOf("d/bias_1")).toBe(1);
  });

  test("a group that matches nothing is named in a warning, once", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    variable([1], [1], "d/bias");
    const optimizer = optimizerOf([{ match: /bais/, weightDecay: 0 }]);
    decay(optimizer, "d/bias");
    decay(optimizer, "d/bias");
    expect(warn.mock.calls).toHaveLength(1);
    expect(warn.mock.calls[0][0]).toMatch(/group 0 .*bais.*d\/bias/);
    decay(optimizerOf([{ match: /bias/, weightDecay: 0 }]), "d/bias");
    expect(warn.mock.calls).toHaveLength(1);
  });
});
