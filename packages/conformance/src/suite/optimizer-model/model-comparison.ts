import type { Optimizer, Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertEqual } from "../assertions.js";
import type { PlainOptimizer } from "./plain-optimizer.js";

/** An optimizer with the counting rule. */
export type CountingOptimizer = Optimizer<"learningRate" | "alpha" | "weightDecay">;

/** What needs no read must be that of the plain optimizer: step numbers, hyperparameters and names. */
export function checkNumbers(optimizer: CountingOptimizer, plain: PlainOptimizer): void {
  assertEqual(optimizer.iterations, plain.iterations, "iterations");
  assertEqual(optimizer.parameters, [...plain.values.keys()], "parameters");
  const numbers = (group: { learningRate: number; alpha: number; weightDecay: number }) => ({
    learningRate: group.learningRate,
    alpha: group.alpha,
    weightDecay: group.weightDecay,
  });
  plain.groups.forEach((one, i) => {
    const expected = numbers({
      learningRate: plain.number(one, "learningRate"),
      alpha: plain.number(one, "alpha"),
      weightDecay: plain.number(one, "weightDecay"),
    });
    if (i === 0) {
      assertEqual(numbers(optimizer), expected, "the optimizer's hyperparameters");
      return;
    }
    const group = optimizer.groups[i - 1];
    const what = `of group ${i - 1}`;
    assertEqual(numbers(group), expected, `hyperparameters ${what}`);
    assertEqual(group.every, one.overrides.every ?? 1, `every ${what}`);
    assertEqual(group.frozen, one.frozen, `frozen ${what}`);
    assertEqual(group.iterations, one.iterations, `iterations ${what}`);
    assertEqual(group.parameters, one.names, `parameters ${what}`);
  });
}

/** All values, the persistent scalars and the configuration must be those of the plain optimizer. */
export async function checkValues(
  optimizer: CountingOptimizer,
  parameters: Readonly<Record<string, Tensor>>,
  plain: PlainOptimizer,
): Promise<void> {
  const got = await snapshot(optimizer, parameters);
  for (const [name, values] of plain.values)
    for (const slot of ["p", "sum", "count"] as const)
      values.forEach((value, i) => {
        assert(
          got[name][slot][i] === value[slot],
          `counting, step ${plain.iterations}: ${slot} of "${name}"[${i}] is ${got[name][slot][i]}; expected exactly ${value[slot]} (bound 0)`,
        );
      });
  const { groups } = await optimizer.state();
  const totals = groups.map(({ persistentScalars, iterations }) => [
    persistentScalars.total,
    iterations,
  ]);
  const expected = plain.groups.map(({ total, iterations }) => [total, iterations]);
  assertEqual(totals, expected, "persistent scalar and iterations of the groups in the state");
  const [base, ...own] = plain.groups;
  assertEqual(
    optimizer.config(),
    {
      name: "counting",
      settings: { ...base.overrides, weightDecayMode: "decoupled", maximize: false },
      groups: own.map(({ names, frozen, overrides }) => ({
        match: names,
        ...(frozen ? { frozen } : {}),
        ...overrides,
      })),
    },
    "config",
  );
}
