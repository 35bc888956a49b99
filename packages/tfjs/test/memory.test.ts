import "@tensorflow/tfjs-backend-cpu";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { adam, sgd } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { backends, numbers, tf, variable } from "./support.js";

/** The location of a tensor's storage: an array on cpu, an offset on wasm. */
function placeOf(tensor: tf.Tensor): unknown {
  const backend = tf.backend() as unknown as {
    data?: { get(id: object): { values: unknown } };
    getMemoryOffset?(id: object): number;
  };
  return backend.getMemoryOffset?.(tensor.dataId) ?? backend.data!.get(tensor.dataId).values;
}

/** One step of gradient descent with a rate of 1: v − g. */
function step(v: tf.Variable, values: ArrayLike<number>): void {
  const optimizer = sgd({ learningRate: 1 });
  const gradient = tf.tensor(Float32Array.from(values), v.shape);
  optimizer.applyGradients({ [v.name]: gradient });
  gradient.dispose();
  optimizer.dispose();
}

afterEach(() => {
  tf.disposeVariables();
});

describe.each(backends)("memory, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test("from the second step on a variable is updated in place, whichever optimizer takes the steps", () => {
    const v = variable([1, 2, 3], [3]);
    step(v, [0.25, 0.25, 0.25]);
    const place = placeOf(v);
    for (let i = 0; i < 3; i += 1) {
      step(v, [0.25, 0.25, 0.25]);
      expect(placeOf(v)).toBe(place);
    }
    expect([...v.dataSync()]).toEqual([0, 1, 2]);
  });

  test("no data buffer is allocated by a step from the second on", async () => {
    const v = variable(numbers(6, 1), [2, 3], "v");
    const w = variable(numbers(3, 2), [3], "w");
    const optimizer = adam();
    const gradients = { v: tf.ones([2, 3]), w: tf.ones([3]) };
    optimizer.applyGradients(gradients);
    const tfBackend = tf.backend() as unknown as { write: (...values: unknown[]) => object };
    const { write } = tfBackend;
    let writes = 0;
    tfBackend.write = (...values) => {
      writes += 1;
      return write.apply(tfBackend, values);
    };
    for (let i = 0; i < 5; i += 1) optimizer.applyGradients(gradients);
    tfBackend.write = write;
    expect(writes).toBe(0);
    expect([v.shape, w.shape]).toEqual([[2, 3], [3]]);
    tf.dispose(gradients);
    optimizer.dispose();
  });

  const sharers: [string, (v: tf.Variable) => tf.Tensor][] = [
    ["clone", (v) => v.clone()],
    ["reshape", (v) => tf.reshape(v, [4])],
    ["slice", (v) => tf.slice(v, [0, 0], [1, 2])],
    ["slice of everything", (v) => tf.slice(v, [0, 0], [2, 2])],
    ["unstack", (v) => tf.unstack(v)[1]],
    ["another variable", (v) => tf.variable(v)],
  ];
  test.each(sharers)("%s keeps the old values", (_, share) => {
    const v = variable([1, 2, 3, 4], [2, 2]);
    const other = share(v);
    const before = Array.from(other.dataSync());
    step(v, [1, 1, 1, 1]);
    expect(Array.from(other.dataSync())).toEqual(before);
    expect(Array.from(v.dataSync())).toEqual([0, 1, 2, 3]);
    other.dispose();
  });

  test("an array that dataSync returned keeps the old values", () => {
    const v = variable([1, 2], [2]);
    const before = v.dataSync();
    step(v, [1, 1]);
    expect([...before]).toEqual([1, 2]);
    expect([...v.dataSync()]).toEqual([0, 1]);
  });

  test("a variable on a part of another tensor does not change that tensor", () => {
    const whole = tf.tensor([1, 2, 3, 4]);
    const v = tf.tidy(() => tf.variable(tf.slice(whole, [1], [2])));
    step(v, [1, 1]);
    expect([...whole.dataSync()]).toEqual([1, 2, 3, 4]);
    expect([...v.dataSync()]).toEqual([1, 2]);
    whole.dispose();
  });

  test("updates are in place again once no other tensor shares the storage", () => {
    const v = variable([1, 2], [2]);
    const place = placeOf(v);
    const other = tf.reshape(v, [2, 1]);
    step(v, [1, 1]);
    const next = placeOf(v);
    expect(next).not.toBe(place);
    other.dispose();
    step(v, [1, 1]);
    expect(placeOf(v)).toBe(next);
  });

  test("a tensor that is assigned between two steps keeps its values", () => {
    const v = variable([1, 2], [2]);
    step(v, [1, 1]);
    const value = tf.tensor([10, 20]);
    v.assign(value);
    step(v, [1, 1]);
    expect([...value.dataSync()]).toEqual([10, 20]);
    expect([...v.dataSync()]).toEqual([9, 19]);
    value.dispose();
  });

  test("variables that are each other's gradients", () => {
    const a = variable([1, 2], [2], "a");
    const b = variable([10, 20], [2], "b");
    const optimizer = sgd({ learningRate: 1 });
    optimizer.applyGradients({ a: b, b: a });
    expect([...a.dataSync()]).toEqual([-9, -18]);
    expect([...b.dataSync()]).toEqual([9, 18]);
    optimizer.applyGradients([{ name: "a", tensor: a }]);
    expect([...a.dataSync()]).toEqual([0, 0]);
    optimizer.dispose();
  });

  test("inPlace: false allocates new memory in each step", () => {
    const v = variable([1, 2], [2]);
    const place = placeOf(v);
    const optimizer = sgd({ learningRate: 1 }, { inPlace: false });
    const gradient = tf.tensor([1, 1]);
    optimizer.applyGradients({ [v.name]: gradient });
    expect(placeOf(v)).not.toBe(place);
    expect([...v.dataSync()]).toEqual([0, 1]);
    gradient.dispose();
  });

  test("an empty variable and a scalar", () => {
    variable([], [0, 3], "empty");
    const scalar = variable([2], [], "scalar");
    const optimizer = sgd({ learningRate: 1 });
    const gradients = { empty: tf.zeros([0, 3]), scalar: tf.scalar(0.5) };
    optimizer.applyGradients(gradients);
    expect([...scalar.dataSync()]).toEqual([1.5]);
    tf.dispose(gradients);
    optimizer.dispose();
  });
});

