import type { Variant } from "@gradstep/core";
import { isElementwise } from "@gradstep/core/internal";

/** The array to which a stage writes the gradient that it has changed: the caller's own stays as it is. */
const changedGradient = "@g";

/** The names of a variant's arrays, in the order in which its passes receive them. */
export function arrayNamesOf({ slots, passPlan }: Variant): readonly string[] {
  const { temporaries, counts } = passPlan;
  const named = [...slots, ...temporaries, ...counts].map(({ name }) => name);
  return ["p", "g", ...named, changedGradient];
}

/** The name of the array in which a pass stores an output. */
export function storedIn(output: string): string {
  return output === "g" ? changedGradient : output;
}

/** Whether a variant is one loop over elements, without other arrays than `p`, `g` and its slots. */
export function isOneLoop(variant: Variant): boolean {
  return isElementwise(variant) && variant.perElement.outputs.every(({ name }) => name !== "g");
}
