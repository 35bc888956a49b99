import { adam, linear, sgd, type Optimizer, type OptimizerOptions } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { randomParameter } from "../random/random-values.js";

type ScheduledOptimizer = Optimizer<"learningRate" | "weightDecay">;

/** The shape of each parameter; `seldom` is updated at every third step, and `own` has a rule of its own. */
const sizes = { inherits: 5, group: 4, seldom: 3, own: 2 };
const names = Object.keys(sizes) as (keyof typeof sizes)[];
const steps = 9;

/** The value of `linear(from, to, 16)`, which is exact for these numbers. */
function lineAt(from: number, to: number, step: number): number {
  return from + ((to - from) * Math.min(step, 16)) / 16;
}

/** A step with a schedule has the bits of one whose hyperparameters are set to its values. */
export const scheduleChecks: readonly Check[] = [
  {
    group: "schedules",
    name: "have the value of the optimizer's step in every group",
    run: (context) => checkValues(context, {}, 1, (step) => step),
  },
  {
    group: "schedules",
    name: "count steps, and not the calls of a step",
    run: (context) => checkValues(context, { accumulate: 2 }, 2, (step) => step),
  },
  {
    group: "schedules",
    name: "with schedulesCount, have the value of the last call of a step",
    run: (context) =>
      checkValues(context, { accumulate: 2, schedulesCount: "calls" }, 2, (step) => 2 * step + 1),
  },
];

/** @param countAt what schedules count at a step, of which the first is 0 */
async function checkValues(
  context: Context,
  options: OptimizerOptions,
  calls: number,
  countAt: (step: number) => number,
): Promise<void> {
  const random = Random.of(context.seed, "schedules");
  const initial = names.map((name) => randomParameter(sizes[name], random));
  const start = async (isScheduled: boolean) => {
    const rate = (from: number, to: number) => (isScheduled ? linear(from, to, 16) : from);
    const backend = await context.target.backend();
    const parameters = Object.fromEntries(
      names.map((name, i) => [name, backend.tensor([sizes[name]], initial[i])]),
    );
    const groups = [
      { match: "group", weightDecay: rate(0, 0.5) },
      { match: "seldom", every: 3 },
      { match: "own", rule: sgd({ learningRate: rate(0, 1), momentum: 0.5 }) },
    ];
    const spec = adam({ learningRate: rate(1, 0.25), weightDecay: 0.125 });
    const optimizer = context.target.create(spec, parameters, { ...options, groups });
    return { parameters, optimizer: optimizer as unknown as ScheduledOptimizer };
  };
  const scheduled = await start(true);
  const set = await start(false);
  for (let step = 0; step < steps; step += 1) {
    const count = countAt(step);
    const [group, , own] = set.optimizer.groups;
    set.optimizer.learningRate = lineAt(1, 0.25, count);
    group.weightDecay = lineAt(0, 0.5, count);
    own.learningRate = lineAt(0, 1, count);
    for (let call = 0; call < calls; call += 1) {
      const gradients = Object.fromEntries(
        names.map((name) => [name, randomParameter(sizes[name], random)]),
      );
      for (const { optimizer } of [scheduled, set]) optimizer.step(gradients);
    }
    assertSameAll(
      await snapshot(scheduled.optimizer, scheduled.parameters),
      await snapshot(set.optimizer, set.parameters),
      `adam, step ${step + 1} with schedules`,
    );
  }
  for (const { optimizer } of [scheduled, set]) optimizer.dispose();
}