test("cpu: kernels that read a variable through a buffer do not end in-place updates", async () => {
  await tf.setBackend("cpu");
  const optimizer = sgd({ learningRate: 1 });
  const table = variable(numbers(12, 1), [4, 3], "table");
  const indices = tf.tensor1d([1, 3], "int32");
  const take = (): void => {
    optimizer.minimize(() => tf.sum(tf.square(tf.gather(table, indices))));
  };
  take();
  const place = placeOf(table);
  for (let i = 0; i < 3; i += 1) take();
  expect(placeOf(table)).toBe(place);
  optimizer.dispose();
});

test("wasm: a matrix product after a step has the new weights", async () => {
  await tf.setBackend("wasm");
  const w = variable([1, 0, 0, 1], [2, 2]);
  const x = tf.tensor2d([[1, 2]]);
  const product = (): number[] => tf.tidy(() => Array.from(tf.matMul(x, w).dataSync()));
  expect(product()).toEqual([1, 2]);
  // XNNPACK keeps a packed copy of the weights and does not see a write from outside.
  const heap = tf.backend() as unknown as {
    wasm: { HEAPU8: Uint8Array };
    getMemoryOffset(id: object): number;
  };
  const view = new Float32Array(heap.wasm.HEAPU8.buffer, heap.getMemoryOffset(w.dataId), 4);
  view.set([3, 0, 0, 3]);
  expect(product()).toEqual([1, 2]);
  const place = placeOf(w);
  step(w, [1, 0, 0, 1]);
  expect(placeOf(w)).toBe(place);
  expect(product()).toEqual([2, 4]);
  step(w, [1, 0, 0, 1]);
  expect(product()).toEqual([1, 2]);
  x.dispose();
});

slowTest("wasm: the heap grows during training", async () => {
  await tf.setBackend("wasm");
  const heap = (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm;
  const v = variable(numbers(1000, 1), [1000], "v");
  const twin = Float32Array.from(v.dataSync());
  const optimizer = sgd({ learningRate: 0.5 });
  const held: tf.Tensor[] = [];
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < 6; i += 1) {
    const values = numbers(1000, i + 2);
    const gradient = tf.tensor(values);
    optimizer.applyGradients({ v: gradient });
    for (let j = 0; j < 1000; j += 1) twin[j] -= 0.5 * values[j];
    gradient.dispose();
    held.push(tf.zeros([4_000_000]));
    buffers.add(heap.HEAPU8.buffer);
  }
  expect(buffers.size).toBeGreaterThan(1);
  expect([...v.dataSync()]).toEqual([...twin]);
  tf.dispose(held);
});

