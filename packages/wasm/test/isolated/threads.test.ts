import { adam, createOptimizer } from "@gradstep/core";
import { expect, test, vi } from "vitest";
import { wasm, workerScript } from "../../src/index.js";
import { WorkerPool } from "../../src/threads/worker-pool.js";
import { createHeap } from "../../src/memory/growable-heap.js";
import { controlWords } from "../../src/threads/control-block.js";

async function train(threads: number): Promise<Float32Array> {
  const backend = wasm({ threads, parallelThreshold: 0 });
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
  const size = 400_003;
  const w = backend.tensor(
    [size],
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
  );
  const optimizer = createOptimizer(adam(), { w });
  for (let t = 0; t < 30; t += 1) {
    optimizer.step({ w: Float32Array.from({ length: size }, (_, i) => Math.cos(i + t)) });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const values = await w.read();
  backend.dispose();
  return values;
}

test("the page is cross-origin isolated, and threads give the bits of one", async () => {
  expect(crossOriginIsolated).toBe(true);
  const one = await train(1);
  for (const threads of [2, 3]) {
    const several = await train(threads);
    expect(several.findIndex((value, i) => value !== one[i])).toBe(-1);
  }
});

/** Whether a worker of a pool comes. */
async function arrives(workerUrl?: string): Promise<boolean> {
  const heap = createHeap(true, 2 ** 20);
  const pool = new WorkerPool(heap, { threads: 2, workerUrl });
  const cells = new Int32Array(heap.memory.buffer);
  await vi.waitUntil(
    () => cells.subarray(16 + controlWords.started).includes(1) || pool.workers === 0,
  );
  const hasCome = pool.workers === 1;
  pool.dispose();
  return hasCome;
}

test("workers come from a blob, and from an address", async () => {
  expect(await arrives()).toBe(true);
  const url = `data:text/javascript,${encodeURIComponent(workerScript())}`;
  expect(await arrives(url)).toBe(true);
});

test("a worker whose script is not there is a diagnostic", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0, workerUrl: "/nowhere/worker.js" });
  await backend.ready();
  await vi.waitUntil(() => backend.diagnostics.length === 1);
  expect(backend.diagnostics[0]).toContain("did not start");
  const w = backend.tensor([3]);
  createOptimizer(adam(), { w }).step({ w: new Float32Array(3).fill(1) });
  expect((await w.read())[2]).toBeCloseTo(-1e-3);
});
