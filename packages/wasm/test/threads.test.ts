import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { adam, createOptimizer, GradstepError, type Kernel, type Update } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { expect, test, vi } from "vitest";
import { cases, sampled } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { BatchTable } from "../src/planning/batch-table.js";
import { chunkSize, ChunkTable } from "../src/threads/chunk-table.js";
import {
  WorkerPool,
  type ThreadedKernel,
  type WorkerPoolOptions,
} from "../src/threads/worker-pool.js";
import { createHeap } from "../src/memory/growable-heap.js";
import { wasm, type Wasm, type WasmOptions } from "../src/index.js";
import { controlBlock, controlWords } from "../src/threads/control-block.js";
import { threadedKernelModule } from "../src/threads/threaded-kernel-module.js";
import type { startWorker } from "../src/threads/worker.js";
import { WasmTensor } from "../src/memory/wasm-tensor.js";
import { firstDifference, run } from "./bits.js";

const variants = rules.flatMap((rule) => rule.variants());
const [variant] = variants.filter(({ rule }) => rule === "adam");

/** Numbers that differ between arrays. */
function numbers(length: number, salt: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 1.7 + salt)));
}

/** A backend whose threads are ready. */
async function ready(options: WasmOptions): Promise<Wasm> {
  const backend = wasm(options);
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
  return backend;
}

test("1, 2 and 3 threads give the same bits for every variant of every rule", async () => {
  const backends = await Promise.all(
    [1, 2, 3].map((threads) => ready({ threads, parallelThreshold: 0 })),
  );
  const length = 3 * chunkSize + 1;
  const most = Math.max(...variants.map(({ slots }) => slots.length));
  const all = Array.from({ length: 2 + most }, (_, salt) => numbers(length, salt));
  const scalars = (count: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => 0.9 / (i + 1));
  for (const one of sampled(variants, 8)) {
    const given = {
      variant: one,
      arrays: all.slice(0, 2 + one.slots.length),
      scalars: scalars(one.scalars.length),
    };
    const [expected, ...others] = await Promise.all(backends.map((backend) => run(backend, given)));
    for (const got of others)
      got.forEach((array, i) =>
        expect([one.label, firstDifference(array, expected[i])]).toEqual([one.label, -1]),
      );
  }
  for (const backend of backends) backend.dispose();
});

test("an optimizer gives the same bits with threads over many steps and tensors of all sizes", async () => {
  const sizes = { a: 1, b: 10, c: 16_384, d: 16_385, e: 300_000, f: 7 };
  const gradients = [0, 1, 2].map((salt) =>
    Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, numbers(size, salt)])),
  );
  const results = await Promise.all(
    [1, 2, 3].map(async (threads) => {
      const backend = await ready({ threads });
      const parameters = Object.fromEntries(
        Object.entries(sizes).map(([name, size]) => [
          name,
          backend.tensor([size], numbers(size, 1)),
        ]),
      );
      const optimizer = createOptimizer(adam({ weightDecay: 0.1 }), parameters);
      for (let i = 0; i < 100; i += 1) {
        const { c, ...others } = gradients[i % 3];
        optimizer.step(i % 7 === 3 ? others : { ...others, c });
      }
      const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
      backend.dispose();
      return values;
    }),
  );
  for (const got of results.slice(1))
    got.forEach((array, i) => expect(firstDifference(array, results[0][i])).toBe(-1));
});

/** A worker pool and a batch of one tensor, run without the tuner. */
function poolOf(
  options: WorkerPoolOptions,
  size = 200_000,
  heap = createHeap(2 ** 26, { shared: true }),
) {
  const pool = new WorkerPool(heap, options);
  const bytes = threadedKernelModule(variant);
  const address = heap.allocate(bytes.length + 4);
  const { buffer } = heap.memory;
  new Int32Array(buffer, address, 1)[0] = bytes.length;
  new Uint8Array(buffer, address + 4).set(bytes);
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { gradstep: { memory: heap.memory } });
  const kernel = { address, ...exports } as unknown as Parameters<WorkerPool["run"]>[0];
  const context = { backend: wasm(), heap, isShared: true, onRelocate: () => {} };
  const tensor = (): WasmTensor => new WasmTensor(context, [size]).allocate();
  const [parameter, gradient, m, v] = [tensor(), tensor(), tensor(), tensor()];
  gradient.view().fill(1);
  const scalars = Float64Array.from(variant.scalars, () => 0.5);
  const update: Update = {
    parameter,
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient,
    mask: undefined,
    unselectedRows: "keep",
    slots: [m, v],
    scalars,
  };
  const batch = new BatchTable(heap);
  const chunks = new ChunkTable(heap, batch);
  const step = (): void => {
    batch.fill(variant, [update], 1);
    chunks.divide();
    pool.run(kernel, chunks);
  };
  return { pool, heap, step, parameter, m };
}

