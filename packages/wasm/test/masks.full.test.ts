import {
  adam,
  createOptimizer,
  sgd,
  type Backend,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { wasm, type Heap } from "../src/index.js";

/** A heap whose blocks are full of NaN, and that detaches all views at every allocation. */
function hostileHeap(): Heap {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return {
    memory,
    allocate(byteLength) {
      const address = memory.grow(1 + Math.ceil(byteLength / 65536)) * 65536;
      new Uint8Array(memory.buffer, address).fill(0xff);
      return address;
    },
    free: () => {},
  };
}

const specs: readonly OptimizerSpec[] = [
  sgd({ learningRate: 0.5, momentum: 0.9, weightDecay: 0.1, weightDecayMode: "l2" }),
  adam({ learningRate: 0.1, weightDecay: 0.1 }),
];

const rowsOf = (count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.constantFrom(0, 0, 0, 1, 1, 7), { minLength: count, maxLength: count });

test("steps with masks give the reference's values, in memory that was full of NaN", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...specs),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.constantFrom("keep", "decay", "zero"), { minLength: 3, maxLength: 3 }),
      fc.array(rowsOf(12), { minLength: 3, maxLength: 3 }),
      async (spec, count, width, unselected, masks) => {
        const run = async (backend: Backend): Promise<unknown[]> => {
          const size = count * width;
          const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));
          const a: Tensor = backend.tensor([count, width], values);
          const b: Tensor = backend.tensor([count, 1], values.subarray(0, count));
          const optimizer = createOptimizer(spec, { a, b });
          for (const [t, unselectedRows] of unselected.entries()) {
            const gradient = Float32Array.from({ length: size }, (_, i) => Math.cos(i * (t + 2)));
            const rows = Uint32Array.from(masks[t].slice(0, count));
            optimizer.step(
              { a: gradient, b: gradient.subarray(0, count) },
              { rows, unselectedRows },
            );
          }
          const { slots } = await optimizer.state();
          return [await a.read(), await b.read(), slots];
        };
        expect(await run(wasm({ heap: hostileHeap() }))).toEqual(await run(reference()));
      },
    ),
    { numRuns: cases(1000, 100), seed },
  );
});
