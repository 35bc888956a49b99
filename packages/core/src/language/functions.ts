import type { Op } from "./expression.js";
import type { ReducedExtent } from "./extent.js";

/** Functions of the language that are operations on elements or scalars, by name. */
export const elementFunctions: ReadonlyMap<string, Op> = new Map<string, Op>([
  ["abs", "abs"],
  ["sqrt", "sqrt"],
  ["sign", "sign"],
  ["flush", "flush"],
  ["isFinite", "isFinite"],
  ["min", "min"],
  ["max", "max"],
  ["f32", "f32"],
  ["floor", "floor"],
]);

/** What a reduction computes of its values. */
type ReductionKind = "sum" | "mean" | "max" | "norm";

/** What a reduction covers, by the end of its name. */
const reducedExtents: readonly (readonly [string, ReducedExtent])[] = [
  ["Row", "row"],
  ["Column", "column"],
  ["Tensor", "tensor"],
  ["All", "all"],
];

/** A reduction by its name, such as `normAll`. */
export const reductions: ReadonlyMap<
  string,
  { readonly kind: ReductionKind; readonly over: ReducedExtent }
> = new Map(
  (["sum", "mean", "max", "norm"] as const).flatMap((kind) =>
    reducedExtents.map(([end, over]) => [`${kind}${end}`, { kind, over }] as const),
  ),
);

/** All functions of the language. These words cannot be names. */
export const functionNames: ReadonlySet<string> = new Set([
  ...elementFunctions.keys(),
  ...reductions.keys(),
  "newtonSchulz",
]);
