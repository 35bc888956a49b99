import type { GroupOptions, Optimizer, OptimizerSpec, OptimizerState } from "@gradstep/core";
import type { GroupVariants } from "../group-variants.js";
import type { TfOptimizerState } from "./optimizer-state.js";
import type { Weights } from "./weights.js";

/** The optimizer that weights are read for. */
interface WeightsReader {
  readonly core: Pick<Optimizer, "config" | "groups">;
  readonly spec: OptimizerSpec;
  /** As they were given. */
  readonly groups: readonly GroupOptions[];
  readonly variants: GroupVariants;
}

/**
 * Weights as a state. The hyperparameters and which groups are frozen are the optimizer's current ones, because TF.js
 * saves them separately (`getConfig`).
 */
export function stateOf(
  { iterations, parameters, persistentScalars, groupIterations, stepControl }: Weights,
  { core, spec: { rule, options }, groups: given, variants }: WeightsReader,
): TfOptimizerState {
  const { settings, groups } = core.config();
  const members: string[][] = variants.byGroup.map(() => []);
  for (const [name, { shape }] of parameters) members[variants.indexOf({ name, shape })].push(name);
  const tableOf = <T>(valueOf: (name: string) => T | undefined): Record<string, T> => {
    const entries = [...parameters.keys()].map((name) => [name, valueOf(name)] as const);
    return Object.fromEntries(
      entries.filter((entry): entry is [string, T] => entry[1] !== undefined),
    );
  };
  return {
    version: 1,
    rule: rule.name,
    options,
    hyperparameters: hyperparametersOf(rule.hyperparameters, settings),
    iterations,
    groups: [
      { parameters: members[0], hyperparameters: {}, persistentScalars: persistentScalars[0] },
      ...groups.map(({ rule: ownConfig, ...overrides }, i) => {
        const own = given[i].rule;
        const { hyperparameters } = own?.rule ?? rule;
        return {
          parameters: members[i + 1],
          hyperparameters: hyperparametersOf(hyperparameters, {
            ...ownConfig?.settings,
            ...overrides,
          }),
          persistentScalars: persistentScalars[i + 1],
          frozen: core.groups[i].frozen,
          ...(groupIterations !== undefined && { iterations: groupIterations[i + 1] }),
          ...(own !== undefined && { rule: own.rule.name, options: own.options }),
        };
      }),
    ],
    shapes: tableOf((name) => parameters.get(name)!.shape),
    slots: tableOf((name) => parameters.get(name)!.slots),
    fingerprints: tableOf((name) => parameters.get(name)!.fingerprint),
    ...(stepControl !== undefined && {
      control: {
        ...stepControl,
        accumulated: tableOf((name) => parameters.get(name)!.accumulated),
        rows: {},
      },
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
