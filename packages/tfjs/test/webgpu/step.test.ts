import "@tensorflow/tfjs-backend-webgpu";
import { adam } from "../../src/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { numbers, tf } from "../support.js";
import { callsOf, ownBuffers, watchCalls } from "./calls.js";
import { describe } from "./describe.js";
import { computed, onGpu, valuesOf } from "./tensors.js";

describe("the calls of a step, webgpu", () => {
  beforeEach(async () => {
    watchCalls();
    await tf.setBackend("webgpu");
    // Small tensors are computed on the GPU as well.
    tf.env().set("WEBGPU_CPU_FORWARD", false);
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test("one dispatch per variable, TF.js's submit and its own; nothing is read back, created or bound", () => {
    const sizes = [64, 1200, 4];
    sizes.forEach((size, i) => onGpu(numbers(size, i), [size], `v${i}`));
    const optimizer = adam();
    const one = (): ReturnType<typeof callsOf> => {
      // In TF.js's order: gradients are computed, used and disposed of.
      const gradients = sizes.map((size, i) => ({
        name: `v${i}`,
        tensor: computed(numbers(size, 1)),
      }));
      const calls = callsOf(() => optimizer.applyGradients(gradients));
      tf.dispose(gradients.map(({ tensor }) => tensor));
      return calls;
    };
    for (let i = 0; i < 3; i += 1) one();
    for (let i = 0; i < 10; i += 1) {
      expect(one()).toEqual({
        createBuffer: 0,
        createBindGroup: 0,
        createComputePipeline: 0,
        dispatchWorkgroups: 3,
        submit: 2,
        // The scalars.
        writeBuffer: 1,
        mapAsync: 0,
      });
    }
    optimizer.dispose();
  });

  test("nothing is leaked in 1,000 steps, 20 saves and a dispose", async () => {
    const v = onGpu(numbers(1200, 1), [30, 40], "v");
    const b = onGpu(numbers(3, 2), [3], "b");
    const gradients = { v: computed(numbers(1200, 3), [30, 40]), b: computed([1, 2, 3]) };
    const used = (): unknown => {
      const { numTensors, numDataBuffers, numBytes, ...rest } = tf.memory();
      return { numTensors, numDataBuffers, numBytes, ...rest };
    };
    const first = adam();
    first.applyGradients(gradients);
    await first.getWeights();
    first.dispose();
    const [memory, buffers] = [used(), ownBuffers()];
    const optimizer = adam();
    optimizer.applyGradients(gradients);
    expect(used()).toEqual(memory);
    const withState = ownBuffers();
    expect(withState).toBeGreaterThan(buffers);
    for (let i = 0; i < 1000; i += 1) optimizer.applyGradients(gradients);
    for (let i = 0; i < 20; i += 1) await optimizer.getWeights();
    expect(used()).toEqual(memory);
    expect(ownBuffers()).toBe(withState);
    optimizer.dispose();
    expect(used()).toEqual(memory);
    expect(ownBuffers()).toBe(buffers);
    expect(await valuesOf(v)).toHaveLength(1200);
    expect(await valuesOf(b)).toHaveLength(3);
    tf.dispose(gradients);
  });

  test("the state of variables that were disposed of is freed by the next step", async () => {
    const optimizer = adam();
    onGpu(numbers(8, 1), [8], "first");
    optimizer.applyGradients({ first: computed(numbers(8, 2)) });
    const buffers = ownBuffers();
    for (let i = 0; i < 5; i += 1) {
      tf.disposeVariables();
      const v = onGpu(numbers(8, i), [8], `later-${i}`);
      optimizer.applyGradients({ [v.name]: computed(numbers(8, 2)) });
    }
    expect(ownBuffers()).toBe(buffers);
    expect(await optimizer.getWeights()).toHaveLength(3);
    optimizer.dispose();
  });
});
