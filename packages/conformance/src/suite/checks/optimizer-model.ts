import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { ModelRun } from "../optimizer-model/model-run.js";
import { withRepeater } from "../repeating-backend.js";
import { Random } from "../random/random.js";

/**
 * Random calls of an optimizer give what a plain model gives: groups, `every`, names in any order, repeated steps,
 * hyperparameters, states, added parameters; and masks and moves of rows, if the backend has them.
 */
export const optimizerModelChecks: readonly Check[] = [
  {
    group: "optimizer",
    name: "random calls give the values of a plain model",
    run: (context) => sequences(context, false),
  },
  {
    group: "optimizer",
    name: "random calls with masks and moved rows give the values of a plain model",
    needs: "rows",
    run: (context) => sequences(context, true),
  },
];

async function sequences(context: Context, hasRows: boolean): Promise<void> {
  const { target, seed, sequences: count } = context;
  for (let i = 0; i < Math.max(12, count / 16); i += 1) {
    const random = Random.of(seed, `optimizer model ${hasRows}`, i);
    const backend = await target.backend();
    const run = new ModelRun(
      i % 2 === 0 ? backend : withRepeater(backend),
      target.create,
      random,
      hasRows,
    );
    try {
      for (let call = 0; call < 14; call += 1) {
        await run.call();
        run.checkNumbers();
        if (random.chance(0.4)) await run.checkValues();
      }
      await run.checkValues();
    } catch (error) {
      throw inCase(error, `sequence ${i}, seed ${seed}: ${run.calls.join("; ")}`);
    }
    run.dispose();
    context.stats.cases += 1;
  }
}
