import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import type { Match } from "../src/rule/rule.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { muon } from "../src/rules/muon.js";
import { rmsprop } from "../src/rules/rmsprop.js";
import { muonWithAdamw } from "../src/rules/muon-with-adamw.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, codeOf } from "./support.js";

const names = ["dense/kernel", "dense/bias", "head/kernel", "head/bias"];

function make(
  groups: readonly { readonly match: Match; readonly [key: string]: unknown }[],
  spec: OptimizerSpec = sgd({ learningRate: 1 }),
): { optimizer: Optimizer<string>; values: () => number[]; step: () => void } {
  const backend = reference();
  const arrays = names.map(() => Float32Array.of(0));
  const parameters = Object.fromEntries(names.map((name, i) => [name, backend.wrap(arrays[i])]));
  const optimizer = createOptimizer(spec, parameters, anything<object>({ groups }));
  const gradients = Object.fromEntries(names.map((name) => [name, Float32Array.of(-1)]));
  return {
    optimizer,
    values: () => arrays.map(([value]) => value),
    step: () => optimizer.step(gradients),
  };
}

test("a group's list of parameters is a copy", () => {
  const { optimizer } = make([{ match: "head/bias" }]);
  (optimizer.groups[0].parameters as string[]).push("dense/bias");
  expect(optimizer.groups[0].parameters).toEqual(["head/bias"]);
});

describe("a match", () => {
  test("by a name is no match of a part of it", () => {
    const backend = reference();
    const parameters = { bias: backend.tensor([1]), as: backend.tensor([1]) };
    const { groups } = createOptimizer(sgd(), parameters, { groups: [{ match: "bias" }] });
    expect(groups[0].parameters).toEqual(["bias"]);
  });

  test.each<[string, Match, string[]]>([
    ["a name", "head/bias", ["head/bias"]],
    ["a list", ["head/bias", "dense/kernel"], ["dense/kernel", "head/bias"]],
    ["a pattern", /bias/, ["dense/bias", "head/bias"]],
    ["a pattern with flags", /BIAS$/i, ["dense/bias", "head/bias"]],
    ["a global pattern", /bias/g, ["dense/bias", "head/bias"]],
    ["a sticky pattern", /dense/y, ["dense/kernel", "dense/bias"]],
    ["a global and sticky pattern", /head/gy, ["head/kernel", "head/bias"]],
    ["a predicate", ({ name }) => name.startsWith("head"), ["head/kernel", "head/bias"]],
  ])("by %s", (_, match, matched) => {
    const { optimizer, values, step } = make([{ match, learningRate: 0.5 }]);
    expect(optimizer.groups).toHaveLength(1);
    expect(optimizer.groups[0].parameters).toEqual(matched);
    step();
    expect(values()).toEqual(names.map((name) => (matched.includes(name) ? 0.5 : 1)));
  });

  test("does not depend on the lastIndex of a pattern, nor changes it", () => {
    const match = /bias/g;
    match.lastIndex = 9;
    const { optimizer } = make([{ match, learningRate: 0.5 }]);
    expect(optimizer.groups[0].parameters).toEqual(["dense/bias", "head/bias"]);
    expect(match.lastIndex).toBe(9);
  });

  test("a name is not a pattern", () => {
    expect(codeOf(() => make([{ match: "bias" }]))).toBe("UNKNOWN_PARAMETER");
  });

  test.each([
    ["a name that there is not", "heads/bias"],
    ["an empty list", []],
    ["a list with a name that nobody has", ["dense/bias", "dense/bais"]],
    ["a pattern that nothing matches", /gamma/],
    ["a predicate that nothing passes", () => false],
  ])("of nothing is refused: %s", (_, match) => {
    expect(codeOf(() => make([{ match: "head/bias" }, { match: anything(match) }]))).toBe(
      "UNKNOWN_PARAMETER",
    );
  });

  test.each([null, 5, {}, [1], true, undefined])("that is %s is refused", (match) => {
    expect(codeOf(() => make([{ match: anything(match) }]))).toBe("UNKNOWN_OPTION");
  });

  test("is refused if two groups match one name", () => {
    expect(codeOf(() => make([{ match: /bias/ }, { match: /head/ }]))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => make([{ match: "head/bias" }, { match: "head/bias" }]))).toBe(
      "INVALID_PARAMETER",
    );
  });
});

