import type { Update, Variant } from "@gradstep/core";
import { dimensionsOf } from "@gradstep/core/internal";
import type { ElementTemporary } from "../../memory/element-temporaries.js";
import { productLength } from "./matrix-pass.js";

/** The products of a Newton–Schulz iteration. */
export const productsName = "@products";

/** The second memory of a temporary that an iteration replaces by its result. */
export function alternateName(name: string): string {
  return `${name} alternate`;
}

/** The temporaries with a value per element that a variant needs for these tensors, and those of its matrix products. */
export function elementTemporariesOf(
  { passPlan, matrices }: Variant,
  updates: readonly Update[],
): readonly ElementTemporary[] {
  const sizes = updates.map(({ parameter }) => parameter.size);
  const products = passPlan.passes.filter((pass) => pass.kind === "newtonSchulz");
  const inPlace = new Set(products.flatMap(({ from, to }) => (from === to ? [from] : [])));
  const names = passPlan.temporaries.flatMap(({ name, extent }) =>
    extent === "element" ? [name] : [],
  );
  return [
    ...[...names, ...[...inPlace].map(alternateName)].map((name) => ({ name, sizes })),
    ...(products.length === 0
      ? []
      : [
          {
            name: productsName,
            sizes: updates.map(({ parameter }) =>
              productLength(dimensionsOf(parameter.shape, matrices)),
            ),
          },
        ]),
  ];
}
