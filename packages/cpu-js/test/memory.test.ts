// A step with the same tensors as the one before it allocates no arrays of numbers.
import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  defineStage,
  ema,
  lamb,
  muon,
  nonNegative,
  sgd,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { cpuJs } from "../src/index.js";
import { numbers } from "./support.js";

/** The lengths of the arrays that an action makes of these classes, which it finds as globals. */
function allocated<Result>(action: (lengths: number[]) => Result): Result {
  const lengths: number[] = [];
  const before = { Float32Array: globalThis.Float32Array, Float64Array: globalThis.Float64Array };
  const counted = Object.entries(before).map(([name, kind]) => [
    name,
    new Proxy(kind, {
      construct: (target, args: [number]) => {
        lengths.push(args[0]);
        return Reflect.construct(target, args) as object;
      },
    }),
  ]);
  Object.assign(globalThis, Object.fromEntries(counted));
  try {
    return action(lengths);
  } finally {
    Object.assign(globalThis, before);
  }
}

const scaled = defineStage({ name: "scaled", perElement: "g = g / (1 + normTensor(g))" });
const custom = defineRule({
  name: "custom",
  hyperparameters: { learningRate: nonNegative(0.1) },
  perElement: `
    x = (g - meanColumn(g)) / (1 + normRow(g) + maxTensor(p) + normAll(g))
    u = x * learningRate`,
});
const ofElements = defineRule({
  name: "of-elements",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: { m: 0 },
  perElement: "m = m * 0.5 + g\np = p - m * learningRate",
});

const specs: Readonly<Record<string, OptimizerSpec>> = {
  adam: adam(),
  "a chain": chain(clipByGlobalNorm(1), lamb(), ema(0.9)),
  "a chain that changes the gradient": chain(scaled(), clipByGlobalNorm(1), adam()),
  "reductions of rows and columns": adafactor(),
  "products of matrices": muon(),
  "rules that share a norm": {
    ...chain(clipByGlobalNorm(1), adam()),
    groups: [{ match: "b", rule: chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 })) }],
  },
  "an interpreted rule": custom(),
  "an interpreted rule of elements": ofElements(),
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
  Object.entries(masks).map(([mask, options]) => [name, mask, spec, options] as const),
);

test.each([false, true])("repeated steps allocate no arrays, exact: %s", (exact) => {
  const found = cases.map(([name, mask, spec, options]) =>
    allocated((lengths) => {
      const backend = cpuJs({ exact });
      const tensors = (seed: number): Record<string, ReturnType<typeof backend.tensor>> =>
        Object.fromEntries(
          Object.entries(shapes).map(([one, shape]) => {
            const size = shape.reduce((a, b) => a * b, 1);
            return [one, backend.tensor(shape, numbers(size, seed))];
          }),
        );
      const optimizer = createOptimizer(spec, tensors(1));
      const gradients = tensors(2);
      optimizer.step(gradients, options);
      optimizer.step(gradients, options);
      lengths.length = 0;
      optimizer.step(gradients, options);
      return { name, mask, lengths };
    }),
  );
  expect(found).toEqual(cases.map(([name, mask]) => ({ name, mask, lengths: [] })));
});
