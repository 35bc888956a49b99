import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { adam, createOptimizer, GradstepError, type Kernel, type Update } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { expect, test, vi } from "vitest";
import { Batch } from "../src/batch/batch-table.js";
import { Chunks } from "../src/threads/chunk-table.js";
import { Crew } from "../src/threads/worker-pool.js";
import { createArena } from "../src/memory/growable-heap.js";
import { kernelModule, wasm } from "../src/index.js";
import { words, type startWorker } from "../src/threads/worker.js";
import { WasmTensor } from "../src/memory/wasm-tensor.js";
import { firstDifference, run } from "./bits.js";

const variants = rules.flatMap((rule) => rule.variants());
const [variant] = variants.filter(({ rule }) => rule === "adam");

/** Some numbers, of which no two arrays have the same. */
function numbers(length: number, salt: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 1.7 + salt)));
}

test("1, 2 and 3 threads give the same bits, for every built-in rule", async () => {
  const backends = [1, 2, 3].map((threads) => wasm({ threads }));
  const length = 300_001;
  const all = [0, 1, 2, 3, 4].map((salt) => numbers(length, salt));
  const scalars = (count: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => 0.9 / (i + 1));
  for (const one of variants) {
    const given = {
      variant: one,
      arrays: all.slice(0, 2 + one.slots.length),
      scalars: scalars(one.scalars.length),
    };
    // The first five batches of a kernel go to one thread, to be compared with.
    for (let i = 0; i < 6; i += 1)
      for (const backend of backends.slice(1)) await run(backend, given);
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
  const results = await Promise.all(
    [1, 2, 3].map(async (threads) => {
      const backend = wasm({ threads });
      const parameters = Object.fromEntries(
        Object.entries(sizes).map(([name, size]) => [
          name,
          backend.tensor([size], numbers(size, 1)),
        ]),
      );
      const optimizer = createOptimizer(adam({ weightDecay: 0.1 }), parameters);
      for (let i = 0; i < 100; i += 1) {
        const left = i % 7 === 3 ? "c" : "";
        optimizer.step(
          Object.fromEntries(
            Object.entries(sizes)
              .filter(([name]) => name !== left)
              .map(([name, size]) => [name, numbers(size, i % 3)]),
          ),
        );
      }
      const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
      backend.dispose();
      return values;
    }),
  );
  for (const got of results.slice(1))
    got.forEach((array, i) => expect(firstDifference(array, results[0][i])).toBe(-1));
});

/** A crew and a batch of one tensor, run by hand: without the clock's opinion on whether it pays. */
function crewOf(options: ConstructorParameters<typeof Crew>[1], size = 200_000) {
  const heap = createArena(true, 2 ** 26);
  const crew = new Crew(heap, options);
  const bytes = kernelModule([variant], { shared: true });
  const address = heap.allocate(bytes.length + 4);
  const { buffer } = heap.memory;
  new Int32Array(buffer, address, 1)[0] = bytes.length;
  new Uint8Array(buffer, address + 4).set(bytes);
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { gradstep: { memory: heap.memory } });
  const kernel = { address, ...exports } as unknown as Parameters<Crew["run"]>[0];
  const home = { backend: wasm(), heap, isShared: true, moved: () => {} };
  const tensor = (): WasmTensor => new WasmTensor(home, [size]).allocate();
  const [parameter, gradient, m, v] = [tensor(), tensor(), tensor(), tensor()];
  gradient.view().fill(1);
  const scalars = Float64Array.from(variant.scalars, () => 0.5);
  const update: Update = {
    parameter,
    mirror: undefined,
    gradient,
    mask: undefined,
    unselectedRows: "keep",
    slots: [m, v],
    scalars,
  };
  const batch = new Batch(heap);
  const chunks = new Chunks(heap, batch);
  const step = (): void => {
    batch.fill(variant, [update], 1);
    chunks.divide();
    crew.run(kernel, chunks);
  };
  return { crew, heap, step, parameter, m };
}