describe("a backend whose memory is not known", () => {
  beforeEach(async () => {
    if (tf.engine().registryFactory["unknown"] === undefined) {
      tf.registerBackend("unknown", () => new MathBackendCPU());
      tf.copyRegisteredKernels("cpu", "unknown");
    }
    await tf.setBackend("unknown");
  });

  test("values are copied in and out", () => {
    const v = variable([1, 2, 3], [3], "v");
    const clone = v.clone();
    const place = placeOf(v);
    const optimizer = sgd({ learningRate: 1 });
    const gradient = tf.tensor([1, 1, 1]);
    const before = tf.memory().numTensors;
    optimizer.applyGradients({ v: gradient });
    optimizer.applyGradients({ v: gradient });
    expect(tf.memory().numTensors).toBe(before);
    expect(placeOf(v)).not.toBe(place);
    expect([...v.dataSync()]).toEqual([-1, 0, 1]);
    expect([...clone.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([gradient, clone]);
  });
});

test("the backend changes between steps", async () => {
  const run = async (names: readonly string[]): Promise<number[]> => {
    const v = variable([1, 2, 3], [3], "v");
    const optimizer = adam({ learningRate: 0.1 });
    for (const name of names) {
      await tf.setBackend(name);
      optimizer.minimize(() => tf.sum(tf.square(v)));
    }
    const values = Array.from(v.dataSync());
    tf.disposeVariables();
    optimizer.dispose();
    return values;
  };
  const there = await run(["cpu", "cpu", "cpu", "cpu", "cpu", "cpu"]);
  // The bits are the same in JavaScript memory; WebAssembly kernels round each operation to f32.
  expect(await run(["cpu", "cpu", "unknown", "unknown", "cpu", "unknown"])).toEqual(there);
  const through = await run(["cpu", "wasm", "wasm", "unknown", "cpu", "wasm"]);
  through.forEach((value, i) => expect(Math.abs(value - there[i])).toBeLessThan(1e-6));
});

test.each(["cpu", "unknown"])("%s: a variable that was cast from integers", async (name) => {
  await tf.setBackend("cpu");
  for (const dtype of ["int32", "bool"] as const)
    tf.tidy(() => tf.variable(tf.cast(tf.tensor([1, 0], [2], dtype), "float32"), true, dtype));
  await tf.setBackend(name);
  const optimizer = sgd({ learningRate: 0.25 });
  const { int32, bool } = tf.engine().registeredVariables;
  const gradient = tf.tidy(() => tf.cast(tf.tensor([1, -2], [2], "int32"), "float32"));
  for (const expected of [
    [0.75, 0.5],
    [0.5, 1],
  ]) {
    optimizer.applyGradients({ int32: gradient, bool: gradient });
    expect([...int32.dataSync()]).toEqual(expected);
    expect([...bool.dataSync()]).toEqual(expected);
  }
  gradient.dispose();
});

test("cpu: a slice of a variable that came from another backend keeps the old values", async () => {
  const optimizer = sgd({ learningRate: 1 });
  await tf.setBackend("wasm");
  const v = variable([1, 2, 3], [3], "v");
  await tf.setBackend("cpu");
  const slice = tf.slice(v, [0], [2]);
  for (const expected of [
    [0, 1, 2],
    [-1, 0, 1],
  ]) {
    optimizer.applyGradients({ v: tf.ones([3]) });
    expect([...v.dataSync()]).toEqual(expected);
    expect([...slice.dataSync()]).toEqual([1, 2]);
  }
});

test("variables and gradients on other backends than the current one", async () => {
  await tf.setBackend("cpu");
  const a = variable([1, 2], [2], "a");
  const onCpu = tf.tensor([1, 1]);
  await tf.setBackend("wasm");
  const b = variable([1, 2], [2], "b");
  const shared = b.clone();
  const onWasm = tf.tensor([2, 2]);
  const optimizer = sgd({ learningRate: 1 });
  optimizer.applyGradients({ a: onWasm, b: onCpu });
  await tf.setBackend("cpu");
  optimizer.applyGradients({ a: onWasm, b: onCpu });
  expect([...a.dataSync()]).toEqual([-3, -2]);
  expect([...b.dataSync()]).toEqual([-1, 0]);
  expect([...shared.dataSync()]).toEqual([1, 2]);
  tf.dispose([onCpu, onWasm, shared]);
});
