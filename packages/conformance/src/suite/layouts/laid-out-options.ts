import type { GroupOptions, OptimizerOptions } from "@gradstep/core";
import type { LaidOutMemory } from "./laid-out-memory.js";
import { partOf, type LaidOutParameter, type LaidOutParameters } from "./laid-out-parameter.js";

/** Options of an optimizer whose copies and slots are fields. */
export function laidOutOptions(
  plan: LaidOutParameters,
  groups: readonly GroupOptions[],
  memory: LaidOutMemory,
): OptimizerOptions {
  const byName = <T>(of: (name: string, parameter: LaidOutParameter) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(plan).map(([name, one]) => [name, of(name, one)]));
  const activated = Object.entries(plan).flatMap(([name, { gradientActivation }]) =>
    gradientActivation === undefined ? [] : [[name, gradientActivation] as const],
  );
  return {
    groups,
    slots: byName((name, { slots }) =>
      Object.fromEntries(
        Object.keys(slots).map((slot) => [slot, memory.tensor(partOf.slot(name, slot))!]),
      ),
    ),
    copies: byName((name, { copies }) =>
      copies.map(({ activation }, k) => ({
        to: memory.tensor(partOf.copy(name, k))!,
        as: activation,
      })),
    ),
    activatedGradients: Object.fromEntries(activated),
  };
}