test("every chunk is updated exactly once", async () => {
  const { pool, step, m } = poolOf({ threads: 3 });
  await vi.waitUntil(() => pool.workers === 2);
  for (let i = 1; i <= cases(3000, 100); i += 1) {
    m.view().fill(i);
    step();
    // m + (g − m)·0.5
    expect(m.view().every((value) => value === i + (1 - i) * 0.5)).toBe(true);
  }
  pool.dispose();
});

test("a step is complete without workers that never come", () => {
  const start: typeof startWorker = () => ({ terminate: () => {} });
  const { step, m } = poolOf({ threads: 4, start });
  step();
  expect(m.view().every((value) => value === 0.5)).toBe(true);
});

test("a worker that does not start is a diagnostic, and steps are complete", () => {
  const start: typeof startWorker = (_data, _url, onLost) => {
    onLost("blocked");
    return { terminate: () => {} };
  };
  const { pool, step, m } = poolOf({ threads: 2, start });
  pool.throwPendingError();
  expect(pool.diagnostics).toEqual([expect.stringContaining("blocked")]);
  expect(pool.workers).toBe(0);
  step();
  expect(m.view()[199_999]).toBe(0.5);
});

test("a worker that ends between steps: the next step reports it once and changes nothing", () => {
  let lose: (reason: string) => void = () => {};
  let words: Int32Array | undefined;
  const start: typeof startWorker = ({ memory, control, index }, _url, onLost) => {
    words = new Int32Array(memory.buffer, control, 64);
    words[controlWords.started + index] = 1;
    lose = onLost;
    return { terminate: () => {} };
  };
  const { pool, step, m } = poolOf({ threads: 2, start });
  step();
  lose("killed");
  expect(() => pool.throwPendingError()).toThrow(
    expect.objectContaining({
      code: "WORKER_LOST",
      message: expect.stringContaining("All earlier steps are complete"),
    }),
  );
  pool.throwPendingError();
  expect(pool.workers).toBe(0);
  step();
  expect(m.view()[0]).toBe(0.75);
});

test("a worker that ends during its chunk: the step reports that it is incomplete", () => {
  let claim = (): void => {};
  const start: typeof startWorker = ({ memory, control }) => {
    // Claims a chunk as a worker does, while the caller runs the batch, and never finishes it.
    const cells = new Int32Array(memory.buffer, control, 64);
    claim = () => Atomics.sub(cells, controlWords.unclaimed, 1);
    return { terminate: () => {} };
  };
  const { pool, step } = poolOf({ threads: 2, start, timeoutMs: 50 });
  const { notify } = Atomics;
  const spy = vi.spyOn(Atomics, "notify").mockImplementation((...args) => {
    claim();
    return notify(...args);
  });
  expect(step).toThrow(
    expect.objectContaining({
      code: "WORKER_LOST",
      message: expect.stringContaining("The step is incomplete"),
    }),
  );
  spy.mockRestore();
  expect(pool.workers).toBe(0);
  expect(pool.diagnostics.length).toBe(1);
});

test("slow workers are waited for while they make progress", () => {
  let words = new Int32Array(0);
  const start: typeof startWorker = ({ memory, control }) => {
    words = new Int32Array(memory.buffer, control, 64);
    return { terminate: () => {} };
  };
  const { step } = poolOf({ threads: 2, start, timeoutMs: 1000 });
  // The worker claims three chunks, and finishes one per 900 ms.
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  vi.spyOn(Atomics, "notify").mockImplementation(() => {
    Atomics.sub(words, controlWords.unclaimed, 3);
    return 1;
  });
  const wait = vi.spyOn(Atomics, "wait").mockImplementation(() => {
    now += 900;
    Atomics.sub(words, controlWords.pending, 1);
    return "not-equal";
  });
  step();
  expect(wait).toHaveBeenCalledTimes(3);
  vi.restoreAllMocks();
});

test("dispose terminates all workers, whose ends are no errors", () => {
  const terminated: number[] = [];
  const start: typeof startWorker = ({ index }, _url, onLost) => ({
    terminate() {
      terminated.push(index);
      onLost("it exited with code 1");
    },
  });
  const { pool } = poolOf({ threads: 4, start });
  expect(pool.workers).toBe(3);
  pool.dispose();
  expect(terminated).toEqual([0, 1, 2]);
  expect(pool.workers).toBe(0);
  pool.throwPendingError();
  expect(pool.diagnostics).toEqual([]);
});

