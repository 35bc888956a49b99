// Random rules with reductions over the whole language, on the passes of this backend.
import { reference } from "@gradstep/core/reference";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { lines, ruleOf, shape, text } from "../../../testing/random-reducing-rule.js";
import { after, difference, rowsOf, someValue } from "./passes.js";
import { threaded } from "./threaded.js";
import { wasm } from "../src/index.js";

/** Values of any magnitude and sign, special ones among them. */
const special = [0, -0, 1, 2 ** -127, -(2 ** -149), 3e38, Infinity, -Infinity, Number.NaN];

const single = wasm();
const three = await threaded();

test(`gives the bits of the reference on 1 and 3 threads (seed ${seed})`, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      lines,
      text,
      fc.constantFrom("first", "last"),
      shape,
      fc.constantFrom(undefined, "keep", "decay", "zero"),
      fc.nat({ max: 3 }),
      async (statements, update, matrices, lengths, unselectedRows, specialValues) => {
        const rule = ruleOf([...statements, `u = (${update}) * learningRate`], matrices);
        // A number has no rows to be masked.
        fc.pre(rule !== undefined && (unselectedRows === undefined || lengths.length > 0));
        accepted += 1;
        const shapes = { a: lengths, b: [3, 2], c: [17] };
        const options =
          unselectedRows === undefined
            ? {}
            : { unselectedRows, rows: rowsOf(shapes, (row, k) => (row * 7 + k) % 3 !== 0) };
        const steps = {
          spec: rule.specify({}),
          shapes,
          options: [options, {}, options],
          valueAt: (tensor: number, step: number, index: number): number =>
            specialValues > 0 && (index * 31 + step) % 101 < specialValues
              ? special[index % special.length]
              : someValue(tensor, step, index),
        };
        const expected = await after(reference(), steps);
        for (const backend of [single, three()])
          expect(difference(await after(backend, steps), expected)).toBeUndefined();
      },
    ),
    { numRuns: cases(5000, 80), seed },
  );
  expect(accepted).toBeGreaterThan(0);
}, 600_000);
