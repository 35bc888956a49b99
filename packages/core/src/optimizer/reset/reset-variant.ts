import { singlePass, type Language } from "../../language/language.js";
import { assembleVariant, type SlotDefinition, type Variant } from "../../rule/variant.js";

/** Where the first values of a slot are: in a scalar, or in the parameter, which the program receives as the gradient. */
export type FirstValues = "scalar" | "parameter";

/** What a selection says of each value: its element, or its column. */
export type SelectionExtent = "column" | "element" | "none";

/** With the gradient, a selection, a mask and a table, a GPU kernel binds the eight arrays that every device allows. */
export const maxSlotsPerReset = 4;

/** Its passes have a copy of the program, as those of all programs that read values per column. */
const resetLanguage: Language = {
  resolveTensorOperation: undefined,
  planPasses: (program) => singlePass({ ...program }),
};

const variants = /* @__PURE__ */ new Map<string, Variant>();

/**
 * The program that resets slots of one shape: the first is its parameter, the others are its slots, followed by the
 * selection.
 */
export function resetVariant(
  firstValues: readonly FirstValues[],
  extent: SelectionExtent,
): Variant {
  const label = `reset to ${firstValues.join(", ")}, selection: ${extent}`;
  const known = variants.get(label);
  if (known !== undefined) return known;
  const names = firstValues.map((_, k) => (k === 0 ? "p" : `slot${k}`));
  const slots: Record<string, SlotDefinition> = Object.fromEntries(
    names.slice(1).map((name) => [name, 0]),
  );
  if (extent !== "none") slots.selected = { extent, initial: 0 };
  const statements = names.map((name, k) => {
    const first = firstValues[k] === "parameter" ? "g" : `first${k}`;
    return `${name} = ${extent === "none" ? first : `selected > 0 ? ${first} : ${name}`}`;
  });
  const variant = assembleVariant(
    {
      rule: "reset",
      label,
      hyperparameters: names.map((_, k) => `first${k}`),
      slots,
      persistentScalars: {},
      perStep: [],
      perElement: statements.map((text) => ({ text })),
    },
    resetLanguage,
  );
  variants.set(label, variant);
  return variant;
}
