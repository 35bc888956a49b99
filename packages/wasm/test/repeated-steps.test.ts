// A step with the same parameters as the one before it takes no memory, and makes no view of it.
import { createOptimizer } from "@gradstep/core";
import { expect, test } from "vitest";
import { isFull } from "../../../testing/cases.js";
import {
  repeatedMasks,
  repeatedShapes,
  repeatedSpecs,
  watchingArrays,
} from "../../../testing/repeated-steps.js";
import { wasm, type Heap, type WasmTensor } from "../src/index.js";
import { GrowableHeap } from "../src/memory/growable-heap.js";
import { someValue } from "./passes.js";

const cases = Object.entries(repeatedSpecs).flatMap(([name, spec]) =>
  Object.entries(repeatedMasks)
    // Unselected rows that decay need most: zeros, and copies of their parameters.
    .filter(([mask, options]) => isFull || options === undefined || mask.endsWith("decay"))
    .map(([mask, options]) => [name, mask, spec, options] as const),
);

test.each(cases)("%s, %s", (_, __, spec, options) => {
  const made: string[] = [];
  const record = (name: string): void => void made.push(name);
  watchingArrays(["Float32Array", "Float64Array", "Int32Array"], record, () => {
    const own = new GrowableHeap(new WebAssembly.Memory({ initial: 0, maximum: 256 }), 2 ** 24);
    const heap: Heap = {
      memory: own.memory,
      allocate: (byteLength) => {
        made.push(`${byteLength} bytes`);
        // Address 0 means that there is no block.
        return own.allocate(byteLength + 64) + 64;
      },
      free: (address) => own.free(address - 64),
    };
    const backend = wasm({ heap });
    const tensors = (step: number): Record<string, WasmTensor> =>
      Object.fromEntries(
        Object.entries(repeatedShapes).map(([name, shape], k) => {
          const length = shape.reduce((a, b) => a * b, 1);
          const values = Array.from({ length }, (___, i) => someValue(k, step, i));
          return [name, backend.tensor(shape, values)];
        }),
      );
    const optimizer = createOptimizer(spec, tensors(-1));
    const gradients = [tensors(0), tensors(1)];
    for (const k of [0, 1, 1, 0, 1]) optimizer.step(gradients[k], options);
    made.length = 0;
    // Other gradients than before, and the same once more.
    for (const k of [0, 0]) optimizer.step(gradients[k], options);
  });
  expect(made).toEqual([]);
});
