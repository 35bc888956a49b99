import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adam, nadam, sgd, type NamedTensor } from "../src/index.js";
import { gradient, stepped } from "./optimizer-weights.js";
import { codeOf, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("setWeights refuses", () => {
  test("a state of the same name and another shape is an error", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1, 1, 1], [3], "a");
    const act = (): void => optimizer.applyGradients({ a: gradient(1, 1, 1) });
    expect(await codeOf(act)).toBe("STATE_MISMATCH");
  });

  const wrong: [string, (weights: NamedTensor[]) => NamedTensor[]][] = [
    ["no iter", (weights) => weights.slice(1)],
    ["a slot is missing", (weights) => weights.slice(0, -1)],
    ["an unknown slot", (weights) => [...weights, { name: "a/x", tensor: tf.ones([2]) }]],
    ["a name without a slot", (weights) => [...weights, { name: "m", tensor: tf.ones([2]) }]],
    [
      "slots of other shapes",
      ([iter, ...rest]) => [iter, { name: rest[0].name, tensor: tf.ones([5]) }, ...rest.slice(1)],
    ],
    [
      "a negative iter",
      ([, ...rest]) => [{ name: "iter", tensor: tf.scalar(-1, "int32") }, ...rest],
    ],
    ["a slot twice", (weights) => [...weights, weights[1]]],
    ["nothing", () => []],
    ["null in the list", (weights) => [...weights, null as never]],
    ["a weight without a tensor", (weights) => [...weights, { name: "b/m" } as never]],
    ["a weight without a name", ([iter, { tensor }]) => [iter, { tensor } as never]],
    [
      "steps of groups that are none",
      (weights) => [...weights, { name: "gradstep/iterations", tensor: tf.tensor([-1], [1]) }],
    ],
  ];
  test.each(wrong)("%s: STATE_MISMATCH, and nothing changes", async (_, change) => {
    const weights = await stepped();
    const optimizer = adam();
    expect(await codeOf(() => optimizer.setWeights(change(weights)))).toBe("STATE_MISMATCH");
    expect(optimizer.iterations).toBe(0);
    expect(await optimizer.getWeights()).toHaveLength(1);
  });

  const malformed: [string, () => tf.Tensor][] = [
    ["half a number", () => tf.tensor([1, 1, 1], [3], "int32")],
    ["floats", () => tf.tensor([1, 1])],
    ["NaN", () => tf.tensor([-1, -1], [2], "int32")],
  ];
  test.each(malformed)(
    "a persistent scalar of %s: STATE_MISMATCH, and nothing changes",
    async (_, persistentScalars) => {
      const weights = [
        ...(await stepped()),
        { name: "gradstep/persistentScalars", tensor: persistentScalars() },
      ];
      const optimizer = nadam();
      expect(await codeOf(() => optimizer.setWeights(weights))).toBe("STATE_MISMATCH");
      expect((await optimizer.getWeights()).map(({ name }) => name)).toEqual([
        "iter",
        "gradstep/persistentScalars",
      ]);
    },
  );

  test("weights that were disposed of are DISPOSED", async () => {
    const weights = await stepped();
    weights[2].tensor.dispose();
    expect(await codeOf(() => adam().setWeights(weights))).toBe("DISPOSED");
  });

  test("the state of another model: the next step is an error and changes nothing", async () => {
    const weights = await stepped();
    const optimizer = adam();
    const c = variable([1], [1], "c");
    optimizer.applyGradients({ c: gradient(1) });
    const before = Array.from(c.dataSync());
    await optimizer.setWeights(weights);
    expect(await codeOf(() => optimizer.applyGradients({ c: gradient(1) }))).toBe("STATE_MISMATCH");
    expect(Array.from(c.dataSync())).toEqual(before);
  });

  test("the slots of another rule", async () => {
    const weights = await stepped();
    expect(await codeOf(() => sgd().setWeights(weights))).toBe("STATE_MISMATCH");
    expect(await codeOf(() => nadam().setWeights(weights))).toBe("STATE_MISMATCH");
  });
});
