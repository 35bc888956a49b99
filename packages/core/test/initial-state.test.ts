import { expect, test } from "vitest";
import type { Backend } from "../src/backend/backend.js";
import { adamw, chain, createOptimizer, ema, sgd, type OptimizerSpec } from "../src/index.js";
import { initialState } from "../src/interop/index.js";
import { oracle, reference } from "../src/reference.js";
import { codeOf } from "./support.js";

test("the initial state is that of a new optimizer, with the groups that match the shapes", async () => {
  const spec = chain(adamw({ learningRate: 0.1 }), ema());
  const options = {
    groups: [
      { match: "bias", weightDecay: 0 },
      { match: "head", rule: sgd({ momentum: 0.5 }) },
    ],
    accumulate: 2,
  };
  const shapes = { kernel: [2, 3], bias: [3], head: [] };
  const backend = oracle();
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
  );
  const optimizer = createOptimizer(spec, tensors, options as never);
  const state = await initialState(spec, shapes, options);
  optimizer.restore(state);
  expect(await optimizer.state()).toMatchObject({
    shapes,
    iterations: 0,
    groups: [{ parameters: ["kernel"] }, { parameters: ["bias"] }, { parameters: ["head"] }],
  });
  expect(Object.keys(state.slots.kernel)).toEqual(["m", "v", "ema"]);
  expect(state.control).toMatchObject({ microSteps: 0 });
});

test("a slot that starts as a copy is refused on a backend that makes none", () => {
  const backend = Object.assign(reference(), { copy: undefined }) as unknown as Backend;
  const make = (spec: OptimizerSpec) => createOptimizer(spec, { w: backend.tensor([2]) });
  expect(codeOf(() => make(chain(sgd(), ema())))).toBe("UNSUPPORTED");
  expect(make(sgd()).iterations).toBe(0);
});
