import { adamw as adamwRule, cosineDecay, type OptimizerState } from "@gradstep/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adam, sgd, tfOptimizer, type GradstepOptimizer } from "../src/index.js";
import { codeOf, numbers, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("restore that fails changes nothing", () => {
  const trained = async (
    make: () => GradstepOptimizer,
    names: readonly string[] = ["a", "b"],
  ): Promise<OptimizerState> => {
    tf.disposeVariables();
    const optimizer = make();
    const list = names.map((name, i) => variable(numbers(2 + i, i + 1), [2 + i], name));
    optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })));
    const state = structuredClone(await optimizer.state());
    tf.disposeVariables();
    return state;
  };

  const wrong: [string, () => unknown][] = [
    ["null", () => null],
    ["nothing", () => undefined],
    ["text", () => "{}"],
    ["an empty object", () => ({})],
    ["the state of another rule", () => trained(() => sgd({ momentum: 0.9 }))],
    ["the state of another option", () => trained(() => adam({ amsgrad: true }))],
    ["more groups", () => trained(() => adam({}, { groups: [{ match: "a" }] }))],
    ["no shapes", async () => ({ ...(await trained(adam)), shapes: undefined })],
    [
      "a shape that is none",
      async () => ({ ...(await trained(adam)), shapes: { a: [2], b: [-3] } }),
    ],
    [
      "a shape of another size",
      async () => ({ ...(await trained(adam)), shapes: { a: [2], b: [4] } }),
    ],
    ["no slots of a parameter", async () => ({ ...(await trained(adam)), slots: {} })],
    [
      "accumulated gradients that the optimizer does not have",
      async () => {
        const state = await trained(() => adam({}, { accumulate: 2 }));
        return { ...state, control: { ...state.control, microSteps: 1 } };
      },
    ],
  ];
  /** Optimizers that have no variables, those of the state, and others. */
  const targets: [string, readonly string[]][] = [
    ["a new optimizer", []],
    ["an optimizer of the same variables", ["a", "b"]],
    ["an optimizer of other variables", ["b", "c"]],
  ];
  describe.each(targets)("%s", (_, names) => {
    test.each(wrong)("%s: STATE_MISMATCH", async (__, make) => {
      const state = (await make()) as OptimizerState;
      tf.disposeVariables();
      const optimizer = adam();
      const list = names.map((name) => {
        const size = 2 + ["a", "b", "c"].indexOf(name);
        return variable(numbers(size, 1), [size], name);
      });
      const step = (): void =>
        optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })));
      if (list.length > 0) step();
      const before = structuredClone(await optimizer.state());
      expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
      expect(await optimizer.state()).toEqual(before);
      if (list.length > 0) step();
      expect(optimizer.iterations).toBe(list.length > 0 ? 2 : 0);
    });
  });

  test("a Promise of a state: STATE_MISMATCH", async () => {
    const pending = adam().state() as unknown as OptimizerState;
    expect(await codeOf(() => adam().restore(pending))).toBe("STATE_MISMATCH");
  });

  test("a variable of another shape is an error at once where it is known, else in its first step", async () => {
    const state = await trained(adam);
    const a = variable([1, 2, 3], [3], "a");
    const known = adam();
    known.applyGradients({ a: tf.ones([3]) });
    const before = structuredClone(await known.state());
    expect(await codeOf(() => known.restore(state))).toBe("STATE_MISMATCH");
    expect(await known.state()).toEqual(before);
    const unknown = adam();
    unknown.restore(state);
    const values = Array.from(a.dataSync());
    expect(await codeOf(() => unknown.applyGradients({ a: tf.ones([3]) }))).toBe("STATE_MISMATCH");
    expect(Array.from(a.dataSync())).toEqual(values);
  });

  test("while the variables are swapped, and after dispose", async () => {
    const make = (): GradstepOptimizer => adam({ use_ema: true });
    const state = await trained(make);
    const optimizer = make();
    variable([1, 1], [2], "a");
    optimizer.applyGradients({ a: tf.ones([2]) });
    optimizer.swap();
    expect(await codeOf(() => optimizer.restore(state))).toBe("SWAPPED");
    expect(await codeOf(() => optimizer.state())).toBe("SWAPPED");
    optimizer.swap();
    optimizer.restore(state);
    optimizer.dispose();
    expect(await codeOf(() => optimizer.restore(state))).toBe("DISPOSED");
    expect(await codeOf(() => optimizer.state())).toBe("DISPOSED");
  });

  test('a schedule that differs: STATE_MISMATCH, and with schedules: "code" that of the optimizer', async () => {
    const scheduled = (steps: number) => (): GradstepOptimizer =>
      tfOptimizer(adamwRule({ learningRate: cosineDecay(0.1, steps) }));
    const state = await trained(scheduled(100));
    const optimizer = scheduled(200)();
    expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
    expect((await optimizer.state()).shapes).toEqual({});
    optimizer.restore(state, { schedules: "code" });
    expect(optimizer.iterations).toBe(1);
  });

  test("a schedule where the optimizer of other variables has a number now", async () => {
    const scheduled = (): GradstepOptimizer =>
      tfOptimizer(adamwRule({ learningRate: cosineDecay(0.1, 100) }));
    const state = await trained(scheduled);
    const optimizer = scheduled();
    variable([1, 2], [2], "c");
    optimizer.applyGradients({ c: tf.ones([2]) });
    optimizer.learningRate = 0.5;
    const before = structuredClone(await optimizer.state());
    expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
    expect(await optimizer.state()).toEqual(before);
    expect(optimizer.learningRate).toBe(0.5);
  });
});
