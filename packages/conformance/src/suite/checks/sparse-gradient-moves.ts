import { newRow, sgd, type OptimizerOptions } from "@gradstep/core";
import { assertNear } from "../assertions.js";
import type { Check, Context } from "../check.js";

const trainings: readonly { readonly what: string; readonly options: OptimizerOptions }[] = [
  { what: "dense", options: { sparse: "dense" } },
  { what: "lazy", options: { sparse: "lazy" } },
  { what: "lazy, of two calls", options: { sparse: "lazy", accumulate: 2 } },
];

/** Sparse gradients before and after a parameter has other rows. */
export const sparseGradientMoveChecks: readonly Check[] = trainings.flatMap(({ what, options }) =>
  [false, true].map((isReplaced) => ({
    group: "sparse gradients",
    name: `${what}: the rows are those after a remap${isReplaced ? " into another tensor" : ""}`,
    needs: ["rows"] as const,
    run: (context: Context) => moveRows(context, options, isReplaced),
  })),
);

/** Integers, of which the mean of two equal calls is exact. */
async function moveRows(
  { target }: Context,
  options: OptimizerOptions,
  isReplaced: boolean,
): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([2, 1], [10, 20]);
  const optimizer = target.create(sgd({ learningRate: 1 }), { w }, options);
  const step = (indices: readonly number[], values: readonly number[]): void => {
    for (let call = 0; call < (options.accumulate ?? 1); call += 1)
      optimizer.step({
        w: { indices: Uint32Array.from(indices), values: Float32Array.from(values) },
      });
  };
  step([1], [2]);
  const { exact } = backend;
  assertNear(await w.read(), [10, 18], exact, "sgd, step 1");
  const other = backend.tensor([5, 1], [18, 0, 10, 0, 18]);
  optimizer.rows().remap(Uint32Array.of(1, newRow, 0, newRow, 1), {
    ...(isReplaced && { parameters: { w: other } }),
  });
  const moved = isReplaced ? other : w;
  step([4, 1, 4], [1, 2, 3]);
  assertNear(await moved.read(), [18, -2, 10, 0, 14], exact, "sgd, step 2, of 5 rows");
  optimizer.rows().remap(Uint32Array.of(4));
  step([0], [4]);
  assertNear(await moved.read(), [10], exact, "sgd, step 3, of one row");
  optimizer.dispose();
}
