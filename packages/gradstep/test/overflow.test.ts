// One gradient whose square is not an f32, then 100 gradients of 1, from a parameter of 1 at a rate of 0.01.
import { describe, expect, test } from "vitest";
import { cpuJs, createOptimizer, wasm, type Backend, type OptimizerSpec } from "../src/index.js";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "../src/interop.js";
import { reference } from "../src/reference.js";

const huge = [1.8e19, 1.9e19, 2e19, 1e20, 1e25, 3e38] as const;

/** Backends that round every operation to f32. */
const exact: readonly (() => Backend)[] = [reference, () => cpuJs({ exact: true }), () => wasm()];

const ones = (count: number) => new Float32Array(count).fill(1);

async function last(backend: Backend, spec: OptimizerSpec, first: number): Promise<number> {
  const w = backend.tensor([1], [1]);
  const optimizer = createOptimizer(spec, { w });
  for (let i = 0; i < 101; i += 1) optimizer.step({ w: Float32Array.of(i === 0 ? first : 1) });
  return (await w.read())[0];
}

async function onExactBackends(spec: OptimizerSpec, first: number): Promise<number[]> {
  return Promise.all(
    exact.map(async (make) => {
      const backend = make();
      const value = await last(backend, spec, first);
      backend.dispose?.();
      return value;
    }),
  );
}

const rate = { lr: 0.01 };
// PyTorch 2.13, f32, single-tensor and fused.
const torch: readonly [
  name: string,
  options: Record<string, unknown>,
  finite: number,
  overflowed: number,
][] = [
  ["Adam", rate, 0.9399476, 1],
  ["Adam", { ...rate, amsgrad: true }, 0.9401913, 1],
  ["AdamW", rate, 0.9304454, 0.989949],
  ["RMSprop", rate, 0.9, 1],
  ["RMSprop", { ...rate, centered: true }, 0.8994962, 1],
  ["RMSprop", { ...rate, momentum: 0.9 }, 2.4118777e-5, 1],
  ["Adamax", rate, 0.9697737, 0.9697737],
  // PyTorch divides v by its correction before the root, which overflows at 1.9e19 already; f64 gives this number.
  ["NAdam", rate, 0.9768503, 1],
];

describe.each(torch)("PyTorch's %s %o", (name, options, finite, overflowed) => {
  const spec = fromTorch(name, options);

  test.each(huge)("moves as it does after %d", async (gradient) => {
    const wanted = gradient <= 1e20 ? finite : overflowed;
    const near: unknown = expect.closeTo(wanted, 6);
    expect(await onExactBackends(spec, gradient)).toEqual([near, near, near]);
  });

  test.each(huge.slice(0, 4))("on cpu-js, too, after %d", async (gradient) => {
    expect(await last(cpuJs(), spec, gradient)).toBeCloseTo(finite, 6);
  });

  // cpu-js does not round temporaries: it takes the first step before v is stored as ∞.
  test.each(huge.slice(4))("stays finite on cpu-js after %d", async (gradient) => {
    expect(await last(cpuJs(), spec, gradient)).toBeLessThan(1);
  });
});

// β·v + (1 − β)·g² is ∞ in f32 from 1.9e19 on, and the parameter stays where it is.
const frozen: readonly [string, OptimizerSpec][] = [
  ["Optax's adam", fromOptax("adam", { learning_rate: 0.01 })],
  ["Optax's nadam", fromOptax("nadam", { learning_rate: 0.01 })],
  ["Optax's amsgrad", fromOptax("amsgrad", { learning_rate: 0.01 })],
  ["Optax's rmsprop", fromOptax("rmsprop", { learning_rate: 0.01 })],
  ["Optax's centered rmsprop", fromOptax("rmsprop", { learning_rate: 0.01, centered: true })],
  ["TF.js's adam", fromTfjs("adam", { learningRate: 0.01 })],
  ["TF.js's rmsprop", fromTfjs("rmsprop", { learningRate: 0.01 })],
  ["TF.js's centered rmsprop", fromTfjs("rmsprop", { learningRate: 0.01, centered: true })],
  ["TF.js's adagrad", fromTfjs("adagrad", { learningRate: 0.01 })],
  ["PyTorch's Adagrad", fromTorch("Adagrad", { lr: 0.01 })],
  ["Keras's RMSprop", fromKeras({ class_name: "RMSprop", config: { learning_rate: 0.01 } })],
];

