import { describe, expect, test } from "vitest";
import { counterpartsOf, fromKeras, fromOptax, fromTfjs, fromTorch } from "../src/interop/index.js";
import { rules } from "../src/rules/index.js";

describe("counterparts", () => {
  const makers = {
    keras: (name: string) => fromKeras({ class_name: name, config: {} }),
    torch: (name: string) => fromTorch(name),
    optax: (name: string) => fromOptax(name),
    tfjs: (name: string) => fromTfjs(name, name === "momentum" ? { momentum: 0.9 } : {}),
  };

  test.each(rules)("of $name compute it", ({ name }) => {
    for (const { library, name: own } of counterpartsOf(name))
      expect(makers[library](own).rule.name).toBe(name);
  });

  test("are all there are", () => {
    const named = (library: string) =>
      rules
        .flatMap(({ name }) => counterpartsOf(name))
        .filter((one) => one.library === library)
        .map((one) => one.name)
        .sort();
    expect(named("tfjs")).toEqual([
      "adadelta",
      "adagrad",
      "adam",
      "adamax",
      "momentum",
      "rmsprop",
      "sgd",
    ]);
    expect(counterpartsOf("adan")).toEqual([
      {
        library: "optax",
        name: "adan",
        settings: expect.objectContaining({ b3: "beta3", learning_rate: "learningRate" }),
      },
    ]);
    expect(counterpartsOf("adam").map((one) => `${one.library} ${one.name}`)).toEqual([
      "keras Adam",
      "torch Adam",
      "optax adam",
      "optax nadam",
      "optax amsgrad",
      "tfjs adam",
    ]);
  });
});
