import { adam, createOptimizer, type Backend } from "@gradstep/core";
import { initialState } from "@gradstep/core/interop";
import { reference } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { tfOptimizer } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { collectGarbage } from "./garbage.js";
import { codeOf, layers, numbers, tf, variable } from "./support.js";

/** The members of TF.js's Emscripten module that these tests read and replace. */
interface Module {
  asm: object;
  _malloc: (byteLength: number) => number;
  _free: (address: number) => void;
  readonly HEAPU8: Uint8Array;
}

const { factory } = tf.engine().registryFactory["wasm"];
let module: Module;
/** Blocks of the heap that are in use. */
const blocks = new Set<number>();

/** A new backend, on which nothing was computed yet. */
beforeEach(async () => {
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", factory);
  await tf.setBackend("wasm");
  ({ wasm: module } = tf.backend() as unknown as { wasm: Module });
  // Emscripten replaces both at their first call.
  module._free(module._malloc(8));
  const { _malloc: malloc, _free: free } = module;
  blocks.clear();
  module._malloc = (byteLength) => {
    const address = malloc(byteLength);
    blocks.add(address);
    return address;
  };
  module._free = (address) => {
    blocks.delete(address);
    free(address);
  };
});
afterEach(() => {
  tf.disposeVariables();
});

const sizes = [1, 3, 64, 1000];
const spec = adam({ learningRate: 0.05, epsilon: 1e-3 });
const gradientsOf = (step: number): Float32Array[] =>
  sizes.map((size, i) => numbers(size, 10 * step + i));

function byName<T>(values: readonly T[]): Record<string, T> {
  return Object.fromEntries(values.map((value, i) => [`v${i}`, value]));
}

/** The values of TF.js variables after 20 steps. */
function walked(): Float32Array[] {
  const variables = sizes.map((size, i) => variable(numbers(size, i), [size], `v${i}`));
  const optimizer = tfOptimizer(spec);
  for (let step = 1; step <= 20; step += 1) {
    const gradients = gradientsOf(step).map((values, i) => ({
      name: `v${i}`,
      tensor: tf.tensor(values),
    }));
    optimizer.applyGradients(gradients);
    tf.dispose(gradients.map(({ tensor }) => tensor));
  }
  optimizer.dispose();
  return variables.map((one) => one.dataSync<"float32">().slice());
}

/** The same steps on one of gradstep's backends. */
async function expected(backend: Backend): Promise<Float32Array[]> {
  const parameters = sizes.map((size, i) => backend.tensor([size], numbers(size, i)));
  const optimizer = createOptimizer(spec, byName(parameters));
  for (let step = 1; step <= 20; step += 1) optimizer.step(byName(gradientsOf(step)));
  return Promise.all(parameters.map(async (one) => (await one.read()) as Float32Array));
}

test("kernels are WebAssembly and give the bits of the reference", async () => {
  expect(walked()).toEqual(await expected(reference()));
});

test("kernels are JavaScript on views of the heap where the module hides its memory", async () => {
  module.asm = { ...module.asm, memory: undefined };
  expect(walked()).toEqual(await expected(cpuJs()));
});

slowTest(
  "the heap has two slots per variable, and none once the optimizer is disposed of",
  async () => {
    const v = variable(numbers(100, 1), [100], "v");
    const w = variable(numbers(7, 2), [7], "w");
    const cost = (): tf.Scalar => tf.tidy(() => tf.add(tf.sum(tf.square(v)), tf.sum(tf.square(w))));
    // Allocates the table of a step, which all optimizers share.
    const first = tfOptimizer(spec);
    first.minimize(cost);
    first.dispose();
    const before = blocks.size;
    const optimizer = tfOptimizer(spec);
    optimizer.minimize(cost);
    expect(blocks.size).toBe(before + 4);
    for (let i = 0; i < 1000; i += 1) optimizer.minimize(cost);
    for (let i = 0; i < 20; i += 1) await optimizer.getWeights();
    await optimizer.setWeights(await optimizer.getWeights());
    expect(blocks.size).toBe(before + 4);
    // Gradients on other backends are copied into the optimizer's memory.
    await tf.setBackend("cpu");
    const gradients = { v: tf.tensor(numbers(100, 3)) };
    await tf.setBackend("wasm");
    optimizer.applyGradients(gradients);
    expect(blocks.size).toBe(before + 5);
    await tf.setBackend("cpu");
    optimizer.applyGradients(gradients);
    // `v` and the state have left the heap.
    expect(blocks.size).toBe(before - 1);
    await tf.setBackend("wasm");
    optimizer.minimize(cost);
    expect(blocks.size).toBe(before + 4);
    optimizer.dispose();
    expect(blocks.size).toBe(before);
  },
);

slowTest("the heap grows while the state is allocated", () => {
  const size = 6_000_000;
  const v = variable(new Float32Array(size).fill(1), [size], "v");
  const optimizer = tfOptimizer(adam({ learningRate: 0.5 }));
  const gradient = tf.fill([size], 3);
  const { buffer } = module.HEAPU8;
  optimizer.applyGradients({ v: gradient });
  expect(module.HEAPU8.buffer).not.toBe(buffer);
  expect(v.dataSync().every((value) => Math.abs(value - 0.5) < 1e-5)).toBe(true);
  optimizer.dispose();
});

