import { adam, createOptimizer } from "@gradstep/core";
import { expect, test, vi } from "vitest";
import { wasm, workerScript } from "../../src/index.js";
import { WorkerPool } from "../../src/threads/worker-pool.js";
import { createHeap } from "../../src/memory/growable-heap.js";
import { controlBlock } from "../../src/threads/control-block.js";

async function train(threads: number): Promise<Float32Array> {
  const backend = wasm({ threads, parallelThreshold: 0 });
  await backend.ready();
  expect(backend.diagnostics).toEqual([]);
  const size = 100_003;
  const w = backend.tensor(
    [size],
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
  );
  const optimizer = createOptimizer(adam(), { w });
  for (let t = 0; t < 10; t += 1) {
    optimizer.step({ w: Float32Array.from({ length: size }, (_, i) => Math.cos(i + t)) });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const values = await w.read();
  backend.dispose();
  return values;
}

test("in an isolated page, threads give the bits of one thread", async () => {
  expect(crossOriginIsolated).toBe(true);
  const one = await train(1);
  for (const threads of [2, 3]) {
    const several = await train(threads);
    expect(several.findIndex((value, i) => value !== one[i])).toBe(-1);
  }
});

/** Whether the worker of a pool starts. */
async function starts(workerUrl?: string): Promise<boolean> {
  const heap = createHeap(2 ** 20, { shared: true });
  const allocate = vi.spyOn(heap, "allocate");
  const pool = new WorkerPool(heap, { threads: 2, workerUrl });
  const control = allocate.mock.results[0].value as number;
  const started = new Int32Array(heap.memory.buffer, control + controlBlock.started, 1);
  await vi.waitUntil(() => started[0] === 1 || pool.workers === 0, { timeout: 60_000 });
  pool.dispose();
  return started[0] === 1;
}

test("workers start from a blob and from a URL", async () => {
  expect(await starts()).toBe(true);
  const url = `data:text/javascript,${encodeURIComponent(workerScript())}`;
  expect(await starts(url)).toBe(true);
});

test("blob URLs are revoked: after the worker has loaded, and when the pool is disposed of before", async () => {
  const created = vi.spyOn(URL, "createObjectURL");
  const revoked = vi.spyOn(URL, "revokeObjectURL");
  expect(await starts()).toBe(true);
  expect(created).toHaveBeenCalledTimes(1);
  await vi.waitUntil(() => revoked.mock.calls.length === 1, { timeout: 60_000 });
  for (let i = 0; i < 10; i += 1)
    new WorkerPool(createHeap(2 ** 20, { shared: true }), { threads: 3 }).dispose();
  expect(created).toHaveBeenCalledTimes(21);
  expect(revoked.mock.calls.flat()).toEqual(created.mock.results.map(({ value }) => value));
});

test("a worker whose script does not load is a diagnostic", async () => {
  const backend = wasm({ threads: 2, parallelThreshold: 0, workerUrl: "/nowhere/worker.js" });
  await backend.ready();
  await vi.waitUntil(() => backend.diagnostics.length === 1, { timeout: 60_000 });
  expect(backend.diagnostics[0]).toContain("did not start");
  const w = backend.tensor([3]);
  createOptimizer(adam(), { w }).step({ w: new Float32Array(3).fill(1) });
  expect((await w.read())[2]).toBeCloseTo(-1e-3);
});
