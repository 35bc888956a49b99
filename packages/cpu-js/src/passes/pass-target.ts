import type {
  Count,
  Dimensions,
  Extent,
  HostTensor,
  SlotExtent,
  Tensor,
  Update,
  Values,
  Variant,
  VariantPart,
} from "@gradstep/core";
import { countOf, dimensionsOf, hasRowsOf } from "@gradstep/core/internal";
import { arrayNamesOf } from "./array-names.js";
import type { TemporaryArray } from "./temporary-array.js";

/**
 * The arrays of one parameter for the passes of a variant. Temporaries and counts are allocated for the shape of the
 * parameter and kept; a step with the same shape allocates nothing.
 */
export class PassTarget {
  readonly update: Update;
  /** In the order of `arrayNamesOf(variant)`. */
  readonly arrays: Values[] = [];
  /** In the order of `variant.scalars`. */
  readonly scalars: Float64Array;
  dimensions: Dimensions = { matrices: 1, rows: 1, columns: 1 };
  /** Whether the gradient is what a stage made of it. */
  hasChangedGradient = false;
  readonly #variant: Variant;
  readonly #part: VariantPart | undefined;
  readonly #Temporary: TemporaryArray;
  readonly #changedGradientIndex: number;
  #shape: readonly number[] | undefined;
  /** The number of rows to which a mask applies. */
  #maskedRows = 1;
  /** Whether the counts are those of a step that left no row out. */
  #isComplete = false;

  /** @param part where the scalars and slots of the variant are, if it is part of a chain */
  constructor(variant: Variant, update: Update, Temporary: TemporaryArray, part?: VariantPart) {
    this.#variant = variant;
    this.#part = part;
    this.#Temporary = Temporary;
    this.update = update;
    this.#changedGradientIndex = arrayNamesOf(variant).length - 1;
    this.scalars = part === undefined ? update.scalars : new Float64Array(part.scalars.length);
  }

  /**
   * Takes the memory and the scalars that the update has now.
   * @param shared the arrays that all targets share, by their index
   */
  prepare(shared: readonly (Values | undefined)[]): void {
    const { parameter, gradient, slots, scalars } = this.update;
    const { arrays } = this;
    const part = this.#part;
    if (parameter.shape !== this.#shape) this.#allocate(shared);
    arrays[0] = viewOf(parameter);
    arrays[1] = viewOf(gradient);
    this.hasChangedGradient = false;
    const slotCount = this.#variant.slots.length;
    for (let i = 0; i < slotCount; i += 1)
      arrays[i + 2] = viewOf(slots[part === undefined ? i : part.slots[i]]);
    if (part !== undefined)
      for (let i = 0; i < part.scalars.length; i += 1) this.scalars[i] = scalars[part.scalars[i]];
    this.#fillCounts();
  }

  /** Where a stage stores the gradient that it changes; the update's own gradient is not written to. */
  set changedGradient(values: Float32Array) {
    this.arrays[this.#changedGradientIndex] = values;
  }

  /** What follows reads the changed gradient. */
  useChangedGradient(): void {
    this.arrays[1] = this.arrays[this.#changedGradientIndex];
    this.hasChangedGradient = true;
  }

  #allocate(shared: readonly (Values | undefined)[]): void {
    const { passPlan, slots, matrices } = this.#variant;
    const { shape } = this.update.parameter;
    this.#shape = shape;
    this.dimensions = dimensionsOf(shape, matrices);
    this.#maskedRows = shape[0] ?? 1;
    this.#isComplete = false;
    const first = 2 + slots.length;
    const extents = [
      ...passPlan.temporaries.map(({ extent }) => extent),
      ...passPlan.counts.map(({ per }) => per),
    ];
    extents.forEach((extent, i) => {
      const length = countOf(extent, this.dimensions);
      // Values of elements are those of f32 tensors; the others are few and may be f64.
      const Temporary = extent === "element" ? Float32Array : this.#Temporary;
      this.arrays[first + i] = shared[first + i] ?? new Temporary(length);
    });
  }

  /** Whether a mask applies to values of this extent: their rows are those of the parameter, or parts of them. */
  hasMaskedRows(extent: Extent): boolean {
    return hasRowsOf(extent as SlotExtent, this.#shape!, this.#variant.matrices);
  }

  /** The indices `start` to `end` − 1 of a row of the mask are `row * rowLength` and following. */
  rowLengthOf(extent: Extent): number {
    return countOf(extent, this.dimensions) / this.#maskedRows;
  }

  /** Number of values that take part in a step, in the whole tensor. */
  #total(of: Extent): number {
    if (!this.#leavesOut() || !this.hasMaskedRows(of)) return countOf(of, this.dimensions);
    return this.#selectedRows() * this.rowLengthOf(of);
  }

  #leavesOut(): boolean {
    return this.update.mask !== undefined && this.update.unselectedRows === "keep";
  }

  #selectedRows(): number {
    const mask = this.update.mask as Uint32Array;
    let selected = 0;
    for (let i = 0; i < mask.length; i += 1) if (mask[i] !== 0) selected += 1;
    return selected;
  }

  #fillCounts(): void {
    const isComplete = !this.#leavesOut();
    if (isComplete && this.#isComplete) return;
    this.#isComplete = isComplete;
    const { passPlan, slots } = this.#variant;
    const first = 2 + slots.length + passPlan.temporaries.length;
    for (let i = 0; i < passPlan.counts.length; i += 1)
      this.#fillCount(passPlan.counts[i], this.arrays[first + i]);
  }

  #fillCount({ of, per }: Count, counts: Values): void {
    if (per === "tensor") {
      counts[0] = this.#total(of);
      return;
    }
    const { rows, columns } = this.dimensions;
    const complete = per === "row" ? columns : rows;
    if (!this.#leavesOut()) {
      counts.fill(complete);
      return;
    }
    const mask = this.update.mask as Uint32Array;
    if (per === "column" && this.dimensions.matrices === 1) {
      counts.fill(this.#selectedRows() * (rows / this.#maskedRows));
      return;
    }
    const perMaskedRow = counts.length / this.#maskedRows;
    for (let i = 0; i < counts.length; i += 1)
      counts[i] = mask[Math.floor(i / perMaskedRow)] === 0 ? 0 : complete;
  }
}

/** The live values of a tensor of this backend. */
function viewOf(tensor: Tensor): Float32Array {
  return (tensor as HostTensor).view() as Float32Array;
}
