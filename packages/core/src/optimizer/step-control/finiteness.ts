import { tensorLanguage } from "../../language/tensor-language.js";
import { assembleVariant, type Variant } from "../../rule/variant.js";
import { gradientArithmetic } from "./gradient-arithmetic.js";

let built: Variant | undefined;

/** For backends with a guard: the slot `nonFinite` becomes 1 if a gradient has a value that is not finite, otherwise 0. */
export function finiteness(): Variant {
  return (built ??= assembleVariant(
    {
      rule: gradientArithmetic.name,
      label: "find values that are not finite",
      hyperparameters: [],
      slots: { nonFinite: { extent: "all", initial: 0 } },
      persistentScalars: {},
      perStep: [],
      // The maximum of no values, if a mask selects none, is below 0.
      perElement: [{ text: "nonFinite = max(maxAll(1 - isFinite(g)), 0)" }],
    },
    tensorLanguage,
  ));
}
