import type { GroupOptions, Optimizer, OptimizerSpec, OptimizerState } from "@gradstep/core";
import type { Weights } from "./weights.js";

/**
 * Weights as a state for `optimizer.restore`. The hyperparameters and which groups are frozen are the optimizer's current
 * ones, because TF.js saves them separately (`getConfig`).
 *
 * @param optimizer has every parameter of the weights.
 * @param given the groups as they were given.
 */
export function stateOf(
  { iterations, parameters, persistentScalars, groupIterations, stepControl }: Weights,
  optimizer: Optimizer,
  { rule, options }: OptimizerSpec,
  given: readonly GroupOptions[],
): OptimizerState {
  const { settings, groups } = optimizer.config();
  const inGroups = new Set(optimizer.groups.flatMap((group) => group.parameters));
  const slots = optimizer.parameters.map((key) => [key, parameters.get(key)?.slots ?? {}]);
  const accumulated = [...parameters].flatMap(([key, one]) =>
    one.accumulated === undefined ? [] : [[key, one.accumulated] as const],
  );
  return {
    version: 1,
    rule: rule.name,
    options,
    hyperparameters: hyperparametersOf(rule.hyperparameters, settings),
    iterations,
    groups: [
      {
        parameters: optimizer.parameters.filter((key) => !inGroups.has(key)),
        hyperparameters: {},
        persistentScalars: persistentScalars[0],
      },
      ...groups.map(({ rule: ownConfig, ...overrides }, i) => {
        const own = given[i].rule;
        const { hyperparameters } = own?.rule ?? rule;
        return {
          parameters: optimizer.groups[i].parameters,
          hyperparameters: hyperparametersOf(hyperparameters, {
            ...ownConfig?.settings,
            ...overrides,
          }),
          persistentScalars: persistentScalars[i + 1],
          frozen: optimizer.groups[i].frozen,
          ...(groupIterations !== undefined && { iterations: groupIterations[i + 1] }),
          ...(own !== undefined && { rule: own.rule.name, options: own.options }),
        };
      }),
    ],
    slots: Object.fromEntries(slots) as OptimizerState["slots"],
    ...(stepControl !== undefined && {
      control: { ...stepControl, accumulated: Object.fromEntries(accumulated), rows: {} },
    }),
  };
}

function hyperparametersOf(
  known: object,
  values: Readonly<Record<string, unknown>>,
): OptimizerState["hyperparameters"] {
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => name === "every" || Object.hasOwn(known, name)),
  ) as OptimizerState["hyperparameters"];
}
