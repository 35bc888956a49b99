import {
  createOptimizer,
  defineRule,
  nonNegative,
  type Backend,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
  type Values,
} from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";

import { expect, test } from "vitest";

import { isFull, seed } from "../../../testing/cases.js";
import { describe, newBackend } from "./gpu.js";
import { Random } from "./random.js";

/** The error of one operation in f32, relative to its result. */
const u = 2 ** -24;

/** Odd sizes, no dimension, one and three; one row and one column; more than a tile, and more than one of each tile. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  matrix: [70, 33],
  vector: [1300],
  wide: [3, 1030],
  tall: [1100, 3],
  batch: [4, 9, 5],
  row: [1, 9],
  column: [9, 1],
};
const scalar = { single: [] };

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function ruleOf(perElement: string, rest: object = {}): OptimizerSpec {
  return defineRule({
    name: "test",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement,
    ...rest,
  })();
}

/** The state and parameters after two steps from random values, by name. Gradients are positive. */
async function stepped(
  backend: Backend,
  spec: OptimizerSpec,
  tensors: Readonly<Record<string, readonly number[]>>,
  options: StepOptions = {},
): Promise<Map<string, Values>> {
  const random = new Random(7);
  const arrays = (): Record<string, Values> =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, shape]) => {
        const values = random.values(sizeOf(shape)).map((value) => Math.abs(value) + 0.1);
        return [name, backend.precision === "f64" ? Float64Array.from(values) : values];
      }),
    );
  const first = arrays();
  const parameters = Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => [name, backend.tensor(shape, first[name])]),
  );
  const optimizer = createOptimizer(spec, parameters);
  for (let step = 0; step < 2; step += 1) optimizer.step(arrays(), options);
  const values = new Map<string, Values>();
  for (const [name, tensor] of Object.entries<Tensor>(parameters))
    values.set(name, await tensor.read());
  const { slots } = await optimizer.state();
  for (const [name, own] of Object.entries(slots))
    for (const [slot, array] of Object.entries(own)) values.set(`${name}.${slot}`, array);
  optimizer.dispose();
  for (const tensor of Object.values<Tensor>(parameters)) tensor.free();
  return values;
}

/** The largest relative error over what is exact, and the name of the array that has it. */
async function worstError(
  spec: OptimizerSpec,
  tensors: Readonly<Record<string, readonly number[]>>,
  options?: StepOptions,
): Promise<number> {
  const backend = await newBackend();
  const got = await stepped(backend, spec, tensors, options);
  await backend.ready();
  const wanted = await stepped(oracle(), spec, tensors, options);
  let worst = 0;
  for (const [name, values] of wanted) {
    for (let i = 0; i < values.length; i += 1) {
      // What WGSL leaves open.
      if (Number.isNaN(values[i])) continue;
      const value = got.get(name)![i];
      const error = value === values[i] ? 0 : Math.abs(value / values[i] - 1);
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    }
  }
  return worst;
}

/**
 * Programs whose values are sums and products of positive numbers: their relative error is at most the number of
 * rounded operations on the longest way from a gradient to a result, times u. A tree of sums has a depth of 21 at most
 * with these shapes: 4 · 4 values per lane, 6 levels of lanes, and the tiles.
 */
const depth = 21;
const programs: readonly {
  readonly text: string;
  readonly rest?: object;
  /** Reductions one after the other, and other operations, in both steps. */
  readonly reductions: number;
  readonly operations: number;
}[] = [
  { text: "p = p * normAll(g) + g * maxTensor(g)", reductions: 2, operations: 12 },
  { text: "p = p + g * sumTensor(g) + meanTensor(p)", reductions: 2, operations: 10 },
  { text: "p = p + maxRow(g * g) * sumColumn(g) * maxColumn(g)", reductions: 1, operations: 10 },
  { text: "p = p * meanRow(g) + meanColumn(g) * g", reductions: 2, operations: 12 },
  {
    text: "p = p + meanAll(sumRow(g)) * rows + maxAll(g) * columns",
    reductions: 2,
    operations: 12,
  },
  {
    text: `
      r = r * 0.5 + meanRow(g * g)
      c = c * 0.5 + meanColumn(g * g)
      m = m + g
      p = p + g / sqrt(r / meanTensor(r) * c) + m`,
    rest: {
      slots: {
        r: { extent: "row", initial: 0 },
        c: { extent: "column", initial: 0 },
        m: 0,
      },
    },
    reductions: 6,
    operations: 40,
  },
  {
    text: `
      r = r + sumRow(g)
      c = c + meanColumn(g)
      p = p + r * c * meanAll(c)`,
    rest: {
      matrices: "last",
      slots: { r: { extent: "row", initial: 1 }, c: { extent: "column", initial: 0 } },
    },
    reductions: 4,
    operations: 20,
  },
  {
    text: `
      d = d + sumAll(g)
      s = s + sumTensor(g * d)
      p = p + s * g`,
    rest: {
      slots: { d: { extent: "all", initial: 1 }, s: { extent: "tensor", initial: 0 } },
    },
    reductions: 4,
    operations: 16,
  },
];

/** Drivers in software compile reductions to rows and columns slowly. */
const sample = programs.filter((_, i) => isFull || (i + seed) % 4 === 0);

describe(`reductions (seed ${seed})`, () => {
  test.each(sample)("$text", async ({ text, rest, reductions, operations }) => {
    const bound = (reductions * depth + operations) * u;
    expect(await worstError(ruleOf(text, rest), { ...shapes, ...scalar })).toBeLessThan(bound);
  });

  test.each(
    (["keep", "decay", "zero"] as const).flatMap((unselectedRows) =>
      sample.map((program) => ({ ...program, unselectedRows })),
    ),
  )("rows that a mask selects, $unselectedRows: $text", async (one) => {
    const { text, rest, reductions, operations, unselectedRows } = one;
    const rows = Object.fromEntries(
      Object.entries(shapes).map(([name, [length]]) => [
        name,
        Uint32Array.from({ length }, (_, row) => (row % 3 === 0 ? 1 + row : 0)),
      ]),
    );
    const bound = (reductions * depth + operations) * u;
    const spec = ruleOf(text, rest);
    expect(await worstError(spec, shapes, { rows, unselectedRows })).toBeLessThan(bound);
  });
});
