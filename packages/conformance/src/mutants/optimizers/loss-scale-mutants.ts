import type { DynamicLossScale } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { withOptions } from "./changed-optimizers.js";

/** Changes the parameters of loss scales that adapt. */
function rescaling(
  name: string,
  change: (lossScale: DynamicLossScale) => Partial<DynamicLossScale>,
): Mutant {
  return withOptions(name, ({ lossScale, ...options }) => {
    if (lossScale === undefined) return options;
    if (typeof lossScale !== "object") return { ...options, lossScale };
    return { ...options, lossScale: { ...lossScale, ...change(lossScale) } };
  });
}

/** Loss scales that grow and shrink otherwise. */
export const lossScaleMutants: readonly Mutant[] = [
  rescaling("the loss scale grows one step late", ({ growthInterval = 2000 }) => ({
    growthInterval: growthInterval + 1,
  })),
  rescaling("the loss scale grows by another factor", ({ growthFactor = 2 }) => ({
    growthFactor: 2 * growthFactor,
  })),
  rescaling("the loss scale shrinks by half, whatever factor was given", () => ({
    backoffFactor: 0.5,
  })),
];
