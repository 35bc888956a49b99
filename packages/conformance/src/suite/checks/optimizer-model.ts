import { sgd, type StepOptions } from "@gradstep/core";
import { assertSame, inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { ModelRun } from "../optimizer-model/model-run.js";
import { withRepeater } from "../with-repeater.js";
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
    needs: ["rows"],
    run: (context) => sequences(context, true),
  },
  {
    group: "optimizer",
    name: "masks and unselectedRows hold for one step",
    needs: ["rows"],
    run: (context) => maskedSteps(context, false),
  },
  {
    group: "optimizer",
    name: "masks and unselectedRows hold for one step of a parameter with a copy",
    needs: ["rows", "layouts"],
    run: (context) => maskedSteps(context, true),
  },
  {
    group: "optimizer",
    name: "a mask of one parameter leaves the others alone",
    needs: ["rows"],
    run: masksByName,
  },
];

/** Exact in f32: m is halved, 4 is added to it, and p decreases by m; in a row without gradient 0 is added. */
async function maskedSteps({ target }: Context, hasCopy: boolean): Promise<void> {
  const backend = await target.backend();
  const a = backend.tensor([2]);
  const copy = hasCopy ? backend.tensor([2]) : undefined;
  const optimizer = target.create(
    sgd({ learningRate: 1, momentum: 0.5 }),
    { a },
    copy && { copies: { a: { to: copy } } },
  );
  const first = Uint32Array.of(1, 0);
  const second = Uint32Array.of(0, 1);
  const steps: readonly (readonly [string, StepOptions | undefined, readonly number[]])[] = [
    ["with row 0 alone and zero", { rows: first, unselectedRows: "zero" }, [-4, 0]],
    ["with row 1 alone", { rows: second }, [-4, -4]],
    ["without options", undefined, [-10, -10]],
    ["without a mask and zero", { unselectedRows: "zero" }, [-17, -17]],
    ["with row 0 alone and decay", { rows: first, unselectedRows: "decay" }, [-24.5, -17]],
    ["with a mask of a alone", { rows: { a: second } }, [-24.5, -22.75]],
  ];
  for (const [i, [what, options, expected]] of steps.entries()) {
    optimizer.step({ a: Float32Array.of(4, 4) }, options);
    const step = `sgd, step ${i + 1}, ${what}`;
    assertSame(await a.read(), expected, step, 'p of "a"');
    if (copy !== undefined) assertSame(await copy.read(), expected, step, 'the copy of "a"');
  }
  optimizer.dispose();
}

async function sequences(context: Context, hasRows: boolean): Promise<void> {
  const { target, seed, sequences: count } = context;
  for (let i = 0; i < Math.max(12, count / 16); i += 1) {
    const random = Random.of(seed, `optimizer model ${hasRows}`, i);
    const backend = await target.backend();
    const run = new ModelRun({
      backend: i % 2 === 0 ? backend : withRepeater(backend),
      create: target.create,
      random,
      hasRows,
    });
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

/** Each parameter in turn has a mask, the others have none. */
async function masksByName({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const names = ["a", "b", "c"];
  const parameters = Object.fromEntries(names.map((name) => [name, backend.tensor([2, 3])]));
  const optimizer = target.create(sgd({ learningRate: 1 }), parameters);
  const expected = new Map(names.map((name) => [name, new Float32Array(6)]));
  for (const [i, masked] of names.entries()) {
    const gradients = Object.fromEntries(
      names.map((name) => [name, new Float32Array(6).fill(i + 1)]),
    );
    optimizer.step(gradients, { rows: { [masked]: Uint32Array.of(0, 1) } });
    for (const [name, values] of expected)
      values.forEach((value, k) => {
        if (name !== masked || k >= 3) values[k] = value - (i + 1);
      });
    for (const [name, values] of expected) {
      const what = `sgd, step ${i + 1}, with a mask of "${masked}"`;
      assertSame(await parameters[name].read(), values, what, `p of "${name}"`);
    }
  }
  optimizer.dispose();
}
