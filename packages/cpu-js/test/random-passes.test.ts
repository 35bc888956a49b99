// Random rules with reductions: compiled passes, the interpreter and the reference have to agree.
import { reference } from "@gradstep/core/reference";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { lines, ruleOf, shape, text } from "../../../testing/random-reducing-rule.js";
import { passes } from "../src/passes/compile-passes.js";
import { createCpuJs } from "../src/cpu-js.js";
import { compiled } from "./compile.js";
import { after, differingArrays, stepsFor } from "./steps.js";

test(`gives the bits of the reference (seed ${seed})`, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      lines,
      text,
      fc.constantFrom("first", "last"),
      shape,
      fc.constantFrom(undefined, "keep", "decay", "zero"),
      async (statements, update, matrices, lengths, how) => {
        const rule = ruleOf([...statements, `u = (${update}) * learningRate`], matrices);
        fc.pre(rule !== undefined);
        accepted += 1;
        const tensors = { a: lengths, b: [3, 2] };
        const steps = stepsFor(
          tensors,
          2,
          how === undefined
            ? undefined
            : () => ({
                unselectedRows: how,
                rows: Object.fromEntries(
                  Object.entries(tensors).map(([name, [length = 1]]) => [
                    name,
                    Uint32Array.from({ length }, (_, row) => (row * 7 + 3) % 3),
                  ]),
                ),
              }),
        );
        // A number has no rows to be masked.
        fc.pre(how === undefined || lengths.length > 0);
        const spec = rule.specify({});
        const wanted = await after(reference(), spec, tensors, steps);
        const kernels = [await compiled(rule, true)];
        for (const backend of [
          createCpuJs({ exact: true, kernels, passes }),
          createCpuJs({ exact: true, passes }),
        ])
          expect(differingArrays(await after(backend, spec, tensors, steps), wanted)).toEqual([]);
      },
    ),
    { numRuns: cases(2000, 25), seed },
  );
  expect(accepted).toBeGreaterThan(0);
}, 600_000);