test("the control block may be in memory that was used before", () => {
  const heap = createHeap(2 ** 26, { shared: true });
  const address = heap.allocate(2 ** 16);
  new Uint8Array(heap.memory.buffer, address, 2 ** 16).fill(1);
  heap.free(address);
  const start: typeof startWorker = (_data, _url, onLost) => {
    onLost("blocked");
    return { terminate: () => {} };
  };
  const { pool } = poolOf({ threads: 2, start }, 1, heap);
  pool.throwPendingError();
  expect(pool.diagnostics.length).toBe(1);
});

test("a thread that is late, for another kernel, claims nothing", () => {
  const heap = createHeap(2 ** 20, { shared: true });
  const control = heap.allocate(controlBlock.byteLength);
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(threadedKernelModule(variant)),
    { gradstep: { memory: heap.memory } },
  );
  const { publishChunks, claimChunks } = exports as unknown as ThreadedKernel;
  const words = new Int32Array(heap.memory.buffer, control, controlWords.length);
  publishChunks(control, 4096, 3);
  claimChunks(control, 8192);
  expect(words[controlWords.unclaimed]).toBe(3);
  expect(words[controlWords.kernel]).toBe(4096);
  expect(words[controlWords.pending]).toBe(3);
});

test("a terminated worker is noticed", async () => {
  const workers: { terminate(): unknown }[] = [];
  let words = new Int32Array(0);
  const { startWorker: real } = await import("../src/threads/worker.js");
  const start: typeof startWorker = (...args) => {
    const [{ memory, control }] = args;
    words = new Int32Array(memory.buffer, control, controlWords.length);
    const worker = real(...args);
    workers.push(worker);
    return worker;
  };
  const { pool, step } = poolOf({ threads: 2, start });
  // One that ends before it has started would be a diagnostic.
  await vi.waitUntil(() => Atomics.load(words, controlWords.started) === 1, { timeout: 60_000 });
  for (let i = 0; i < 20; i += 1) step();
  void workers[0].terminate();
  await vi.waitUntil(() => pool.workers === 0, { timeout: 60_000 });
  expect(() => pool.throwPendingError()).toThrow(GradstepError);
  step();
});

slowTest("a live backend does not keep a process alive", async () => {
  const script = fileURLToPath(new URL("exits-by-itself.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
  expect(stdout.trim()).toBe("0.999 []");
});

test("without cross-origin isolation: one thread, and one diagnostic", async () => {
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("crossOriginIsolated", false);
  const backend = wasm({ threads: 4 });
  vi.unstubAllGlobals();
  expect(backend.diagnostics).toEqual([expect.stringContaining("cross-origin isolated")]);
  const w = backend.tensor([300_000]);
  const optimizer = createOptimizer(adam(), { w });
  optimizer.step({ w: new Float32Array(300_000).fill(1) });
  expect((await w.read())[299_999]).toBeCloseTo(-1e-3);
});

test("view() after growth of shared memory is a view of its current buffer", async () => {
  const backend = await ready({ threads: 2 });
  const w = backend.tensor([3], [1, 2, 3]);
  const before = w.view();
  expect(w.view()).toBe(before);
  backend.tensor([1_000_000]);
  expect(before.buffer).not.toBe(backend.memory.buffer);
  expect(w.view().buffer).toBe(backend.memory.buffer);
  expect(w.view()).toBe(w.view());
  expect([...backend.wrap(w.view(), { offset: 1 }).view()]).toEqual([2, 3]);
  const optimizer = createOptimizer(adam(), { w });
  expect(() => optimizer.step({ w: w.view() })).toThrow(
    expect.objectContaining({ code: "OVERLAPPING_MEMORY" }),
  );
  backend.dispose();
});

test("a repeated step needs no more memory, on one thread and on several", async () => {
  const backend = await ready({ threads: 2, memoryLimit: 2 ** 24 });
  const w = backend.tensor([300_000]);
  const optimizer = createOptimizer(adam(), { w });
  const gradients = { w: optimizer.gradient("w") };
  optimizer.step(gradients);
  const fill = (size: number): void => {
    for (;;) backend.tensor([size]);
  };
  for (let size = 2 ** 20; size >= 1; size >>= 1)
    expect(() => fill(size)).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  for (let i = 0; i < 40; i += 1) optimizer.step(gradients);
  expect(optimizer.iterations).toBe(41);
  backend.dispose();
});

test("compile returns the same kernel for the same variant", () => {
  const backend = wasm({ threads: 2 });
  const kernel: Kernel = backend.compile(variant);
  expect(backend.compile(variant)).toBe(kernel);
  backend.dispose();
});
