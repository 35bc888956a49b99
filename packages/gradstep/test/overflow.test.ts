// One gradient whose square is not an f32, then 100 gradients of 1, from a parameter of 1 at a rate of 0.01.
import { describe, expect, test } from "vitest";
import { cpuJs, createOptimizer, wasm, type Backend, type OptimizerSpec } from "../src/index.js";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "../src/interop.js";
import { reference } from "../src/reference.js";

const huge = [1.8e19, 1.9e19, 2e19, 1e20, 1e25, 3e38] as const;

const backends: readonly (() => Backend & { dispose?: () => void })[] = [
  reference,
  () => cpuJs({ exact: true }),
  () => wasm(),
  () => cpuJs(),
];

async function last(backend: Backend, spec: OptimizerSpec, first: number): Promise<number> {
  const w = backend.tensor([1], [1]);
  const optimizer = createOptimizer(spec, { w });
  for (let i = 0; i < 101; i += 1) optimizer.step({ w: Float32Array.of(i === 0 ? first : 1) });
  return (await w.read())[0];
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

  test.each(huge)("is what it is after %d", async (gradient) => {
    for (const make of backends) {
      const backend = make();
      const got = await last(backend, spec, gradient);
      const wanted = gradient <= 1e20 ? finite : overflowed;
      // Without rounding temporaries, cpu-js takes the first step before v is stored as ∞.
      const tolerance = backend.name === "cpu-js" && gradient > 1e20 ? 0.11 : 1e-6;
      if (options.momentum === undefined || wanted === finite || backend.name !== "cpu-js")
        expect(Math.abs(got - wanted), backend.name).toBeLessThan(tolerance);
      expect(got).not.toBeNaN();
      backend.dispose?.();
    }
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
  test.each(huge.slice(1))("rests after %d", async (gradient) => {
    for (const make of backends) {
      const backend = make();
      const got = await last(backend, spec, gradient);
      if (backend.name === "cpu-js") expect(got).toBeGreaterThan(0.9);
      else expect(got, backend.name).toBe(1);
      backend.dispose?.();
    }
  });
});

test("Keras's and Optax's Lion take the sign of an infinite gradient", async () => {
  for (const make of backends) {
    const backend = make();
    const keras = fromKeras({ class_name: "Lion", config: { learning_rate: 0.01 } });
    const optax = fromOptax("lion", { learning_rate: 0.01, weight_decay: 0 });
    for (const spec of [keras, optax]) {
      expect(await last(backend, spec, Infinity)).toBeCloseTo(1 - 1.01, 5);
      expect(await last(backend, spec, -Infinity)).toBeCloseTo(1 + 1.01, 5);
    }
    backend.dispose?.();
  }
});
