import { adam, createOptimizer, GradstepError, sgd } from "@gradstep/core";
import { afterEach, expect, test, vi } from "vitest";
import { wasm, type WasmTensor } from "../src/index.js";
import { chunkSize } from "../src/threads/chunk-table.js";

afterEach(() => {
  vi.restoreAllMocks();
});

const size = 2 * chunkSize;
const gradient = (): Float32Array => new Float32Array(size).fill(1);

test("a kernel that was compiled before the threads were ready runs on them afterwards", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0 });
  const w = backend.tensor([size]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  const gradients = { w: optimizer.gradient("w") };
  gradients.w.write(gradient());
  const notify = vi.spyOn(Atomics, "notify");
  for (let i = 0; i < 3; i += 1) optimizer.step(gradients);
  expect(notify).not.toHaveBeenCalled();
  expect(backend.diagnostics).toEqual([expect.stringContaining("await backend.ready()")]);
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
  for (let i = 0; i < 2; i += 1) optimizer.step(gradients);
  expect(notify).toHaveBeenCalledTimes(2);
  const values = await w.read();
  expect([values[0], values[chunkSize - 1], values[size - 1]]).toEqual([-5, -5, -5]);
  backend.dispose();
});

test("one thread is ready at once, and says nothing", async () => {
  const backend = wasm();
  expect(backend.diagnostics).toEqual([]);
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
});

test("a backend that is disposed of before its threads are loaded starts none", async () => {
  const { WorkerPool } = await import("../src/threads/worker-pool.js");
  const dispose = vi.spyOn(WorkerPool.prototype, "dispose");
  const backend = wasm({ threads: 2 });
  const { byteLength } = backend.memory.buffer;
  backend.dispose();
  await backend.ready();
  expect(backend.memory.buffer.byteLength).toBe(byteLength);
  expect(dispose).not.toHaveBeenCalled();
  expect(backend.diagnostics).toEqual([]);
});

test("a worker that is lost between steps is an error of the next one, which changes nothing", async () => {
  const { ParallelRunner } = await import("../src/threads/parallel-runner.js");
  const backend = wasm({ threads: 2 });
  await backend.ready();
  const w = backend.tensor([10]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  const gradients = { w: optimizer.gradient("w") };
  gradients.w.view().fill(1);
  const lost = vi.spyOn(ParallelRunner.prototype, "throwPendingError");
  // The first step runs the batch, later ones repeat it.
  for (let steps = 0; steps < 3; steps += 1) {
    lost.mockImplementationOnce(() => {
      throw new GradstepError("lost", { code: "WORKER_LOST" });
    });
    expect(() => optimizer.step(gradients)).toThrow(
      expect.objectContaining({ code: "WORKER_LOST" }),
    );
    expect([optimizer.iterations, w.view()[9]]).toEqual([steps, 0 - steps]);
    optimizer.step(gradients);
    expect([optimizer.iterations, w.view()[9]]).toEqual([steps + 1, -steps - 1]);
  }
  backend.dispose();
});

test("dispose ends the workers", async () => {
  const { WorkerPool } = await import("../src/threads/worker-pool.js");
  const dispose = vi.spyOn(WorkerPool.prototype, "dispose");
  const backend = wasm({ threads: 2 });
  await backend.ready();
  expect(dispose).not.toHaveBeenCalled();
  backend.dispose();
  expect(dispose).toHaveBeenCalledTimes(1);
});

test("threads whose kernels cannot be compiled are ended, and steps run on one thread", async () => {
  const { WorkerPool } = await import("../src/threads/worker-pool.js");
  const { ParallelRunner } = await import("../src/threads/parallel-runner.js");
  const dispose = vi.spyOn(WorkerPool.prototype, "dispose");
  vi.spyOn(ParallelRunner.prototype, "compile").mockImplementation(() => {
    throw new Error("refused");
  });
  const backend = wasm({ threads: 2, parallelThreshold: 0 });
  const w = backend.tensor([10]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  await backend.ready();
  expect(backend.diagnostics).toEqual(["One thread instead of 2: Error: refused"]);
  expect(dispose).toHaveBeenCalledTimes(1);
  optimizer.step({ w: new Float32Array(10).fill(1) });
  expect((await w.read())[9]).toBe(-1);
  backend.dispose();
});

test("threads for which there is no memory are a diagnostic, and steps run on one thread", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0, memoryLimit: 2 ** 20 });
  const w = backend.tensor([10]);
  const optimizer = createOptimizer(adam({ learningRate: 1 }), { w });
  const gradients = { w: optimizer.gradient("w") };
  gradients.w.view().fill(1);
  optimizer.step(gradients);
  for (let length = 2 ** 18; length >= 1; length >>= 1) {
    try {
      for (;;) backend.tensor([length]);
    } catch {
      // Full, for this length.
    }
  }
  await backend.ready();
  expect(backend.diagnostics).toEqual([
    expect.stringMatching(/^One thread instead of 2: .*No room for/),
  ]);
  optimizer.step(gradients);
  expect((await w.read())[9]).toBeCloseTo(-2);
  backend.dispose();
});

test("the first step after loading, for which there is no memory, changes nothing", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0, memoryLimit: 2 ** 21 });
  const w = backend.tensor([size]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  const gradients = { w: optimizer.gradient("w") };
  gradients.w.write(gradient());
  for (let i = 0; i < 2; i += 1) optimizer.step(gradients);
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
  const tensors: WasmTensor[] = [];
  for (let length = 2 ** 18; length >= 1; length >>= 1) {
    try {
      for (;;) tensors.push(backend.tensor([length]));
    } catch {
      // Full, for this length.
    }
  }
  expect(() => optimizer.step(gradients)).toThrow(
    expect.objectContaining({ code: "OUT_OF_MEMORY" }),
  );
  expect(optimizer.iterations).toBe(2);
  expect((await w.read())[0]).toBe(-2);
  for (const tensor of tensors) tensor.free();
  optimizer.step(gradients);
  expect(optimizer.iterations).toBe(3);
  expect((await w.read())[0]).toBe(-3);
  backend.dispose();
});
