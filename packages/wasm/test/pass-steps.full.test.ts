// Steps of rules with several passes: threads, rules that run together, rows that move, memory, precompiled modules.
import {
  adafactor,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  lamb,
  muon,
  prodigy,
  adam,
  type Backend,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { expect, test, vi } from "vitest";
import { kernelModule, wasm, type Heap } from "../src/index.js";
import { after, difference, rowsOf, type Steps } from "./passes.js";

const specs: Readonly<Record<string, OptimizerSpec>> = {
  lamb: lamb({ learningRate: 0.1, weightDecay: 0.1 }),
  adafactor: adafactor({ weightDecay: 0.1 }),
  prodigy: prodigy(),
  muon: muon(),
  "clipped, averaged": chain(clipByGlobalNorm(1), adam(), ema(0.9)),
};

const shapes = {
  matrix: [130, 257],
  tall: [8200, 3],
  vector: [20_001],
  batch: [3, 40, 64],
  number: [],
};

const threadCounts = [1, 2, 3, 8];

test.each(Object.entries(specs))(
  `%s: ${threadCounts.join(", ")} threads give the same bits`,
  async (_, spec) => {
    const small = { ...shapes, matrix: [33, 65] };
    const masked: StepOptions = {
      unselectedRows: "decay",
      rows: rowsOf(small, (row, k) => (row + k) % 5 < 3),
    };
    const { number, ...masks } = masked.rows as Record<string, Uint32Array>;
    expect(number).toHaveLength(1);
    const steps: Steps = { spec, shapes, options: [{}, {}, {}] };
    const results: Map<string, Float32Array>[] = [];
    const maskedResults: Map<string, Float32Array>[] = [];
    const { number: __, ...maskable } = small;
    for (const threads of threadCounts) {
      const backend = wasm({ threads, parallelThreshold: 0 });
      await backend.ready();
      expect(backend.diagnostics).toEqual([]);
      results.push(await after(backend, steps));
      const options = [{}, { ...masked, rows: masks }, {}];
      maskedResults.push(await after(backend, { spec, shapes: maskable, options }));
      backend.dispose();
    }
    for (const all of [results, maskedResults])
      for (const got of all) expect(difference(got, all[0])).toBeUndefined();
  },
);

/** One element of these takes the reference long. */
test.each(Object.entries(specs))("%s: the bits of the reference", async (_, spec) => {
  const few = { matrix: [30, 57], vector: [5001], batch: [3, 10, 16], number: [] };
  const steps = { spec, shapes: few, options: [{}, {}, {}] };
  expect(difference(await after(wasm(), steps), await after(reference(), steps))).toBeUndefined();
});

test("every built-in rule with several passes has the bits of the reference", async () => {
  const few = { matrix: [6, 35], vector: [19], batch: [2, 3, 7] };
  for (const rule of rules) {
    for (const variant of rule.variants()) {
      if (variant.passPlan.passes.length === 1) continue;
      const steps = { spec: { ...rule.specify({}), rule }, shapes: few, options: [{}, {}] };
      expect(
        difference(await after(wasm(), steps), await after(reference(), steps)),
      ).toBeUndefined();
      break;
    }
  }
});

test("rows move with slots per row, and steps go on", async () => {
  const run = async (backend: Backend): Promise<unknown[]> => {
    const w = backend.tensor(
      [6, 4],
      Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)),
    );
    const optimizer = createOptimizer(adafactor(), { w });
    const gradient = Float32Array.from({ length: 36 }, (_, i) => Math.sin(i + 1));
    optimizer.step({ w: gradient.subarray(0, 24) });
    optimizer.rows("w").remap(Uint32Array.of(5, 0, 0, 3, 1, 2, 0xffffffff, 4, 0xffffffff));
    for (let step = 0; step < 3; step += 1) optimizer.step({ w: gradient });
    const { slots } = await optimizer.state();
    return [await w.read(), slots];
  };
  expect(await run(wasm())).toEqual(await run(reference()));
});

/** A heap whose blocks are full of NaN, and that detaches all views at every allocation. */
function hostileHeap(): Heap & { allocations: number } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return {
    memory,
    allocations: 0,
    allocate(byteLength) {
      this.allocations += 1;
      const address = memory.grow(1 + Math.ceil(byteLength / 65536)) * 65536;
      new Uint8Array(memory.buffer, address).fill(0xff);
      return address;
    },
    free: () => {},
  };
}

test.each(Object.entries(specs))("%s: in memory that was full of NaN", async (_, spec) => {
  const few = { matrix: [9, 13], vector: [4100], batch: [3, 5, 2] };
  for (const unselectedRows of ["keep", "decay", "zero"] as const) {
    const rows = rowsOf(few, (row, k) => (row + k) % 3 !== 1);
    const steps = {
      spec,
      shapes: few,
      options: [{ rows, unselectedRows }, {}, { rows, unselectedRows }],
    };
    const heap = hostileHeap();
    const got = await after(wasm({ heap }), steps);
    expect(difference(got, await after(reference(), steps))).toBeUndefined();
  }
});

test.each(Object.entries(specs))("%s: repeated steps allocate nothing", (_, spec) => {
  const heap = hostileHeap();
  const backend = wasm({ heap });
  const parameters = { w: backend.tensor([9, 13]), b: backend.tensor([7]) };
  const gradients = { w: backend.tensor([9, 13]), b: backend.tensor([7], [1, 2, 3, 4, 5, 6, 7]) };
  const others = { w: backend.tensor([9, 13]), b: backend.tensor([7]) };
  const optimizer = createOptimizer(spec, parameters);
  optimizer.step(gradients);
  const { allocations } = heap;
  for (let step = 0; step < 3; step += 1) optimizer.step(gradients);
  optimizer.step(others);
  optimizer.step(gradients);
  expect(heap.allocations).toBe(allocations);
});

test("a precompiled module has the kernels of a rule with several passes", async () => {
  const spec = specs.adafactor;
  const steps = { spec, shapes: { w: [9, 13] }, options: [{}, {}] };
  const modules = [adafactor, muon].map((factory) => new WebAssembly.Module(kernelModule(factory)));
  const backend = wasm({ modules });
  const compile = vi.spyOn(WebAssembly, "Module");
  for (const one of [steps, { ...steps, spec: specs.muon }])
    expect(difference(await after(backend, one), await after(reference(), one))).toBeUndefined();
  expect(compile).not.toHaveBeenCalled();
  compile.mockRestore();
});
