// A step with the same parameters as the one before it takes no memory, and makes no view of it.
import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  lamb,
  muon,
  sgd,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { isFull } from "../../../testing/cases.js";
import { wasm, type Heap, type WasmTensor } from "../src/index.js";
import { GrowableHeap } from "../src/memory/growable-heap.js";
import { someValue } from "./passes.js";

/** Runs an action while all typed arrays are counted that it makes of these classes, which it finds as globals. */
function counting<Result>(made: string[], action: () => Result): Result {
  const { Float32Array, Float64Array, Int32Array } = globalThis;
  const before = { Float32Array, Float64Array, Int32Array };
  for (const [name, kind] of Object.entries(before)) {
    const counted = new Proxy(kind, {
      construct: (target, args: unknown[]) => {
        made.push(name);
        return Reflect.construct(target, args) as object;
      },
    });
    Object.assign(globalThis, { [name]: counted });
  }
  try {
    return action();
  } finally {
    Object.assign(globalThis, before);
  }
}

const specs: Readonly<Record<string, OptimizerSpec>> = {
  adam: adam(),
  "a chain": chain(clipByGlobalNorm(1), lamb(), ema(0.9)),
  "reductions of rows and columns": adafactor(),
  "products of matrices": muon(),
  "rules that share a norm": {
    ...chain(clipByGlobalNorm(1), adam()),
    groups: [{ match: "b", rule: chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 })) }],
  },
};

const masks: Readonly<Record<string, StepOptions | undefined>> = {
  "without masks": undefined,
  ...Object.fromEntries(
    (["keep", "decay", "zero"] as const).map((unselectedRows) => [
      `with masks, other rows: ${unselectedRows}`,
      { unselectedRows, rows: { a: Uint32Array.from({ length: 40 }, (_, i) => i % 3) } },
    ]),
  ),
};

const shapes = { a: [40, 3], b: [5, 7], c: [20], d: [2, 3, 5] };
const cases = Object.entries(specs).flatMap(([name, spec]) =>
  Object.entries(masks)
    // Unselected rows that decay need most: zeros, and copies of their parameters.
    .filter(([mask, options]) => isFull || options === undefined || mask.endsWith("decay"))
    .map(([mask, options]) => [name, mask, spec, options] as const),
);

test.each(cases)("%s, %s", (_, __, spec, options) => {
  const made: string[] = [];
  counting(made, () => {
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
        Object.entries(shapes).map(([name, shape], k) => {
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
