import { chain, clipByGlobalNorm, defineStage, sgd, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertNear } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** Changes gradients of 0, too. */
const pull = defineStage({ name: "pull", perElement: "g = g + p * 0.5" });

/** What stages make of the gradient 0 of rows that are left out. */
export const unselectedRowChecks: readonly Check[] = (["decay", "zero"] as const).map(
  (unselectedRows) => ({
    group: "rows",
    name: `${unselectedRows}: stages change the gradient of rows that are left out`,
    needs: ["rows", "reductions"],
    run: (context: Context) => compare(context, unselectedRows),
  }),
);

/** A step with a mask, and one in which the gradients of these rows are 0. */
async function compare({ target }: Context, unselectedRows: "decay" | "zero"): Promise<void> {
  const backend = await target.backend();
  const spec = chain(pull(), clipByGlobalNorm(0.5), sgd({ learningRate: 1, momentum: 0.5 }));
  const mask = Uint32Array.of(0, 1, 0);
  const start = () => {
    const w = backend.tensor([3, 2], [1, 2, -3, 4, 5, -6]);
    return { parameters: { w } as Record<string, Tensor>, optimizer: target.create(spec, { w }) };
  };
  const [masked, plain] = [start(), start()];
  for (let step = 1; step <= 2; step += 1) {
    const before = await plain.parameters.w.read();
    masked.optimizer.step(
      { w: Float32Array.of(9, 9, 1, 2, 9, 9) },
      { rows: { w: mask }, unselectedRows },
    );
    plain.optimizer.step({ w: Float32Array.of(0, 0, 1, 2, 0, 0) });
    if (unselectedRows === "decay") {
      const after = await plain.parameters.w.read();
      plain.parameters.w.write(after.map((p, i) => (mask[i >> 1] === 0 ? before[i] : p)));
    }
    const [{ w: got }, { w: expected }] = [
      await snapshot(masked.optimizer, masked.parameters),
      await snapshot(plain.optimizer, plain.parameters),
    ];
    for (const [name, values] of Object.entries(expected))
      assertNear(
        got[name],
        values,
        backend.exact,
        `${spec.rule.name}, step ${step} with a mask`,
        `${name} of "w"`,
      );
  }
  for (const { optimizer } of [masked, plain]) optimizer.dispose();
}
