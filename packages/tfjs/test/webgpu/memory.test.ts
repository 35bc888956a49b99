import "@tensorflow/tfjs-backend-webgpu";
import { sgd } from "../../src/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tf, variable } from "../support.js";
import { describe } from "./describe.js";
import { bufferOf, computed, onGpu, valuesOf } from "./tensors.js";

/** One step of gradient descent with a rate of 1: v − g. */
function step(v: tf.Variable, values: ArrayLike<number>): void {
  const optimizer = sgd({ learningRate: 1 });
  const gradient = computed(values, v.shape);
  optimizer.applyGradients({ [v.name]: gradient });
  gradient.dispose();
  optimizer.dispose();
}

describe("memory, webgpu", () => {
  beforeEach(async () => {
    await tf.setBackend("webgpu");
    // Small tensors are computed on the GPU as well.
    tf.env().set("WEBGPU_CPU_FORWARD", false);
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test("a variable whose storage is not shared is updated in place", async () => {
    const v = onGpu([1, 2, 3], [3]);
    const buffer = bufferOf(v);
    expect(buffer).toBeInstanceOf(GPUBuffer);
    step(v, [0.5, 0.5, 0.5]);
    step(v, [0.5, 0.5, 0.5]);
    expect(bufferOf(v)).toBe(buffer);
    expect(await valuesOf(v)).toEqual([0, 1, 2]);
  });

  test("a variable and a gradient that were never on the GPU", async () => {
    const v = variable([1, 2, 3], [3], "v");
    const optimizer = sgd({ learningRate: 1 });
    optimizer.applyGradients({ v: tf.tensor([1, 1, 1]) });
    expect(bufferOf(v)).toBeInstanceOf(GPUBuffer);
    expect(await valuesOf(v)).toEqual([0, 1, 2]);
    optimizer.dispose();
  });

  const sharers: [string, (v: tf.Variable) => tf.Tensor][] = [
    ["clone", (v) => v.clone()],
    ["reshape", (v) => tf.reshape(v, [4])],
    ["slice", (v) => tf.slice(v, [0, 0], [1, 2])],
    ["slice of everything", (v) => tf.slice(v, [0, 0], [2, 2])],
    ["another variable", (v) => tf.variable(v)],
  ];
  test.each(sharers)("%s keeps the old values", async (_, share) => {
    for (const v of [onGpu([1, 2, 3, 4], [2, 2]), variable([1, 2, 3, 4], [2, 2])]) {
      const other = share(v);
      const before = tf.memory();
      step(v, [1, 1, 1, 1]);
      expect(tf.memory().numTensors).toBe(before.numTensors);
      expect((await valuesOf(other)).slice(0, 2)).toEqual([1, 2]);
      expect(await valuesOf(v)).toEqual([0, 1, 2, 3]);
      other.dispose();
    }
  });

  test("a caller-owned buffer keeps the old values", async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    const buffer = device.createBuffer({ size: 8, usage: 0x80 | 0x4 | 0x8 });
    device.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2));
    const data = { buffer, zeroCopy: true };
    const v = tf.tidy(() => tf.variable(tf.tensor(data as never, [2], "float32")));
    step(v, [1, 1]);
    expect(bufferOf(v)).not.toBe(buffer);
    expect(await valuesOf(v)).toEqual([0, 1]);
    v.dispose();
    buffer.destroy();
  });

  test("values that were read before a step are dropped, also those of a pending read", async () => {
    const v = onGpu([1, 2], [2]);
    const first = await v.data();
    step(v, [1, 1]);
    expect([...first]).toEqual([1, 2]);
    const second = v.data();
    const again = v.data();
    step(v, [1, 1]);
    expect([...(await second)]).toEqual([0, 1]);
    expect([...(await again)]).toEqual([0, 1]);
    expect(await valuesOf(v)).toEqual([-1, 0]);
    // TF.js caches what it read.
    expect(await v.data()).toBe(await v.data());
  });

  test("an array that came in through tf.tensor, and what was read of it, keep their values", async () => {
    const array = Float32Array.of(1, 2);
    const v = tf.tidy(() => tf.variable(tf.tensor(array), true, "v"));
    const seen = v.dataSync();
    step(v, [1, 1]);
    step(v, [1, 1]);
    expect([[...array], [...seen]]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await valuesOf(v)).toEqual([-1, 0]);
  });

  test("variables that are each other's gradients, and one gradient for two variables", async () => {
    const a = onGpu([1, 2], [2], "a");
    const b = onGpu([10, 20], [2], "b");
    const optimizer = sgd({ learningRate: 1 });
    optimizer.applyGradients({ a: b, b: a });
    expect(await valuesOf(a)).toEqual([-9, -18]);
    expect(await valuesOf(b)).toEqual([9, 18]);
    const one = computed([1, 1]);
    optimizer.applyGradients({ a: one, b: one });
    expect(await valuesOf(a)).toEqual([-10, -19]);
    expect(await valuesOf(b)).toEqual([8, 17]);
    optimizer.dispose();
  });

  test("inPlace: false allocates new memory in each step", async () => {
    const v = onGpu([1, 2], [2], "v");
    const buffer = bufferOf(v);
    const optimizer = sgd({ learningRate: 1 }, { inPlace: false });
    optimizer.applyGradients({ v: computed([1, 1]) });
    expect(bufferOf(v)).not.toBe(buffer);
    expect(await valuesOf(v)).toEqual([0, 1]);
  });
});
