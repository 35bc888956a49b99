import { elementLanguage } from "../../language/language.js";
import { assembleVariant, type Variant } from "../../rule/variant.js";

function operation(label: string, text: string, scalars: readonly string[] = []): Variant {
  return assembleVariant(
    {
      rule: gradientArithmetic.name,
      label,
      hyperparameters: scalars,
      slots: {},
      persistentScalars: {},
      perStep: [],
      perElement: [{ text }],
    },
    elementLanguage,
  );
}

/** Adds a gradient to what was accumulated, `p`. */
export const addition = lazily(() => operation("add", "p = p + g"));

/** The mean of what was accumulated, in its place. */
export const division = lazily(() => operation("divide", "p = p / divisor", ["divisor"]));

/** A gradient divided by the loss scale. */
export const quotient = lazily(() => operation("unscale", "p = g / divisor", ["divisor"]));

/** A gradient multiplied by the scale of a step. */
export const product = lazily(() => operation("scale", "p = g * factor", ["factor"]));

/** The value to which anything can be added without a change of its bits: −0. */
export const clearing = lazily(() => operation("clear", "p = -0"));

/** Flags of rows: 1 for those of a mask. Only for backends whose memory the host does not see. */
export const selection = lazily(() => operation("select", "p = 1"));

/** Flags of rows: all 0. */
export const unselection = lazily(() => operation("unselect", "p = 0"));

/** What an optimizer computes with gradients before its rule runs. For backends that compile kernels in advance. */
export const gradientArithmetic = {
  name: "gradient-arithmetic",
  variants: (): readonly Variant[] => [addition(), division(), quotient(), product(), clearing()],
};

/** Builds a variant at its first use, so that a module that imports it does nothing while it loads. */
function lazily(build: () => Variant): () => Variant {
  let built: Variant | undefined;
  return () => (built ??= build());
}
