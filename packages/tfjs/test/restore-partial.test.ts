import type { OptimizerState } from "@gradstep/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adam, sgd, type GradstepOptimizer } from "../src/index.js";
import { codeOf, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("restore with partial: true takes what fits", () => {
  const stateFor = async (
    shapes: Readonly<Record<string, readonly number[]>>,
    make: () => GradstepOptimizer = adam,
  ): Promise<OptimizerState> => {
    const optimizer = make();
    for (const [name, shape] of Object.entries(shapes))
      variable(new Float32Array(tf.util.sizeFromShape([...shape])), [...shape], name);
    const ones = Object.entries(shapes).map(([name, shape]) => ({
      name,
      tensor: tf.ones([...shape]),
    }));
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients(ones);
    const state = structuredClone(await optimizer.state());
    tf.disposeVariables();
    return state;
  };
  /** The first moments after a step with gradients of 0, which are 0 without a state. */
  const momentsAfterStep = async (
    optimizer: GradstepOptimizer,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): Promise<Record<string, number>> => {
    const list = Object.entries(shapes).map(
      ([name, shape]) =>
        tf.engine().registeredVariables[name] ??
        variable(new Float32Array(tf.util.sizeFromShape([...shape])), [...shape], name),
    );
    optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.zeros(shape) })));
    const { slots, shapes: saved } = await optimizer.state();
    return Object.fromEntries(
      Object.keys(saved).map((name) => [name, Math.round(1000 * slots[name]["m"][0])]),
    );
  };
  /** 1000 times 0.9 (1 − 0.9³). */
  const restored = 244;

  test("a new head: the layers before it keep their moments", async () => {
    const before = { "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 9] };
    const state = await stateFor(before);
    const after = { "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 2] };
    expect(
      await codeOf(() => {
        const strict = adam();
        strict.restore(state);
        return momentsAfterStep(strict, after);
      }),
    ).toBe("STATE_MISMATCH");
    tf.disposeVariables();
    const optimizer = adam();
    expect(optimizer.restore(state, { partial: true })).toEqual([]);
    expect(optimizer.iterations).toBe(3);
    expect(await momentsAfterStep(optimizer, after)).toEqual({
      "dense_Dense1/kernel": restored,
      "dense_Dense2/kernel": 0,
    });
  });

  test("a new head, in a process with other numbers", async () => {
    const state = await stateFor({ "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 9] });
    const optimizer = adam();
    optimizer.restore(state, { partial: true });
    const after = { "dense_Dense2/kernel": [4, 4], "dense_Dense3/kernel": [4, 2] };
    expect(await momentsAfterStep(optimizer, after)).toEqual({
      "dense_Dense1/kernel": restored,
      "dense_Dense3/kernel": 0,
    });
    expect((await optimizer.state()).shapes["dense_Dense1/kernel"]).toEqual([4, 4]);
  });

  test("one layer more: by names if all states have a variable, else nothing is taken", async () => {
    const state = await stateFor({ "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 4] });
    const same = adam();
    same.restore(state, { partial: true });
    const names = ["dense_Dense1/kernel", "dense_Dense2/kernel", "dense_Dense3/kernel"];
    const shapes = Object.fromEntries(names.map((name) => [name, [4, 4]]));
    expect(Object.values(await momentsAfterStep(same, shapes))).toEqual([restored, restored, 0]);
    tf.disposeVariables();
    const shifted = adam();
    shifted.restore(state, { partial: true });
    const others = ["dense_Dense2/kernel", "dense_Dense3/kernel", "dense_Dense4/kernel"];
    await momentsAfterStep(shifted, Object.fromEntries(others.map((name) => [name, [4, 4]])));
    const { slots } = await shifted.state();
    const zeros = Object.values(slots).filter(({ m }) => m[0] === 0);
    expect(zeros).toHaveLength(3);
  });

  test("variables that the optimizer knows: each misfit is returned, and they keep their state", async () => {
    const state = await stateFor({ a: [2], b: [3], gone: [1] });
    const optimizer = adam();
    variable([1, 2], [2], "a");
    variable([1, 2], [2], "b");
    variable([1], [1], "own");
    optimizer.applyGradients({ a: tf.zeros([2]), b: tf.ones([2]), own: tf.ones([1]) });
    const before = structuredClone(await optimizer.state());
    const strict = (): unknown => optimizer.restore(state);
    expect(await codeOf(strict)).toBe("STATE_MISMATCH");
    expect(strict).toThrow(/shapes\.b is \[3\]; expected \[2\]/);
    expect(await optimizer.state()).toEqual(before);
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => [kind, path])).toEqual(
      expect.arrayContaining([
        ["shape", "shapes.b"],
        ["parameter", "shapes.own"],
      ]),
    );
    expect(optimizer.iterations).toBe(3);
    expect(await momentsAfterStep(optimizer, { a: [2], b: [2], own: [1] })).toEqual({
      a: restored,
      b: 90,
      own: 90,
      gone: 271,
    });
  });

  test("the state of another rule: the steps are taken", async () => {
    const state = await stateFor({ a: [2] }, () => sgd({ momentum: 0.9 }));
    const optimizer = adam();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind }) => kind)).toContain("rule");
    expect(optimizer.iterations).toBe(3);
    expect(optimizer.learningRate).toBe(0.001);
  });

  test("what is no state is an error all the same", async () => {
    const restore = (state: unknown) => (): unknown =>
      adam().restore(state as OptimizerState, { partial: true });
    for (const state of [null, "{}", {}])
      expect(await codeOf(restore(state))).toBe("STATE_MISMATCH");
    const wrong = { partial: true, strict: true } as never;
    const valid = await stateFor({ a: [2] });
    expect(await codeOf(() => adam().restore(valid, wrong))).toBe("UNKNOWN_OPTION");
  });
});
