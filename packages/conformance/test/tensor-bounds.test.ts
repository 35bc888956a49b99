import {
  adafactor,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  lamb,
  nonNegative,
  prodigy,
  sgd,
  type OptimizerSpec,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { wgsl } from "../src/bounds/error-model.js";
import { reductionBound } from "../src/bounds/reduction-bound.js";
import { point } from "../src/bounds/interval.js";
import { emptyStats } from "../src/checker/check-stats.js";
import { Checker } from "../src/checker/checker.js";
import { snapshot } from "../src/checker/snapshot.js";
import { Random } from "../src/suite/random/random.js";

const shapes = { a: [5, 7], b: [11], c: [2, 3, 4], d: [] } as const;

/** Steps the reference with random gradients and checks each step; `change` can spoil the values after it. */
async function check(
  spec: OptimizerSpec,
  change: (after: Record<string, Record<string, Float32Array>>) => void = () => {},
) {
  const random = new Random(7);
  const backend = reference();
  const size = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);
  const values = (shape: readonly number[]): Float32Array =>
    Float32Array.from(
      { length: size(shape) },
      () => random.between(-1, 1) * 10 ** random.between(-3, 1),
    );
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape, values(shape))]),
  );
  const optimizer = createOptimizer(spec, parameters);
  const checker = new Checker({ spec, shapes });
  const loose = new Checker({ spec, shapes, model: wgsl });
  const stats = emptyStats();
  const looseStats = emptyStats();
  for (let step = 0; step < 3; step += 1) {
    const before = await snapshot(optimizer, parameters);
    const gradients = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, values(shape)]),
    );
    optimizer.step(gradients);
    const after = await snapshot(optimizer, parameters);
    change(after as Record<string, Record<string, Float32Array>>);
    checker.step({ before, gradients, after, stats });
    loose.step({ before, gradients, after, stats: looseStats });
  }
  return { stats, looseStats };
}

const subjects: readonly (readonly [string, OptimizerSpec])[] = [
  ["lamb", lamb({ learningRate: 0.1, weightDecay: 0.01 })],
  ["adafactor", adafactor({ learningRate: 0.1 })],
  ["prodigy", prodigy({ d0: 0.01 })],
  [
    "clipping by the global norm",
    chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1, momentum: 0.9 })),
  ],
  [
    "reductions of reductions",
    defineRule({
      name: "nested",
      hyperparameters: { learningRate: nonNegative(0.1) },
      slots: { r: { extent: "row", initial: 1 }, d: { extent: "all", initial: 0 } },
      perElement: `
        r = r + (maxRow(abs(g)) - r) * 0.5
        d = d + meanAll(r)
        u = (g / r + meanColumn(p) * normTensor(sumRow(g))) * learningRate + d * 0`,
    })(),
  ],
];

describe.each(subjects)("%s", (_, spec) => {
  test("the reference is inside its bounds, which are finite", async () => {
    const { stats, looseStats } = await check(spec);
    expect(stats.elements).toBeGreaterThan(3 * (35 + 11 + 24 + 1));
    expect(stats.differingBits).toBe(0);
    expect(stats.unbounded).toBe(0);
    expect(stats.worstErrorOverBound).toBeGreaterThan(0);
    expect(stats.worstErrorOverBound).toBeLessThanOrEqual(1);
    expect(looseStats.unbounded).toBe(0);
    expect(looseStats.worstErrorOverBound).toBeLessThan(stats.worstErrorOverBound);
  });

  test("an error of 1e-3 in one value is outside", async () => {
    const { stats, looseStats } = await check(spec, ({ a }) => {
      a.p[3] *= 1.001;
    });
    expect(stats.worstErrorOverBound).toBeGreaterThan(1);
    expect(looseStats.worstErrorOverBound).toBeGreaterThan(1);
    expect(stats.differingBits).toBe(3);
  });
});

test("a sum that leaves out one of many values is outside", () => {
  const values = Array.from({ length: 5000 }, (_, i) => point(Math.fround(Math.sin(i) + 1.5)));
  const all = reductionBound("sum", values, 260, wgsl);
  const less = reductionBound("sum", values.slice(1), 260, wgsl);
  expect(less.exact).toBeLessThan(all.low);
});
