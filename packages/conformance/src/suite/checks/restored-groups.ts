import { sgd, type GroupOptions, type Optimizer, type Tensor } from "@gradstep/core";
import { assert, assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";

const names = ["x", "y", "z"] as const;

/** Groups take from a state what belongs to their parameters, and nothing of what they had stays. */
export const restoredGroupChecks: readonly Check[] = [
  {
    group: "state",
    name: "groups in another order than in a state have the numbers of their parameters",
    run: otherOrder,
  },
  {
    group: "state",
    name: "a group that a state does not freeze is updated after it is restored",
    run: unfrozen,
  },
];

/** Parameters of zeros; with SGD and gradients of 1, each step subtracts the learning rate. */
async function start(
  { target }: Context,
  groups: readonly GroupOptions[],
): Promise<{ optimizer: Optimizer; step: () => void; assertValues: AssertValues }> {
  const backend = await target.backend();
  const parameters = Object.fromEntries(names.map((name) => [name, backend.tensor([2])])) as Record<
    (typeof names)[number],
    Tensor
  >;
  const optimizer = target.create(sgd({ learningRate: 1 }), parameters, {
    groups,
  }) as unknown as Optimizer;
  return {
    optimizer,
    step: () => {
      optimizer.step(Object.fromEntries(names.map((name) => [name, Float32Array.of(1, 1)])));
    },
    assertValues: async (expected, when) => {
      for (const name of names)
        assertSame(
          await parameters[name].read(),
          [expected[name], expected[name]],
          `sgd, step ${optimizer.iterations}, ${when}`,
          `p of "${name}"`,
        );
    },
  };
}

type AssertValues = (
  expected: Readonly<Record<(typeof names)[number], number>>,
  when: string,
) => Promise<void>;

async function otherOrder(context: Context): Promise<void> {
  const first = await start(context, [
    { match: "y", learningRate: 2 },
    { match: "z", learningRate: 4, every: 2 },
  ]);
  first.step();
  const state = await first.optimizer.state();
  const { optimizer, step, assertValues } = await start(context, [
    { match: "z", learningRate: 8 },
    { match: "y", learningRate: 16, every: 3 },
  ]);
  optimizer.restore(state);
  step();
  await assertValues({ x: -1, y: -2, z: -4 }, "the first one after a state with other groups");
  const steps = optimizer.groups.map(({ iterations }) => iterations);
  assertSame(steps, [1, 2], "a step after a state with other groups", "iterations of groups");
  step();
  await assertValues({ x: -2, y: -4, z: -4 }, "the second one after a state with other groups");
  first.optimizer.dispose();
  optimizer.dispose();
}

async function unfrozen(context: Context): Promise<void> {
  const { optimizer, step, assertValues } = await start(context, [{ match: "y", learningRate: 2 }]);
  const state = await optimizer.state();
  const [group] = optimizer.groups;
  group.frozen = true;
  step();
  await assertValues({ x: -1, y: 0, z: -1 }, "with a frozen group");
  optimizer.restore(state);
  assert(!group.frozen, "a group is frozen after a state in which it is not; expected false");
  step();
  await assertValues({ x: -2, y: -2, z: -2 }, "after a state in which no group is frozen");
  optimizer.dispose();
}