describe.each(frozen)("%s", (_, spec) => {
  test.each(huge.slice(1))("stays where it is after %d", async (gradient) => {
    expect(await onExactBackends(spec, gradient)).toEqual([1, 1, 1]);
    // One step may have been taken, as above.
    expect(await last(cpuJs(), spec, gradient)).toBeGreaterThan(0.9);
  });
});

const keras = (name: string, config = {}) =>
  fromKeras({ class_name: name, config: { learning_rate: 0.01, ...config } });

// Keras 3.15 with PyTorch. With JAX, Adam, AdamW and Nadam are NaN from the second step on.
const kerasValues: readonly [name: string, config: object, value: number][] = [
  ["Adam", {}, 1],
  ["Adam", { amsgrad: true }, 1],
  ["AdamW", {}, 0.9959685],
  ["Nadam", {}, 1],
  ["Adafactor", {}, 1],
];

test.each(kerasValues)("Keras's %s %o stays where it is", async (name, config, value) => {
  for (const gradient of huge.slice(1)) {
    const near: unknown = expect.closeTo(value, 6);
    expect(await onExactBackends(keras(name, config), gradient)).toEqual([near, near, near]);
    expect(await last(cpuJs(), keras(name, config), gradient)).toBeGreaterThan(0.9);
  }
});

// Keras 3.15 with PyTorch and JAX: the others move on. In PyTorch's the huge one is NaN from the first step on.
test.each([
  ["Keras's", keras("Adafactor")],
  ["PyTorch's", fromTorch("Adafactor", { lr: 0.01 })],
])("in a vector of %s Adafactor, the element stays where it is", async (_, spec) => {
  for (const make of [...exact, () => cpuJs()]) {
    const backend = make();
    const w = backend.tensor([4], [1, 1, 1, 1]);
    const optimizer = createOptimizer(spec, { w });
    const seen: number[][] = [];
    for (let i = 0; i < 101; i += 1) {
      optimizer.step({ w: i === 0 ? Float32Array.of(1.9e19, 0.5, 0.5, 0.5) : ones(4) });
      if (i === 1 || i === 100) seen.push([...(await w.read())]);
    }
    expect(seen).toEqual(
      [0.9785395, 0.2585037].map((value) => [1, ...Array(3).fill(expect.closeTo(value, 6))]),
    );
    backend.dispose?.();
  }
});

// The estimate of each element of a matrix is made of averages of its row and of all rows, and ∞ / ∞ is NaN.
test("a matrix of Adafactor is NaN, as in Keras and PyTorch", async () => {
  for (const spec of [keras("Adafactor"), fromTorch("Adafactor", { lr: 0.01 })]) {
    const backend = reference();
    const w = backend.tensor([2, 3], ones(6));
    createOptimizer(spec, { w }).step({ w: Float32Array.of(1.9e19, 0.5, 0.5, 0.5, 0.5, 0.5) });
    expect([...(await w.read())]).toEqual(Array(6).fill(NaN));
  }
});

// Keras computes both in one form with all of its libraries.
test.each(["Lamb", "ScheduleFreeAdamW"])("Keras's %s is NaN, as in Keras", async (name) => {
  expect(await onExactBackends(keras(name), 1.9e19)).toEqual([NaN, NaN, NaN]);
});

test("Keras's and Optax's Lion take the sign of an infinite gradient", async () => {
  const optax = fromOptax("lion", { learning_rate: 0.01, weight_decay: 0 });
  for (const spec of [keras("Lion"), optax]) {
    for (const sign of [1, -1]) {
      const near: unknown = expect.closeTo(1 - sign * 1.01, 5);
      expect(await onExactBackends(spec, sign * Infinity)).toEqual([near, near, near]);
      expect(await last(cpuJs(), spec, sign * Infinity)).toEqual(near);
    }
  }
});
