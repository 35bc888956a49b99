import {
  decayRate,
  defineRule,
  nonNegative,
  type Backend,
  type Rule,
  type StepOptions,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/index.js";
import { after, difference, rowsOf, type Steps } from "./passes.js";

const row = { extent: "row", initial: 0 } as const;
const column = { extent: "column", initial: 0.5 } as const;
const tensor = { extent: "tensor", initial: 1 } as const;
const all = { extent: "all", initial: 2 } as const;

/** Rules that each reduce in another way. */
const texts: Readonly<Record<string, readonly [text: string, rest?: object]>> = {
  "a sum per row": ["u = g * sumRow(g * p)"],
  "a sum per column": ["u = g * sumColumn(g * p)"],
  "a sum per tensor": ["u = g * sumTensor(g * p)"],
  "a sum over all tensors": ["u = g * sumAll(g * p)"],
  "norms over everything": [
    "u = g / (1 + normRow(g) * normColumn(p) + normTensor(g - p) * normAll(g))",
  ],
  "means over everything": ["u = meanRow(g) * meanColumn(g) + g * meanTensor(p) + p * meanAll(g)"],
  "maxima over everything": ["u = maxRow(g) - maxColumn(p) + g * maxTensor(-g) + p * maxAll(g)"],
  "reductions of reductions": [
    `a = meanRow(g * g)
     b = maxTensor(a)
     c = sumAll(b)
     d = meanAll(a)
     u = g * b / (c + d + sumTensor(maxColumn(g)) + maxAll(sumRow(g)))`,
  ],
  "one reduction after the other": [
    "x = g / (1 + normTensor(g))\nx = x - meanRow(x)\nx = x - meanColumn(x)\nu = x * normAll(x)",
  ],
  "a sum per tensor of what has rows": [
    "x = g * sumRow(g) + sumColumn(p)\nu = g * sumTensor(x * x) + maxTensor(x * 2)",
  ],
  "numbers of rows and columns": ["u = g * rows / columns + meanTensor(sumRow(g)) + meanAll(g)"],
  "slots of all extents": [
    `m = m + (g - m) * rate
     r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     s = s * rate + normTensor(p)
     d = d * rate + sumAll(g * p)
     u = m * s / (1 + sqrt(r / meanTensor(r) * c) + d * d)`,
    { slots: { m: "p", r: row, c: column, s: tensor, d: all } },
  ],
  "slots of rows and columns without a reduction": [
    "r = r + rate\nc = c * 0.5 + rate\nu = g * r * c",
    { slots: { r: row, c: column } },
  ],
  "conditions per row": [
    "r = sqrt(meanRow(g * g)) + 1\nw = r < 1.5 ? r * 2 : flush(r)\nu = g / w * sign(w) + (r < rate ? g : w)",
  ],
  "a slot that is flushed": [
    "m = abs(m) < limit ? 0 : m\nm = m + (g - m) * rate\nu = m * normTensor(m) + maxRow(m)",
    { slots: { m: 0 }, perStep: "limit = t == 2 ? 0.3 : 0" },
  ],
  "the last two dimensions as matrices": [
    `r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     u = g / sqrt(r / meanColumn(r + 0 * g) * c + 1) * maxRow(c * g)`,
    { slots: { r: row, c: column }, matrices: "last" },
  ],
  "products of matrices": [
    `x = g / (normTensor(g) + 1e-7)
     x = newtonSchulz(x, 3.4445, -4.775, 2.0315)
     x = newtonSchulz(x, rate, -0.5, 0.125)
     u = x * learningRate`,
    { matrices: "last" },
  ],
};

const rules = Object.entries(texts).map(([name, [perElement, rest]]): [string, Rule] => [
  name,
  defineRule({
    name: "reducing",
    hyperparameters: { learningRate: nonNegative(0.1), rate: decayRate(0.25) },
    perElement,
    ...rest,
  }).rule,
]);

const groupsOfShapes: Readonly<Record<string, Steps["shapes"]>> = {
  "small tensors": {
    scalar: [],
    vector: [37],
    one: [19, 1],
    three: [11, 3],
    square: [7, 7],
    row: [1, 9],
  },
  "tensors of several blocks": { flat: [9001], wide: [2, 4200], tall: [4100, 2], both: [40, 500] },
  "batches of matrices": {
    four: [4, 2, 5, 3],
    three: [3, 33, 17],
    tall: [2, 60, 16],
    one: [5, 1, 1],
  },
};

/** The first difference from the reference. */
async function differenceOf(steps: Steps, backend: Backend = wasm()): Promise<string | undefined> {
  return difference(await after(backend, steps), await after(reference(), steps));
}

describe.each(rules)("%s", (_, rule) => {
  const spec = rule.specify({ weightDecay: 0.01 });

  test.each(Object.entries(groupsOfShapes))("%s", async (__, shapes) => {
    expect(await differenceOf({ spec, shapes, options: [{}, {}] })).toBeUndefined();
  });

  test.each(["keep", "decay", "zero"] as const)("masks, other rows: %s", async (unselectedRows) => {
    const shapes = { a: [9, 4], b: [6, 2, 3], c: [4500], d: [3, 1], e: [40, 35] };
    const masked = (step: number): StepOptions => ({
      unselectedRows,
      // All rows of d are selected, or none is.
      rows: rowsOf(shapes, (index, k) => (k === 3 ? step % 2 : (index >> step) + k) % 3 !== 0),
    });
    const options = [masked(0), {}, masked(2), masked(1), {}];
    expect(await differenceOf({ spec, shapes, options })).toBeUndefined();
  });
});
