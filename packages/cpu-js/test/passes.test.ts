// Programs of several passes: generated and interpreted kernels against the reference.
import type { Rule, WrappingBackend } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { isFull, sampled, seed } from "../../../testing/cases.js";
import { reducingRule, reducingRules } from "../../../testing/reducing-rules.js";
import { passes } from "../src/passes/compile-passes.js";
import { createCpuJs } from "../src/cpu-js.js";
import { compiled } from "./compile.js";
import { codeOf } from "./support.js";
import { after, error, differingArrays, stepsFor } from "./steps.js";

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

/** Every shape, or a third of them for each rule. */
const shapesOf = (rule: Rule): [string, readonly number[]][] => {
  const first = reducingRules.findIndex(([, one]) => one === rule) + seed;
  return Object.entries(shapes).filter((_, i) => isFull || (i + first) % 3 === 0);
};

describe.each(sampled(reducingRules, 4))("%s", (_, rule) => {
  const spec = rule.specify({ weightDecay: 0.01 });

  test.each(shapesOf(rule))("%s", async (__, shape) => {
    const tensors = { a: shape, b: [5] };
    const steps = stepsFor(tensors, 2);
    const wanted = await after(reference(), spec, tensors, steps);
    for (const backend of await exactBackends(rule))
      expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
  });

  test.each(sampled(["keep", "decay", "zero"] as const, 1))(
    "with masks, other rows: %s",
    async (how) => {
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
    },
  );

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

test("a mean over columns of one matrix in a batch counts its rows, whether a mask selects it or not", async () => {
  const rule = reducingRule("u = g * meanColumn(g)", { matrices: "last" });
  const tensors = { a: [1, 5, 3] };
  for (const selected of [1, 0]) {
    const options = { unselectedRows: "keep", rows: { a: Uint32Array.of(selected) } } as const;
    const steps = stepsFor(tensors, 2, () => options);
    const wanted = await after(reference(), rule.specify({}), tensors, steps);
    for (const backend of await exactBackends(rule))
      expect(
        differingArrays(await after(backend, rule.specify({}), tensors, steps), wanted),
      ).toEqual([]);
  }
});

test("compiled passes are used, and shown", async () => {
  const rule = reducingRule("u = g * sumTensor(g)");
  const [backend, interpreting] = await exactBackends(rule);
  const { source } = backend.compile(rule.variant());
  expect(source).toContain("function updateReducing_pass0($arrays");
  expect(source).toContain("function updateReducing_pass1($arrays");
  expect(interpreting.compile(rule.variant()).source).not.toContain("updateReducing");
});

test("without `passes`, a rule with reductions is refused", () => {
  const variant = reducingRule("u = g * sumTensor(g)").variant();
  expect(codeOf(() => createCpuJs().compile(variant))).toBe("UNSUPPORTED");
  expect(createCpuJs()).toMatchObject({ runTogether: undefined });
  for (const wrong of [null, {}, true])
    expect(codeOf(() => createCpuJs({ passes: wrong as never }))).toBe("INVALID_HYPERPARAMETER");
});
