import { sgd } from "@gradstep/core";
import { assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** A mask may be given for several parameters in one step, and for others in the next. */
export const sharedMaskChecks: readonly Check[] = [
  {
    group: "optimizer",
    name: "parameters that share a mask in one step have masks of their own in the next",
    needs: ["rows"],
    run: sharedMasks,
  },
];

/** Exact in f32: a row that is stepped decreases by 1. */
async function sharedMasks({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const parameters = { a: backend.tensor([2]), b: backend.tensor([2]), c: backend.tensor([2]) };
  const optimizer = target.create(sgd({ learningRate: 1 }), parameters);
  const [first, second] = [Uint32Array.of(1, 0), Uint32Array.of(0, 1)];
  const one = Float32Array.of(1, 1);
  const steps = [
    { a: first, b: first, c: second },
    { a: first, b: second, c: second },
    { a: second, b: first, c: second },
    { a: second, b: second, c: second },
    { a: first, b: first, c: second },
  ];
  const expected = { a: [0, 0], b: [0, 0], c: [0, 0] };
  for (const [i, rows] of steps.entries()) {
    optimizer.step({ a: one, b: one, c: one }, { rows });
    for (const name of ["a", "b", "c"] as const) {
      rows[name].forEach((selected, row) => (expected[name][row] -= selected));
      const what = `sgd, step ${i + 1}, with one array for several masks`;
      assertSame(await parameters[name].read(), expected[name], what, `p of "${name}"`);
    }
  }
  optimizer.dispose();
}
