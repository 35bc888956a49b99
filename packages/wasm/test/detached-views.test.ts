// Every allocation detaches all views of the memory: rules of one pass and of several, with masks and without.
import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  lamb,
  muon,
  sgd,
  type OptimizerSpec,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { wasm } from "../src/index.js";
import { after, difference, rowsOf } from "./passes.js";

const shapes = { a: [9, 4], b: [20], c: [2, 3, 5] };
const specs: Readonly<Record<string, OptimizerSpec>> = {
  adam: adam(),
  "a chain": chain(clipByGlobalNorm(1), lamb()),
  "reductions of rows and columns": adafactor(),
  "products of matrices": muon(),
  "rules that share a norm": {
    ...chain(clipByGlobalNorm(0.5), adam()),
    groups: [{ match: "b", rule: chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1 })) }],
  },
};

test.each(Object.entries(specs))("%s", async (_, spec) => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const backend = wasm({
    heap: {
      memory,
      allocate: (byteLength) => memory.grow(Math.ceil(byteLength / 65536)) * 65536,
      free: () => {},
    },
  });
  const rows = rowsOf(shapes, (row, tensor) => (row + tensor) % 3 !== 0);
  const options = [{}, {}, { rows, unselectedRows: "decay" }, {}, {}] as const;
  const steps = { spec, shapes, options };
  const expected = await after(reference(), steps);
  // Before each step, too: a step that is repeated finds no view that is still valid.
  const before = (): void => void backend.tensor([1]);
  expect(difference(await after(backend, { ...steps, before }), expected)).toBeUndefined();
});
