import type { Optimizer, OptimizerSpec, OptimizerState } from "@gradstep/core";
import type { Weights } from "./weights.js";

/**
 * Weights as a state for `optimizer.restore`. The hyperparameters are the optimizer's current ones, because TF.js saves
 * them separately (`getConfig`).
 *
 * @param optimizer has every parameter of the weights.
 */
export function stateOf(
  { iterations, parameters, persistentScalars, groupIterations }: Weights,
  optimizer: Optimizer,
  { rule, options }: OptimizerSpec,
): OptimizerState {
  const hyperparametersOf = (table: Readonly<Record<string, unknown>>): Record<string, number> => {
    const own = Object.entries(table).filter(
      ([name]) => name === "every" || Object.hasOwn(rule.hyperparameters, name),
    );
    return Object.fromEntries(own) as Record<string, number>;
  };
  const { settings, groups } = optimizer.config();
  const inGroups = new Set(optimizer.groups.flatMap((group) => group.parameters));
  const slots = optimizer.parameters.map((key) => [key, parameters.get(key)?.slots ?? {}]);
  return {
    version: 1,
    rule: rule.name,
    options,
    hyperparameters: hyperparametersOf(settings),
    iterations,
    groups: [
      {
        parameters: optimizer.parameters.filter((key) => !inGroups.has(key)),
        hyperparameters: {},
        persistentScalars: persistentScalars?.[0] ?? {},
      },
      ...groups.map((group, i) => ({
        parameters: optimizer.groups[i].parameters,
        hyperparameters: hyperparametersOf(group),
        persistentScalars: persistentScalars?.[i + 1] ?? {},
        ...(groupIterations !== undefined && { iterations: groupIterations[i + 1] }),
      })),
    ],
    slots: Object.fromEntries(slots) as OptimizerState["slots"],
  };
}
