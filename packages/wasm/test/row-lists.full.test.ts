import { createHash } from "node:crypto";
import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test, vi } from "vitest";
import { wasm, type WasmOptions } from "../src/index.js";

function numbers(length: number, salt: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 1.7 + salt)));
}

const rows = 5000;

/** Lists of rows: spread, in runs, in descending order, with duplicates, and few. */
const lists: readonly Uint32Array[] = [
  Uint32Array.from({ length: 700 }, (_, i) => (i * 2689) % rows),
  Uint32Array.from({ length: 600 }, (_, i) => 10 * Math.floor(i / 6) + (i % 6)),
  Uint32Array.from({ length: 500 }, (_, i) => rows - 1 - 3 * i),
  Uint32Array.from({ length: 900 }, (_, i) => (i * i) % 400),
  Uint32Array.of(17),
];

/** A digest of the parameters and their slots after a step per list, and a dense one in between. */
async function train(
  backend: ReturnType<typeof wasm> | ReturnType<typeof reference>,
  columns: number,
  rowSteps: boolean,
): Promise<string> {
  const e = backend.tensor([rows, columns], numbers(rows * columns, 1));
  const w = backend.tensor([70_000], numbers(70_000, 2));
  const optimizer = createOptimizer(
    adam({ learningRate: 0.1 }),
    { e, w },
    { sparse: "lazy", rowSteps, groups: [{ match: "w", rowSteps: false }] },
  );
  for (const [step, indices] of lists.entries()) {
    const values = numbers(indices.length * columns, 10 + step);
    const asTensor = step === 0;
    optimizer.step({
      e: { indices, values: asTensor ? backend.tensor([indices.length, columns], values) : values },
      w: step === 2 ? undefined : numbers(70_000, step),
    });
    if (step === 1) optimizer.step({ e: numbers(rows * columns, 3) });
    const mask = Uint32Array.from({ length: rows }, (_, row) => row % 3);
    if (step === 2) optimizer.step({ e: numbers(rows * columns, 4) }, { rows: { e: mask } });
  }
  const { slots } = await optimizer.state();
  const hash = createHash("sha256");
  for (const array of [
    await e.read(),
    await w.read(),
    ...Object.values(slots).flatMap((values) => Object.values(values)),
  ])
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex");
}

const expectations = new Map<string, Promise<string>>();

/** The same on the reference. */
function expected(columns: number, rowSteps: boolean): Promise<string> {
  const key = `${columns} ${rowSteps}`;
  const found = expectations.get(key) ?? train(reference(), columns, rowSteps);
  expectations.set(key, found);
  return found;
}

describe.each<[string, WasmOptions]>([
  ["one thread", { threads: 1 }],
  ["three threads", { threads: 3, parallelThreshold: 0 }],
  ["two threads for large batches", { threads: 2 }],
])("lists of rows on %s", (_, options) => {
  test.each([
    [1, false],
    [7, false],
    [64, false],
    [7, true],
    [16, true],
  ])("rows of %i values: the bits of the reference, rowSteps: %s", async (columns, rowSteps) => {
    const backend = wasm(options);
    await backend.ready();
    expect(await train(backend, columns, rowSteps)).toBe(await expected(columns, rowSteps));
    backend.dispose();
  });
});

test("where loading into the cache cannot be compiled, rows are updated all the same", async () => {
  const backend = wasm();
  const e = backend.tensor([1]);
  // Compiles the kernel.
  createOptimizer(adam(), { e });
  const Module = WebAssembly.Module;
  vi.stubGlobal("WebAssembly", {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [
        name,
        Reflect.get(WebAssembly, name) as unknown,
      ]),
    ),
    Module: class {
      constructor() {
        throw new Error(`no ${Module.name}`);
      }
    },
  });
  try {
    expect(await train(backend, 16, false)).toBe(await expected(16, false));
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a repeated lazy step allocates no memory", () => {
  const backend = wasm();
  const e = backend.tensor([rows, 16]);
  const optimizer = createOptimizer(adam(), { e }, { sparse: "lazy" });
  const step = (): void =>
    optimizer.step({ e: { indices: lists[0], values: numbers(700 * 16, 1) } });
  step();
  const { byteLength } = backend.memory.buffer;
  for (let i = 0; i < 500; i += 1) step();
  expect(backend.memory.buffer.byteLength).toBe(byteLength);
});

test("indices and values in the backend's memory may be detached by growth", async () => {
  const backend = wasm();
  const memory = backend.tensor([6], [1, 2, 3, 4, 5, 6]);
  const e = backend.tensor([3, 40_000]);
  const optimizer = createOptimizer(
    adam({ learningRate: 1, epsilon: 0 }),
    { e },
    { sparse: "lazy" },
  );
  const values = backend.tensor([1, 40_000], numbers(40_000, 1)).view();
  const words = new Uint32Array(memory.view().buffer, memory.view().byteOffset, 6);
  words[0] = 2;
  optimizer.step({ e: { indices: words.subarray(0, 1), values } });
  expect([...(await e.read()).subarray(0, 80_000)].every((value) => value === 0)).toBe(true);
  expect((await e.read())[80_001]).toBeCloseTo(-1, 4);
});