test("a heap without room for the state is an error, and nothing changes", async () => {
  const v = variable([1, 2], [2], "v");
  const optimizer = tfOptimizer(spec);
  const gradients = { v: tf.tensor([1, 1]) };
  const malloc = module._malloc;
  module._malloc = () => 0;
  expect(await codeOf(() => optimizer.applyGradients(gradients))).toBe("OUT_OF_MEMORY");
  expect([...v.dataSync()]).toEqual([1, 2]);
  expect(optimizer.iterations).toBe(0);
  module._malloc = malloc;
  optimizer.applyGradients(gradients);
  expect(optimizer.iterations).toBe(1);
});

test("state stays where it is if the next step's backend has no room for it", async () => {
  await tf.setBackend("cpu");
  variable([1, 2], [2], "v");
  const optimizer = tfOptimizer(spec);
  const gradients = { v: tf.tensor([1, 1]) };
  optimizer.applyGradients(gradients);
  await tf.setBackend("wasm");
  const malloc = module._malloc;
  module._malloc = () => 0;
  expect(await codeOf(() => optimizer.applyGradients(gradients))).toBe("OUT_OF_MEMORY");
  module._malloc = malloc;
  await tf.setBackend("cpu");
  optimizer.applyGradients(gradients);
  const [, m] = await optimizer.getWeights();
  expect(m.tensor.dataSync()[1]).toBeCloseTo(0.19, 6);
  expect(optimizer.iterations).toBe(2);
});

describe("blocks of the heap", () => {
  const cost = (): tf.Scalar =>
    tf.tidy(() =>
      tf.addN<tf.Scalar>(
        Object.values(tf.engine().registeredVariables).map((one) => tf.sum(tf.square(one))),
      ),
    );
  const trained = (optimizer: tf.Optimizer): layers.LayersModel => {
    const model = layers.sequential({
      layers: [layers.layers.dense({ units: 3, inputShape: [4] })],
    });
    model.compile({ optimizer, loss: "meanSquaredError" });
    optimizer.minimize(cost);
    return model;
  };
  /** The blocks in use once everything that optimizers share is allocated. */
  const baseline = (): number => {
    const first = tfOptimizer(spec);
    trained(first).dispose();
    first.dispose();
    return blocks.size;
  };

  test("are freed with the model, although the optimizer is still there", () => {
    const before = baseline();
    const optimizer = tfOptimizer(spec);
    for (let i = 0; i < 3; i += 1) {
      const model = trained(optimizer);
      // Two variables, and two slots for each.
      expect(blocks.size).toBe(before + 2 + 4);
      model.dispose();
      expect(blocks.size).toBe(before);
    }
    optimizer.dispose();
  });

  test("are freed by tf.disposeVariables and by the dispose of a single variable", () => {
    const before = baseline();
    const optimizer = tfOptimizer(spec);
    trained(optimizer);
    tf.disposeVariables();
    expect(blocks.size).toBe(before);
    const [v] = [variable([1], [1], "v"), variable([1], [1], "w")];
    optimizer.minimize(cost);
    expect(blocks.size).toBe(before + 2 + 4);
    v.dispose();
    expect(blocks.size).toBe(before + 1 + 2);
    optimizer.dispose();
  });

  test("are freed once an optimizer that was dropped is collected, although its variables live", async () => {
    const before = baseline();
    const model = trained(tfOptimizer(spec));
    const withOne = blocks.size;
    expect(withOne).toBe(before + 2 + 4);
    for (let i = 0; i < 5; i += 1) {
      const next = tfOptimizer(spec);
      model.compile({ optimizer: next, loss: "meanSquaredError" });
      next.minimize(cost);
    }
    expect(blocks.size).toBeGreaterThan(withOne);
    await collectGarbage();
    expect(blocks.size).toBe(withOne);
    model.dispose();
    expect(blocks.size).toBe(before);
  });
});

test("a state for which the heap has no memory changes nothing: states that wait for variables stay", async () => {
  variable(numbers(3, 1), [3], "w");
  const optimizer = tfOptimizer(spec);
  optimizer.applyGradients({ w: tf.tensor([1, 2, 3]) });
  optimizer.restore({ ...(await initialState(spec, { w: [3], v: [4] })), iterations: 5 });
  const before = await optimizer.state();
  const { _malloc: malloc } = module;
  module._malloc = (byteLength) => (byteLength > 10_000 ? 0 : malloc(byteLength));
  const larger = await initialState(spec, { w: [3], v: [5000] });
  expect(await codeOf(() => optimizer.restore(larger))).toBe("OUT_OF_MEMORY");
  expect(await optimizer.state()).toEqual(before);
  module._malloc = malloc;
  expect(optimizer.restore(larger)).toEqual([]);
  expect((await optimizer.state()).shapes).toEqual({ w: [3], v: [5000] });
  optimizer.dispose();
});
