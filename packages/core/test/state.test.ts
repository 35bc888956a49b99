import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { oracle, reference } from "../src/reference.js";
import { nadam } from "../src/rules/nadam.js";
import { rules } from "../src/rules/index.js";
import { comparable, sizes, start } from "./state-runs.js";
import { anything, bits, codeOf, numbers } from "./support.js";

const options: readonly (readonly [name: string, settings: Readonly<Record<string, unknown>>])[] = [
  ...rules.map(({ name }) => [name, {}] as const),
  ["sgd", { momentum: 0.9, nesterov: true }],
  ["sgd", { momentum: 0.9, momentumForm: "torch", dampening: 0.2, maximize: true }],
  ["adagrad", { learningRateDecay: 0.5, epsilonMode: "outside", weightDecayMode: "l2" }],
  ["rmsprop", { momentum: 0.5, centered: true }],
  ["adam", { amsgrad: true, amsgradOf: "corrected", epsilonMode: "paper", weightDecay: 0.1 }],
  ["adam", { nesterov: true, epsilonRoot: 0.01 }],
  ["adamax", { learningRateDecay: 0.5, epsilonMode: "inside" }],
  ["nadam", { productIn: "f32", momentumDecay: 0.004 }],
];

describe("N steps, a restored state and N more steps equal 2N steps, bit for bit", () => {
  test.each(options)("%s %o", async (name, settings) => {
    const spec = optimizerByName(name, { learningRate: 0.1, ...settings });
    const groups = [{ match: "bias", learningRate: 0.05, weightDecay: 0.01 }];
    const whole = start(spec, groups);
    whole.steps(0, 5);
    whole.optimizer.learningRate = 0.03;
    whole.optimizer.groups[0].weightDecay = 0.02;
    const state = structuredClone(await whole.optimizer.state());
    const resumed = start(spec, groups, whole.arrays);
    // Whatever has happened there before is of no influence.
    resumed.optimizer.learningRate = 0.7;
    resumed.optimizer.step({ kernel: numbers(sizes.kernel, 900) });
    resumed.arrays.kernel.set(whole.arrays.kernel);
    whole.steps(5, 10);

    resumed.optimizer.restore(state);
    expect(resumed.optimizer.iterations).toBe(5);
    resumed.steps(5, 10);
    expect(bits(resumed.arrays.kernel)).toEqual(bits(whole.arrays.kernel));
    expect(bits(resumed.arrays.bias)).toEqual(bits(whole.arrays.bias));
    expect(comparable(await resumed.optimizer.state())).toEqual(
      comparable(await whole.optimizer.state()),
    );
    expect(resumed.optimizer.learningRate).toBe(0.03);
    expect(resumed.optimizer.groups[0]).toMatchObject({ learningRate: 0.05, weightDecay: 0.02 });
  });

  test("from the configuration alone, groups included", async () => {
    const groups = [{ match: /bias/, learningRate: 0.05 }];
    const whole = start(nadam({ learningRate: 0.1 }), groups);
    whole.steps(0, 4);
    const config = JSON.parse(JSON.stringify(whole.optimizer.config())) as ReturnType<
      typeof whole.optimizer.config
    >;
    const resumed = start(optimizerByName(config), [], whole.arrays);
    resumed.optimizer.restore(await whole.optimizer.state());
    whole.steps(4, 8);
    resumed.steps(4, 8);
    expect(bits(resumed.arrays.bias)).toEqual(bits(whole.arrays.bias));
    expect(resumed.optimizer.config()).toEqual(whole.optimizer.config());
  });

  test("in f64", async () => {
    const run = (values: Float64Array): [Optimizer, () => void] => {
      const optimizer = createOptimizer(nadam(), { w: oracle().wrap(values) });
      return [optimizer, () => optimizer.step({ w: Float64Array.of(0.1) })];
    };
    const values = Float64Array.of(1);
    const [optimizer, step] = run(values);
    step();
    const copy = values.slice();
    const state = await optimizer.state();
    expect(state.slots.w.m).toBeInstanceOf(Float64Array);
    step();
    const [other, otherStep] = run(copy);
    other.restore(state);
    otherStep();
    expect(copy).toEqual(values);
  });

  test("with parameters that were added later", async () => {
    const backend = reference();
    const make = (): { optimizer: Optimizer; late: Float32Array; add: () => void } => {
      const late = Float32Array.of(1);
      const optimizer = createOptimizer(nadam(), { first: backend.tensor([1]) });
      const add = (): void => void optimizer.add({ late: backend.wrap(late) });
      return { optimizer, late, add };
    };
    const one = make();
    one.optimizer.step({ first: Float32Array.of(1) });
    one.add();
    one.optimizer.step({ late: Float32Array.of(0.5) });
    const state = await one.optimizer.state();
    const other = make();
    expect(codeOf(() => other.optimizer.restore(state))).toBe("STATE_MISMATCH");
    other.add();
    other.late.set(one.late);
    other.optimizer.restore(state);
    for (const { optimizer } of [one, other]) optimizer.step({ late: Float32Array.of(0.5) });
    expect(bits(other.late)).toEqual(bits(one.late));
  });
});

