import { sgd, type OptimizerSpec, type Rule } from "@gradstep/core";
import { Checker } from "../../checker/checker.js";
import { snapshot } from "../../checker/snapshot.js";
import { describeViolation } from "../../checker/violation.js";
import { assert, assertSame } from "../assertions.js";
import { needsOf } from "../rule-needs.js";
import type { Check, Context } from "../check.js";
import { inRange } from "../random/random-settings.js";
import { Random } from "../random/random.js";

/** `maximize` negates the gradient, and nothing else: weight decay still shrinks the parameter. */
export function maximizeChecks(rules: readonly Rule[]): readonly Check[] {
  return [
    {
      group: "maximize",
      name: "weight decay shrinks the parameter in either direction",
      run: oneStepOfSgd,
    },
    ...rules.map((rule): Check => ({
      group: "maximize",
      name: `${rule.name}: to maximize is to minimize with the opposite gradient`,
      needs: needsOf(rule),
      run: async (context) => {
        for (const weightDecayMode of rule.options.weightDecayMode) {
          const weightDecay = inRange(rule.hyperparameters.weightDecay, 0.125);
          const settings = { weightDecayMode, weightDecay };
          await oppositeGradients(
            context,
            rule.specify({ ...settings, maximize: true }),
            rule.specify(settings),
          );
        }
      },
    })),
  ];
}

/** Exact in f32: 8 − 0.5·(±2 + 0.5·8), and 8·(1 − 0.5·0.5) − 0.5·(±2), which is the same. */
async function oneStepOfSgd({ target }: Context): Promise<void> {
  for (const weightDecayMode of ["decoupled", "l2"] as const) {
    for (const maximize of [false, true]) {
      const backend = await target.backend();
      const p = backend.tensor([2], [8, -8]);
      const spec = sgd({ learningRate: 0.5, weightDecay: 0.5, weightDecayMode, maximize });
      const optimizer = target.create(spec, { p });
      optimizer.step({ p: Float32Array.of(2, 2) });
      const expected = maximize ? [7, -5] : [5, -7];
      const what = `sgd ${weightDecayMode}${maximize ? " maximize" : ""}, step 1`;
      assertSame(await p.read(), expected, what, 'p of "p"');
      optimizer.dispose();
    }
  }
}

async function oppositeGradients(
  context: Context,
  maximizing: OptimizerSpec,
  minimizing: OptimizerSpec,
): Promise<void> {
  const { target, seed, stats } = context;
  const random = Random.of(seed, `maximize ${maximizing.rule.name}`);
  const numbers = (): Float32Array => Float32Array.from({ length: 5 }, () => random.between(-1, 1));
  const parameters = { p: (await target.backend()).tensor([5], numbers()) };
  const optimizer = target.create(maximizing, parameters);
  const checker = new Checker({ spec: minimizing, shapes: { p: [5] }, model: target.model });
  for (let step = 0; step < 2; step += 1) {
    const gradient = numbers();
    const before = await snapshot(optimizer, parameters);
    optimizer.step({ p: gradient });
    const after = await snapshot(optimizer, parameters);
    const gradients = { p: gradient.map((value) => -value) };
    checker.step({ before, gradients, after, stats });
    const { violation } = checker;
    if (violation !== undefined) assert(false, `maximize, ${describeViolation(violation)}`);
  }
  optimizer.dispose();
}