describe("hyperparameters of a group", () => {
  test("override those of the optimizer, and follow it otherwise", () => {
    const { optimizer, values, step } = make([
      { match: /dense/, learningRate: 0.5 },
      { match: "head/bias", weightDecay: 0.1 },
    ]);
    const [dense, head] = optimizer.groups;
    optimizer.learningRate = 2;
    expect([dense.learningRate, head.learningRate]).toEqual([0.5, 2]);
    step();
    expect(values()).toEqual([0.5, 0.5, 2, 2]);
    dense.learningRate = 0.25;
    optimizer.learningRate = 4;
    step();
    expect(values()).toEqual([0.75, 0.75, 6, Math.fround(Math.fround(2 * Math.fround(0.6)) + 4)]);
    expect(optimizer.learningRate).toBe(4);
  });

  test("are checked when the group is made and when they are set", () => {
    for (const learningRate of [-1, Number.NaN, "1", null, Infinity]) {
      expect(codeOf(() => make([{ match: /bias/, learningRate }]))).toBe("INVALID_HYPERPARAMETER");
    }
    expect(codeOf(() => make([{ match: /bias/, lr: 1 }]))).toBe("UNKNOWN_OPTION");
    expect(codeOf(() => make([{ match: /bias/, beta1: 0.5 }]))).toBe("UNKNOWN_OPTION");
    expect(codeOf(() => make([{ match: /bias/, nesterov: true }]))).toBe("UNKNOWN_OPTION");
    const { optimizer } = make([{ match: /bias/, learningRate: undefined }], adam());
    const [group] = optimizer.groups;
    expect(group.learningRate).toBe(0.001);
    expect(codeOf(() => (group.beta1 = 1.5))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => (group.lr = 1))).toBe("UNKNOWN_OPTION");
  });

  test.each([[[null]], [[5]], [["bias"]], [[[]]], [new Array(1)]])(
    "case %# is no group",
    (groups) => {
      expect(codeOf(() => make(anything(groups)))).toBe("UNKNOWN_OPTION");
    },
  );

  test("a structural hyperparameter that only one group sets gives all groups the slot", () => {
    const { optimizer, values, step } = make([{ match: /bias/, momentum: 0.5 }]);
    step();
    step();
    expect(values()).toEqual([2, 2.5, 2, 2.5]);
    optimizer.momentum = 0.5;
    step();
    // The velocity of the other parameters was kept, too.
    expect(values()).toEqual([3.5, 4.25, 3.5, 4.25]);
  });

  test("a slot starts at the group's own value", async () => {
    const backend = reference();
    const optimizer = createOptimizer(
      optimizerByName("adagrad"),
      { a: backend.tensor([1]), b: backend.tensor([1]) },
      { groups: [{ match: "b", initialAccumulatorValue: 0.5 }] },
    );
    const { slots } = await optimizer.state();
    expect([slots.a.a[0], slots.b.a[0]]).toEqual([Math.fround(0.1), 0.5]);
  });

  test("parameters that are added later join their group", () => {
    const backend = reference();
    const optimizer = createOptimizer(
      sgd({ learningRate: 1 }),
      {},
      { groups: [{ match: /bias/, learningRate: 0.5 }] },
    );
    const values = Float32Array.of(0);
    optimizer.add({ bias: backend.wrap(values), kernel: backend.tensor([1]) });
    expect(optimizer.groups[0].parameters).toEqual(["bias"]);
    optimizer.step({ bias: Float32Array.of(-1) });
    expect(values[0]).toBe(0.5);
    optimizer.add({ "bias:1": backend.tensor([1]) });
    expect(optimizer.groups[0].parameters).toEqual(["bias", "bias:1"]);
  });
});

test("the hyperparameters of a group's own rule are properties of the group, for TypeScript too", () => {
  const backend = reference();
  const tensors = { w: backend.tensor([2, 2]), b: backend.tensor([2]) };
  const optimizer = createOptimizer(adamw(), tensors, {
    groups: [
      { match: "w", rule: muon({ learningRate: 0.02 }), nsSteps: 4 },
      { match: "b", rule: rmsprop({ learningRate: 0.1 }) },
    ],
  });
  const steps: number = optimizer.groups[0].nsSteps;
  expect(steps).toBe(4);
  optimizer.groups[0].nsSteps = 3;
  expect(optimizer.groups[0].nsSteps).toBe(3);
  const rho: number = optimizer.groups[1].rho;
  expect(rho).toBe(0.9);
  // @ts-expect-error: no rule here has it
  expect(optimizer.groups[0].dampening).toBeUndefined();

  const mixed = createOptimizer(muonWithAdamw(), tensors);
  const beta1: number = mixed.groups[0].beta1;
  expect([beta1, mixed.nsSteps]).toEqual([0.9, 5]);
});

test("a spec with groups is a spec like any other, for TypeScript too", () => {
  const spec: OptimizerSpec = muonWithAdamw();
  expect(spec.groups).toHaveLength(1);
});
