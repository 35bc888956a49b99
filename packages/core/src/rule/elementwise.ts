import type { Variant } from "./variant.js";

/** Whether a variant is one pass over elements: then all of its arrays have a value per element. */
export function isElementwise({ passPlan, perElement }: Variant): boolean {
  const [first] = passPlan.passes;
  // The passes of others have programs of their own.
  return first.kind === "map" && first.program === perElement;
}