test("every chunk is updated once, whoever claims it", async () => {
  const { crew, step, m } = crewOf({ threads: 3 });
  await vi.waitUntil(() => crew.workers === 2);
  for (let i = 1; i <= 300; i += 1) {
    m.view().fill(i);
    step();
    // m + (g − m)·0.5
    expect(m.view().every((value) => value === i + (1 - i) * 0.5)).toBe(true);
  }
  crew.dispose();
});

test("workers that never come cost nothing but their help", () => {
  const start: typeof startWorker = () => ({ terminate: () => {} });
  const { step, m } = crewOf({ threads: 4, start });
  step();
  expect(m.view().every((value) => value === 0.5)).toBe(true);
});

test("a worker that does not start is a diagnostic, and its work is done", () => {
  const start: typeof startWorker = (_data, _url, onLost) => {
    onLost("blocked");
    return { terminate: () => {} };
  };
  const { crew, step, m } = crewOf({ threads: 2, start });
  crew.check();
  expect(crew.diagnostics).toEqual([expect.stringContaining("blocked")]);
  step();
  expect(m.view()[199_999]).toBe(0.5);
});

test("a worker that ends between steps: the next step says that all were finished, then it goes on", () => {
  let lose: (reason: string) => void = () => {};
  let meeting: Int32Array | undefined;
  const start: typeof startWorker = ({ memory, at, index }, _url, onLost) => {
    meeting = new Int32Array(memory.buffer, at, 64);
    meeting[words.arrived + index] = 1;
    lose = onLost;
    return { terminate: () => {} };
  };
  const { crew, step, m } = crewOf({ threads: 2, start });
  step();
  lose("killed");
  expect(() => crew.check()).toThrow(
    expect.objectContaining({
      code: "WORKER_LOST",
      message: expect.stringContaining("Every step so far was finished"),
    }),
  );
  crew.check();
  expect(crew.workers).toBe(0);
  step();
  expect(m.view()[0]).toBe(0.75);
});

test("a worker that dies with a chunk in its hands: the step says that it was not finished", () => {
  let claim = (): void => {};
  const start: typeof startWorker = ({ memory, at }) => {
    // Claims a chunk as a worker does, in the middle of the caller's turn, and never finishes it.
    const cells = new Int32Array(memory.buffer, at, 64);
    claim = () => Atomics.sub(cells, words.unclaimed, 1);
    return { terminate: () => {} };
  };
  const { crew, heap, step } = crewOf({ threads: 2, start, patience: 50 });
  const { notify } = Atomics;
  const spy = vi.spyOn(Atomics, "notify").mockImplementation((...given) => {
    claim();
    return notify(...given);
  });
  expect(step).toThrow(
    expect.objectContaining({
      code: "WORKER_LOST",
      message: expect.stringContaining("The step was not finished"),
    }),
  );
  spy.mockRestore();
  expect(crew.workers).toBe(0);
  expect(crew.diagnostics.length).toBe(1);
  heap.free(0);
});

test("a real worker that is killed is noticed", async () => {
  const workers: { terminate(): unknown }[] = [];
  const { startWorker: real } = await import("../src/threads/worker.js");
  const start: typeof startWorker = (...given) => {
    const worker = real(...given);
    workers.push(worker);
    return worker;
  };
  const { crew, step } = crewOf({ threads: 2, start });
  const kernelRuns = async (): Promise<void> => {
    step();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for (let i = 0; i < 20; i += 1) await kernelRuns();
  void workers[0].terminate();
  await vi.waitUntil(() => crew.workers === 0);
  expect(() => crew.check()).toThrow(GradstepError);
  step();
});

test("a live backend does not keep a process alive, and dispose ends the workers", async () => {
  const script = fileURLToPath(new URL("child.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
  expect(stdout.trim()).toBe("0.999 []");
});

test("where memory cannot be shared: one thread, and one line that says why", async () => {
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

test("a view that is asked for after shared memory has grown is one of the memory as it is now", () => {
  const backend = wasm({ threads: 2 });
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

test("a step that is repeated needs no more room, whether it is shared or not", () => {
  const backend = wasm({ threads: 2, memoryLimit: 2 ** 24 });
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

test("a kernel is compiled once for a variant", () => {
  const backend = wasm({ threads: 2 });
  const kernel: Kernel = backend.compile(variant);
  expect(backend.compile(variant)).toBe(kernel);
  backend.dispose();
});
