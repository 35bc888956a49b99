import { chain, ema, newRow, sgd } from "@gradstep/core";
import { assertNear } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** Slots that start as a copy of their parameter take new values from it when rows are added or reset. */
export const copiedSlotMoveChecks: readonly Check[] = [false, true].map((isReplaced) => ({
  group: "rows",
  name: `new rows of slots that start as a copy are those of ${isReplaced ? "the tensor that replaces the parameter" : "the parameter"}`,
  needs: ["rows", "copies"] as const,
  run: (context: Context) => moveRows(context, isReplaced),
}));

/** The first step copies the weights, the second takes half of them: 2, 4, 6 become −1, 1, 3 with the averages 0, 2, 4. */
async function moveRows({ target }: Context, isReplaced: boolean): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([3, 1], [2, 4, 6]);
  const optimizer = target.create(chain(sgd({ learningRate: 1 }), ema(0.5)), { w });
  for (const g of [1, 2]) optimizer.step({ w: new Float32Array(3).fill(g) });
  const replacement = backend.tensor([4, 1], [10, 20, 30, 40]);
  optimizer.rows().remap(Uint32Array.of(2, newRow, 0, 1), {
    resetRows: Uint32Array.of(0, 0, 0, 1),
    ...(isReplaced && { parameters: { w: replacement } }),
  });
  const p = isReplaced ? replacement : w;
  const { slots } = await optimizer.state();
  const where = "sgd and ema, step 2, after a remap";
  const [values, averages] = isReplaced
    ? [
        [10, 20, 30, 40],
        [4, 20, 0, 40],
      ]
    : [
        [3, 0, -1, 1],
        [4, 0, 0, 1],
      ];
  assertNear(await p.read(), values, backend.exact, where, 'p of "w"');
  assertNear(slots.w.ema, averages, backend.exact, where, 'ema of "w"');
  optimizer.dispose();
}
