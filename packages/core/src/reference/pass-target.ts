import type { RowList, Tensor, Update } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import { dimensionsOf, hasRowsOf } from "../backend/dimensions.js";
import { arraysOf } from "../backend/update-arrays.js";
import { countOf, reducedIndex, type Dimensions } from "../language/dimensions.js";
import type { Extent } from "../language/extent.js";
import type { Count } from "../language/passes.js";
import type { Variant } from "../rule/variant.js";
import type { PassArithmetic } from "./pass-arithmetic.js";

/** A tensor of a step: its arrays, temporaries included, and what is selected. */
export interface PassTarget {
  readonly update: Update;
  readonly dimensions: Dimensions;
  /** By name; those of the extent `all` are shared. */
  readonly arrays: ReadonlyMap<string, Values>;
  /** Whether a value of this extent is in a row that the mask selects. */
  readonly isSelected: (extent: Extent, index: number) => boolean;
}

/** @param shared the temporaries of the extent `all` */
export function passTarget(
  variant: Variant,
  update: Update,
  shared: ReadonlyMap<string, Values>,
  extents: ReadonlyMap<string, Extent>,
): PassTarget {
  const { parameter } = update;
  const dimensions = dimensionsOf(parameter.shape, variant.matrices);
  const arrays = new Map<string, Values>([...arraysOf<Values>(variant, update), ...shared]);
  for (const [name, extent] of extents) {
    if (!name.startsWith("@")) continue;
    if (extent === "all") arrays.set(perTensor(name), new Float64Array(1));
    else arrays.set(name, new Float64Array(countOf(extent, dimensions)));
  }
  const rows = update.rows as RowList | undefined;
  if (rows !== undefined) arrays.set("g", gradientOfAllRows(arrays.get("g")!, rows, parameter));
  const mask =
    rows === undefined ? (update.mask as Uint32Array | undefined) : maskOf(rows, parameter);
  const isSelected = (extent: Extent, index: number): boolean => {
    if (mask === undefined || extent === "all" || extent === "step") return true;
    if (!hasRowsOf(extent, parameter.shape, variant.matrices)) return true;
    const perRow = countOf(extent, dimensions) / (parameter.shape[0] ?? 1);
    return mask[Math.floor(index / perRow)] !== 0;
  };
  return { update, dimensions, arrays, isSelected };
}

function maskOf({ indices, start, end }: RowList, { shape }: Tensor): Uint32Array {
  const mask = new Uint32Array(shape[0]);
  for (let i = start; i < end; i += 1) mask[indices[i]] = 1;
  return mask;
}

/** The gradient of listed rows, each where its row is. */
function gradientOfAllRows(
  gradient: Values,
  { indices, gradientRows, start, end }: RowList,
  { shape, size }: Tensor,
): Values {
  const columns = size / shape[0];
  const all = new Float64Array(size);
  for (let i = start; i < end; i += 1)
    for (let j = 0; j < columns; j += 1)
      all[indices[i] * columns + j] = gradient[gradientRows[i] * columns + j];
  return all;
}

/** Rows that a mask leaves out take no part, unless they are updated by a gradient of 0. */
export function takesPart(
  { isSelected, update }: PassTarget,
  extent: Extent,
  index: number,
): boolean {
  return isSelected(extent, index) || update.unselectedRows !== "keep";
}

/** Where a pass over tensors puts the operand of a reduction over all of them. */
export function perTensor(name: string): string {
  return `${name} of a tensor`;
}

/** Stores the number of values that take part in a reduction. */
export function fillCount(
  { name, of, per }: Count,
  targets: readonly PassTarget[],
  scalar: PassArithmetic["scalar"],
): void {
  for (const target of targets) {
    const { arrays, dimensions } = target;
    const counts = new Float64Array(countOf(per, dimensions));
    for (let i = 0; i < countOf(of, dimensions); i += 1)
      if (takesPart(target, of, i)) counts[reducedIndex(of, per, i, dimensions)] += 1;
    counts.forEach((value, i) => {
      arrays.get(name)![i] = scalar(value);
    });
  }
}
