import type { Variant } from "@gradstep/core";
import { slotShape } from "@gradstep/core/internal";

/**
 * The names of slots in TF.js's checkpoints, in TF.js's order, so that TF.js and gradstep read each other's checkpoints.
 * The slots of other rules are saved under their own names.
 */
const tfjsNames: Readonly<Record<string, readonly (readonly [suffix: string, slot: string])[]>> = {
  sgd: [["momentum", "m"]],
  adadelta: [
    ["accum_grad", "v"],
    ["accum_var", "d"],
  ],
  adagrad: [["accumulator", "a"]],
  rmsprop: [
    ["rms", "v"],
    ["momentum", "m"],
    ["mg", "a"],
  ],
  adamax: [
    ["m", "m"],
    ["v", "norm"],
  ],
};

/** A slot in a checkpoint. */
export interface SavedSlot {
  /** What its weights' names end in. */
  readonly suffix: string;
  readonly name: string;
  /** The shape of its values for a parameter of this shape. */
  readonly shapeFor: (shape: readonly number[]) => readonly number[];
  /** Whether that is the parameter's shape. */
  readonly isElementwise: boolean;
}

/** A rule's slots in a checkpoint, in order. */
export function savedSlotsOf({ rule, slots, matrices }: Variant): SavedSlot[] {
  const saved = slots
    .filter(({ isMetric }) => !isMetric)
    .map(({ name, extent }) => ({
      suffix: name,
      name,
      shapeFor: (shape: readonly number[]) => slotShape(extent, shape, matrices),
      isElementwise: extent === "element",
    }));
  const named = tfjsNames[rule];
  if (named === undefined) return saved;
  return named.flatMap(([suffix, slot]) =>
    saved.filter(({ name }) => name === slot).map((one) => ({ ...one, suffix })),
  );
}
