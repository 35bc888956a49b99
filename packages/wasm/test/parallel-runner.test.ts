import { Worker } from "node:worker_threads";
import { createOptimizer, lamb, sgd, variantOf } from "@gradstep/core";
import { afterEach, expect, test, vi } from "vitest";
import { wasm } from "../src/index.js";
import { createHeap } from "../src/memory/growable-heap.js";
import { BatchTable } from "../src/planning/batch-table.js";
import { controlBlock, controlWords } from "../src/threads/control-block.js";
import { RowBlocks } from "../src/planning/row-blocks.js";
import { ParallelRunner } from "../src/threads/parallel-runner.js";
import { threadedKernelModule } from "../src/threads/threaded-kernel-module.js";
import type { ThreadedKernel } from "../src/threads/worker-pool.js";
import type { startWorker } from "../src/threads/worker.js";

afterEach(() => {
  vi.restoreAllMocks();
});

const variant = variantOf(sgd());

test.each([
  [1000, 1000, true],
  [1000, 999, false],
  [0, 1, true],
])(
  "with a parallelThreshold of %i, a step of %i elements runs on all threads: %s",
  async (parallelThreshold, size, isParallel) => {
    const backend = wasm({ threads: 2, parallelThreshold });
    await backend.ready();
    const w = backend.tensor([size]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const notify = vi.spyOn(Atomics, "notify");
    optimizer.step({ w: new Float32Array(size).fill(1) });
    expect(notify).toHaveBeenCalledTimes(isParallel ? 1 : 0);
    expect((await w.read())[size - 1]).toBe(-1);
    backend.dispose();
  },
);

test.each([
  [65_536, 5],
  [65_535, 0],
])(
  "by default, %i elements are tried on all threads: %i steps of the first ten",
  async (size, tries) => {
    const backend = wasm({ threads: 2 });
    await backend.ready();
    const w = backend.tensor([size]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const gradients = { w: optimizer.gradient("w") };
    gradients.w.view().fill(1);
    const notify = vi.spyOn(Atomics, "notify");
    // One clock tick per call: no trial ends early.
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += 1));
    for (let i = 0; i < 10; i += 1) optimizer.step(gradients);
    expect(notify).toHaveBeenCalledTimes(tries);
    expect((await w.read())[size - 1]).toBe(-10);
    backend.dispose();
  },
);

test("with a mask, a pass that reduces runs on one thread: two ranges can share a block of a sum", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0 });
  await backend.ready();
  const w = backend.tensor([64, 32], new Float32Array(2048).fill(1));
  const optimizer = createOptimizer(lamb(), { w });
  const notify = vi.spyOn(Atomics, "notify");
  const wakesOf = (rows?: Uint32Array): number => {
    notify.mockClear();
    optimizer.step({ w: new Float32Array(2048).fill(1) }, { rows });
    return notify.mock.calls.length;
  };
  // The pass that finds the norms, and the one that updates the elements.
  expect(wakesOf()).toBe(2);
  expect(wakesOf(Uint32Array.from({ length: 64 }, (_, i) => i % 3))).toBe(1);
  backend.dispose();
});

test("without workers, batches run on the calling thread alone", () => {
  const heap = createHeap(2 ** 20, { shared: true });
  const start: typeof startWorker = (_data, _url, onLost) => {
    onLost("blocked");
    return { terminate: () => {} };
  };
  const batch = new BatchTable(heap);
  const options = { threads: 2, parallelThreshold: 0, start };
  const runner = new ParallelRunner(heap, batch, options);
  const runBatch = runner.compile(variant, new RowBlocks(heap, batch));
  const notify = vi.spyOn(Atomics, "notify");
  batch.fill(variant, [], 0);
  runBatch();
  expect(notify).not.toHaveBeenCalled();
  expect(runner.diagnostics).toEqual([expect.stringContaining("blocked")]);
  runner.dispose();
});

test("the thread that finishes the last chunk wakes the one that waits for it", async () => {
  const heap = createHeap(2 ** 20, { shared: true });
  const control = heap.allocate(controlBlock.byteLength);
  const { memory } = heap;
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(threadedKernelModule(variant)),
    { gradstep: { memory } },
  );
  const { publishChunks, claimChunks } = exports as unknown as ThreadedKernel;
  const words = new Int32Array(memory.buffer, control, controlWords.length);
  // One chunk of no elements.
  const table = heap.allocate(12);
  const entry = heap.allocate(64);
  new Int32Array(memory.buffer, table, 3).set([entry, 0, 0]);
  words[controlWords.chunksEnd] = table + 12;
  const script = `
    const { parentPort, workerData: { buffer, control, index } } = require("node:worker_threads");
    const words = new Int32Array(buffer, control);
    parentPort.on("message", () => {
      parentPort.postMessage("waiting");
      parentPort.postMessage(Atomics.wait(words, index, 1, 20000));
    });`;
  const workerData = { buffer: memory.buffer, control, index: controlWords.pending };
  const worker = new Worker(script, { eval: true, workerData });
  const message = (): Promise<string> => new Promise((resolve) => worker.once("message", resolve));
  let result: string;
  do {
    publishChunks(control, 4096, 1);
    const waiting = message();
    worker.postMessage("wait");
    await waiting;
    const woken = message();
    await new Promise((resolve) => setTimeout(resolve, 20));
    claimChunks(control, 4096);
    result = await woken;
    // Not yet asleep when the chunk was finished: once more.
  } while (result === "not-equal");
  expect(result).toBe("ok");
  expect(words[controlWords.pending]).toBe(0);
  await worker.terminate();
});
