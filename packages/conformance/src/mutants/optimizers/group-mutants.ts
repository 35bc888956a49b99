import { createOptimizer, type Gradients, type Optimizer, type StepOptions } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";
import { wrapping } from "./changed-optimizers.js";
import { repeating } from "./repeated-call-mutants.js";

/** Makes a call while no group is frozen. */
function unfrozen({ groups }: Optimizer, call: () => void): void {
  const frozen = groups.filter((group) => group.frozen);
  for (const group of frozen) group.frozen = false;
  try {
    call();
  } finally {
    for (const group of frozen) group.frozen = true;
  }
}

/** Which groups take part in a step. */
export const groupMutants: readonly Mutant[] = [
  {
    name: "groups are stepped at every step",
    kind: "optimizer",
    target: () =>
      target({
        create: (spec, parameters, options = {}) => {
          const groups = options.groups?.map((group) => ({ ...group, every: 1 })) ?? [];
          return createOptimizer(spec, parameters, { ...options, groups });
        },
      }),
  },
  wrapping("a group that is frozen is updated", (optimizer) => ({
    step: (gradients: Gradients, options?: StepOptions) => {
      unfrozen(optimizer, () => {
        optimizer.step(gradients, options);
      });
    },
  })),
  wrapping("a group that is frozen is updated by a step with the same tensors", (optimizer) => ({
    step: repeating(
      (gradients, options) => {
        optimizer.step(gradients, options);
      },
      (gradients) => {
        unfrozen(optimizer, () => {
          optimizer.step(gradients);
        });
      },
    ),
  })),
];
