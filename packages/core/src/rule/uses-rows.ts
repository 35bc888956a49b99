import type { Extent } from "../language/extent.js";
import type { Variant } from "./variant.js";

/** Whether what a variant computes depends on what the rows and columns of a tensor are. */
export function usesRows({ slots, perElement, passPlan, evaluation }: Variant): boolean {
  const isOfRows = ({ extent }: { readonly extent: Extent }): boolean =>
    extent === "row" || extent === "column";
  return (
    slots.some(isOfRows) ||
    perElement.nodes.some(isOfRows) ||
    passPlan.passes.some(({ kind }) => kind !== "map") ||
    (evaluation !== undefined && usesRows(evaluation))
  );
}
