import { nonNegative } from "./hyperparameter.js";

/** The hyperparameter that every rule has in addition to its own. */
export const commonHyperparameters = { weightDecay: nonNegative(0) } as const;

/** The options that every rule has in addition to its own: how weights decay, and the direction. */
export const commonOptions = {
  weightDecayMode: ["decoupled", "l2"],
  maximize: [false, true],
} as const;

/** The scalars that the common statements compute. */
export const commonScalars = ["decay", "direction", "l2"] as const;

/** The statement after every rule's own, for those that assign `u`. */
export const application = "p = p - u";

/**
 * The statements before every rule's own. A factor without effect is exactly 1, a term without effect exactly 0. A rule
 * whose `weightDecayMode` has more values than these two applies weight decay itself with the others.
 */
export function commonStatements({
  weightDecayMode,
  maximize,
}: Readonly<Record<string, boolean | string>>): { perStep: string; perElement: string } {
  const isL2 = weightDecayMode === "l2";
  const isDecoupled = weightDecayMode === "decoupled";
  if (!isL2 && !isDecoupled)
    return maximize === true
      ? { perStep: "direction = -1", perElement: "g = g * direction" }
      : { perStep: "", perElement: "" };
  if (isDecoupled && maximize === false)
    return { perStep: "decay = 1 - learningRate * weightDecay", perElement: "p = p * decay" };
  return {
    perStep: `
      direction = ${maximize === true ? "-1" : "1"}
      decay = ${isL2 ? "1" : "1 - learningRate * weightDecay"}
      l2 = ${isL2 ? "weightDecay" : "0"}`,
    perElement: `
      g = g * direction + p * l2
      p = p * decay`,
  };
}
