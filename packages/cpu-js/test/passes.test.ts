// Programs of several passes: generated and interpreted kernels against the reference.
import {
  decayRate,
  defineRule,
  nonNegative,
  type Rule,
  type WrappingBackend,
} from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { isFull, sampled, seed } from "../../../testing/cases.js";
import { passes } from "../src/passes/compile-passes.js";
import { createCpuJs } from "../src/cpu-js.js";
import { compiled } from "./compile.js";
import { codeOf } from "./support.js";
import { after, error, differingArrays, stepsFor } from "./steps.js";

const learningRate = nonNegative(0.1);

/** Rules of this file, each of which reduces in another way. */
function ruleOf(perElement: string, rest: object = {}): Rule {
  return defineRule({
    name: "reducing",
    hyperparameters: { learningRate, rate: decayRate(0.25) },
    perElement,
    ...rest,
  }).rule;
}

const row = { extent: "row", initial: 0 } as const;
const column = { extent: "column", initial: 0.5 } as const;
const tensor = { extent: "tensor", initial: 1 } as const;
const all = { extent: "all", initial: 2 } as const;

const texts: Readonly<Record<string, readonly [text: string, rest?: object]>> = {
  "a sum per row": ["u = g * sumRow(g * p)"],
  "a sum per column": ["u = g * sumColumn(g * p)"],
  "a sum per tensor": ["u = g * sumTensor(g * p)"],
  "a sum over all tensors": ["u = g * sumAll(g * p)"],
  "all norms": ["u = g / (1 + normRow(g) * normColumn(p) + normTensor(g - p) * normAll(g))"],
  "all means": ["u = meanRow(g) * meanColumn(g) + g * meanTensor(p) + p * meanAll(g)"],
  "all maxima": ["u = maxRow(g) - maxColumn(p) + g * maxTensor(-g) + p * maxAll(g)"],
  "reductions of reductions": [
    "a = meanRow(g * g)\nb = maxTensor(a)\nc = sumAll(b)\nd = meanAll(a)\nu = g * b / (c + d + sumTensor(maxColumn(g)) + maxAll(sumRow(g)))",
  ],
  "one reduction after the other": [
    "x = g / (1 + normTensor(g))\nx = x - meanRow(x)\nx = x - meanColumn(x)\nu = x * normAll(x)",
  ],
  "counts of rows and columns": ["u = g * rows / columns + meanTensor(sumRow(g)) + meanAll(g)"],
  "slots of all extents": [
    `m = m + (g - m) * rate
     r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     s = s * rate + normTensor(p)
     d = d * rate + sumAll(g * p)
     u = m * s / (1 + sqrt(r / meanTensor(r) * c) + d * d)`,
    { slots: { m: "p", r: row, c: column, s: tensor, d: all } },
  ],
  "slots of rows and columns that no reduction fills": [
    "r = r + rate\nc = c * 0.5 + rate\nu = g * r * c",
    { slots: { r: row, c: column } },
  ],
  "values of rows in a loop over columns": [
    "r = sqrt(meanRow(g * g)) + 1\nw = r < 1.5 ? r * 2 : flush(r)\nu = g / w * w + (r < rate ? g : w)",
  ],
  "a slot that is flushed": [
    `m = abs(m) < limit ? 0 : m
     m = m + (g - m) * rate
     u = m * normTensor(m)`,
    { slots: { m: 0 }, perStep: "limit = t == 2 ? 0.3 : 0" },
  ],
  "matrices of the last two dimensions": [
    `r = r + (meanRow(g * g) - r) * rate
     c = c + (meanColumn(g * g) - c) * rate
     u = g / sqrt(r / meanColumn(r + 0 * g) * c + 1) * maxRow(c * g)`,
    { slots: { r: row, c: column }, matrices: "last" },
  ],
  "Newton–Schulz iterations": [
    `x = g / (normTensor(g) + 1e-7)
     x = newtonSchulz(x, 3.4445, -4.775, 2.0315)
     x = newtonSchulz(x, rate, -0.5, 0.125)
     u = x * learningRate`,
    { matrices: "last" },
  ],
};