test("a state is a snapshot, even if steps are taken while it is read", async () => {
  const { optimizer, steps } = start(nadam(), [{ match: "bias", beta1: 0.5 }]);
  steps(0, 3);
  const quiet = comparable(await optimizer.state());
  const pending = optimizer.state();
  steps(3, 6);
  optimizer.learningRate = 0.5;
  optimizer.groups[0].beta1 = 0.25;
  const taken = await pending;
  expect(comparable(taken)).toEqual(quiet);
  steps(6, 7);
  expect(comparable(taken)).toEqual(quiet);
});

test("writing to a state, or to a restored one, does not reach the optimizer", async () => {
  const { optimizer, steps } = start(nadam());
  steps(0, 3);
  const before = comparable(await optimizer.state());
  const state = await optimizer.state();
  optimizer.restore(state);
  state.slots.kernel.m.fill(9);
  anything<string[]>(state.groups[0].parameters).push("other");
  anything<Record<string, number>>(state.groups[0].persistentScalars).product = 9;
  expect(comparable(await optimizer.state())).toEqual(before);
});

test("NaN and infinities in slots are kept", async () => {
  const { optimizer } = start(nadam());
  optimizer.step({ bias: Float32Array.of(Number.NaN, Infinity, -0) });
  const state = await optimizer.state();
  const other = start(nadam());
  other.optimizer.restore(state);
  expect(comparable(await other.optimizer.state())).toEqual(comparable(state));
});

test("a pending state resolves after its optimizer is disposed", async () => {
  const { optimizer, steps } = start(nadam());
  steps(0, 2);
  const quiet = comparable(await optimizer.state());
  const pending = optimizer.state();
  optimizer.dispose();
  expect(comparable(await pending)).toEqual(quiet);
});

describe("a state that is reused", () => {
  test("gives its arrays to the new state, which has the same values as any other", async () => {
    const { optimizer, steps } = start(nadam());
    const first = await optimizer.state();
    const { m } = first.slots["bias"];
    steps(0, 2);
    const plain = comparable(await optimizer.state());
    const second = await optimizer.state({ reuse: first });
    expect(second.slots["bias"]["m"]).toBe(m);
    expect(comparable(second)).toEqual(plain);
  });

  test("keeps arrays of another type or length, and those of other slots", async () => {
    const { optimizer, steps } = start(nadam());
    steps(0, 2);
    const plain = await optimizer.state();
    const bias = { m: new Float64Array(3).fill(5), v: new Float32Array(4).fill(5), n: 1 };
    const reuse = { ...plain, slots: { bias, other: {} } } as unknown as OptimizerState;
    const state = await optimizer.state({ reuse });
    expect(comparable(state)).toEqual(comparable(plain));
    expect([...bias.m, ...bias.v]).toEqual([5, 5, 5, 5, 5, 5, 5]);
  });

  test("is refused under another name of the option", async () => {
    const { optimizer } = start(nadam());
    await expect(optimizer.state({ into: {} } as never)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  });
});
