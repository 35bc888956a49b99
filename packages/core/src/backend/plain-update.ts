import type { ParameterCopy, Update } from "./backend.js";

const noCopies: readonly ParameterCopy[] = Object.freeze([]);

/** An update of all rows, without copies, from a gradient that is used as it is. */
export function plainUpdate(
  parts: Pick<Update, "parameter" | "gradient" | "slots" | "scalars">,
): Update {
  return {
    ...parts,
    copies: noCopies,
    gradientActivation: undefined,
    clearsGradient: false,
    mask: undefined,
    unselectedRows: "keep",
    rows: undefined,
  };
}
