import { adam, createOptimizer, lamb, sgd } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { differencesOfLayout } from "../../../testing/random-layouts/differences-of-layout.js";
import { wasm, type Wasm } from "../src/index.js";
import { threaded } from "./threaded.js";

const three = await threaded();

describe.each<[string, () => Wasm]>([
  ["one thread", wasm],
  ["three threads", three],
])("%s", (_, make) => {
  test(`random layouts give what plain arrays give, and change nothing else (seed ${seed})`, async () => {
    const backend = make();
    for (let i = 0; i < cases(250, 10); i += 1) {
      const one = seed * 1000 + i;
      expect({ one, found: await differencesOfLayout(backend, one) }).toEqual({ one, found: [] });
    }
  });
});

/** A backend in a memory that counts its blocks. */
function counted(): { backend: Wasm; blocks: () => number } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let end = 16;
  let blocks = 0;
  const backend = wasm({
    heap: {
      memory,
      allocate: (byteLength) => {
        const address = end;
        end = Math.ceil((end + byteLength) / 16) * 16;
        // The memory grows at every block, which detaches all views of it.
        memory.grow(Math.max(1, Math.ceil((end - memory.buffer.byteLength) / 65_536)));
        blocks += 1;
        return address;
      },
      free: () => {
        blocks -= 1;
      },
    },
  });
  return { backend, blocks: () => blocks };
}

test("tensors in the backend's memory stay usable when it grows, masks in it, too", async () => {
  for (const spec of [adam({ learningRate: 0.5 }), lamb()]) {
    const { backend } = counted();
    const words = backend.tensor([64]);
    const mask = new Uint32Array(backend.memory.buffer, words.address, 4);
    mask.set([1, 0, 1, 0]);
    const floats = new Float32Array(backend.memory.buffer, words.address + 16, 30);
    const w = backend.wrap(floats, { shape: [4, 3], rowStride: 7 });
    w.write(Float32Array.from({ length: 12 }, (_, i) => i + 1));
    const optimizer = createOptimizer(spec, { w });
    const live = new Uint32Array(backend.memory.buffer, words.address, 4);
    const gradient = new Float32Array(12).fill(1);
    optimizer.step({ w: gradient }, { rows: live });
    const plain = wasm();
    const expected = plain.tensor(
      [4, 3],
      Float32Array.from({ length: 12 }, (_, i) => i + 1),
    );
    createOptimizer(spec, { w: expected }).step(
      { w: gradient },
      { rows: Uint32Array.of(1, 0, 1, 0) },
    );
    expect(await w.read()).toEqual(await expected.read());
    expect(w.freed).toBe(false);
  }
});

test("what rules with reductions allocate for layouts is freed with the optimizer, and after remap", () => {
  const { backend, blocks } = counted();
  const memory = new Float32Array(80);
  const make = () => {
    const w = backend.wrap(memory, { shape: [4, 3], rowStride: 5, capacity: 8 });
    const m = backend.wrap(new Float32Array(80), { shape: [4, 3], rowStride: 5, capacity: 8 });
    return createOptimizer(lamb(), { w }, { slots: { w: { m } } });
  };
  const run = (): number => {
    const optimizer = make();
    const g = backend.wrap(new Int32Array(24), { shape: [4, 3], rowStride: 6, scale: 0.5 });
    optimizer.step({ w: g });
    const used = blocks();
    optimizer.step({ w: g });
    expect(blocks()).toBe(used);
    optimizer.rows().remap(Uint32Array.of(0, 1, 2, 3, 0));
    optimizer.step({ w: new Float32Array(15) });
    optimizer.dispose();
    return blocks();
  };
  const after = run();
  expect(run()).toBe(after);
  expect(run()).toBe(after);
});

test("repeated steps fill copies", async () => {
  const backend = wasm();
  const w = backend.tensor([3], Float32Array.of(1, 2, 3));
  const copy = new Float32Array(3);
  const optimizer = createOptimizer(
    sgd({ learningRate: 1 }),
    { w },
    { copies: { w: backend.wrap(copy, { shape: [3], rowStride: 1 }) } },
  );
  const gradients = { w: backend.tensor([3], [0.5, 0.5, 0.5]) };
  for (let i = 1; i <= 4; i += 1) {
    optimizer.step(gradients);
    expect([...copy]).toEqual([1, 2, 3].map((value) => value - 0.5 * i));
    expect(copy).toEqual(await w.read());
  }
});