const shapes: Readonly<Record<string, readonly number[]>> = {
  scalar: [],
  vector: [37],
  "one column": [19, 1],
  "three columns": [341, 3],
  square: [7, 7],
  "wide rows": [2, 1000],
  "rows of more than a block": [1, 4200],
  "columns of more than a block": [4100, 2],
  "four dimensions": [4, 2, 5, 3],
};

/** One with the compiled kernels of a rule, and one that interprets it. */
async function exactBackends(rule: Rule): Promise<WrappingBackend<Float32Array>[]> {
  const kernels = [await compiled(rule, true)];
  return [createCpuJs({ exact: true, kernels, passes }), createCpuJs({ exact: true, passes })];
}

const rules = Object.entries(texts).map(
  ([name, [text, rest]]) => [name, ruleOf(text, rest)] as const,
);

/** Every shape, or a third of them for each rule. */
const shapesOf = (rule: Rule): [string, readonly number[]][] => {
  const first = rules.findIndex(([, one]) => one === rule) + seed;
  return Object.entries(shapes).filter((_, i) => isFull || (i + first) % 3 === 0);
};

describe.each(sampled(rules, 5))("%s", (_, rule) => {
  const spec = rule.specify({ weightDecay: 0.01 });

  test.each(shapesOf(rule))("%s", async (__, shape) => {
    const tensors = { a: shape, b: [5] };
    const steps = stepsFor(tensors, 2);
    const wanted = await after(reference(), spec, tensors, steps);
    for (const backend of await exactBackends(rule))
      expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
  });

  test.each(["keep", "decay", "zero"] as const)("with masks, other rows: %s", async (how) => {
    const tensors = { a: [9, 4], b: [6, 2, 3], c: [2100], d: [3, 1] };
    const steps = stepsFor(tensors, 4, (step) =>
      step === 2
        ? {}
        : {
            unselectedRows: how,
            rows: Object.fromEntries(
              Object.entries(tensors).map(([name, [length]], i) => [
                name,
                // All rows of d are selected or none are.
                Uint32Array.from(
                  { length },
                  (__, r) => (name === "d" ? step % 2 : (r >> step) + i) % 2,
                ),
              ]),
            ),
          },
    );
    const wanted = await after(reference(), spec, tensors, steps);
    for (const backend of await exactBackends(rule))
      expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
  });

  test("the default is nearer to f64 than the reference is, or as near", async () => {
    const tensors = { a: [40, 30], b: [7, 2, 5] };
    const steps = stepsFor(tensors, 2);
    const wanted = await after(oracle(), spec, tensors, steps);
    const limit = 4 * error(await after(reference(), spec, tensors, steps), wanted);
    for (const kernels of [[await compiled(rule, false)], []])
      expect(
        error(await after(createCpuJs({ kernels, passes }), spec, tensors, steps), wanted),
      ).toBeLessThan(limit);
  });
});

test("compiled passes are used, and shown", async () => {
  const rule = ruleOf("u = g * sumTensor(g)");
  const [backend, interpreting] = await exactBackends(rule);
  const { source } = backend.compile(rule.variant());
  expect(source).toContain("function updateReducing_pass0($arrays");
  expect(source).toContain("function updateReducing_pass1($arrays");
  expect(interpreting.compile(rule.variant()).source).not.toContain("updateReducing");
});

test("without `passes`, a rule with reductions is refused", () => {
  const variant = ruleOf("u = g * sumTensor(g)").variant();
  expect(codeOf(() => createCpuJs().compile(variant))).toBe("UNSUPPORTED");
  expect(createCpuJs()).toMatchObject({ runTogether: undefined });
  for (const wrong of [null, {}, true])
    expect(codeOf(() => createCpuJs({ passes: wrong as never }))).toBe("INVALID_HYPERPARAMETER");
});
