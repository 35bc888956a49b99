import type { HostTensor, Kernel, RowList, Tensor, Variant } from "@gradstep/core";
import { endOfRun } from "@gradstep/core/internal";
import { flush, flushesOf } from "./flush.js";
import type { KernelFunction } from "./kernel-table.js";

/** Makes the kernel of a variant of elements, which takes tensors, of a function that takes arrays. */
export function bindKernel(variant: Variant, update: KernelFunction): Kernel {
  // One array for all parameters, so that steps allocate nothing.
  const slots: Float32Array[] = [];
  const view = (tensor: Tensor): Float32Array => (tensor as HostTensor).view() as Float32Array;
  const slotNames = variant.slots.map(({ name }) => name);
  const flushes = flushesOf(variant.perElement, slotNames, variant.scalars);
  /** The gradient of unselected rows, and a copy of their parameters if those must not change. */
  let zeros = new Float32Array(0);
  let discarded = new Float32Array(0);

  const updateRange = (
    p: Float32Array,
    g: Float32Array,
    scalars: Float64Array,
    start: number,
    end: number,
    shift: number,
  ): void => {
    for (let j = 0; j < flushes.length; j += 1) {
      const { array, threshold } = flushes[j];
      flush(slots[array], scalars, threshold, start, end);
    }
    update(p, g, slots, scalars, start, end, shift);
  };

  /** Updates the rows of a list; those that follow one another, in the gradient too, together. */
  const updateList = (
    p: Float32Array,
    g: Float32Array,
    scalars: Float64Array,
    { indices, gradientRows, start, end }: RowList,
    rowLength: number,
  ): void => {
    for (let first = start, next = start; first < end; first = next) {
      const row = indices[first];
      const gradientRow = gradientRows[first];
      next = first + 1;
      while (
        next < end &&
        indices[next] - row === next - first &&
        gradientRows[next] - gradientRow === next - first
      )
        next += 1;
      const from = row * rowLength;
      const to = (row + next - first) * rowLength;
      updateRange(p, g, scalars, from, to, (gradientRow - row) * rowLength);
    }
  };

  return {
    source: String(update),
    takesRowLists: true,
    run: (updates, count) => {
      for (let i = 0; i < count; i += 1) {
        const update = updates[i];
        const { parameter, gradient, slots: tensors, scalars, mask, unselectedRows } = update;
        for (let j = 0; j < variant.slots.length; j += 1) slots[j] = view(tensors[j]);
        const p = view(parameter);
        const g = view(gradient);
        if (update.rows !== undefined) {
          updateList(p, g, scalars, update.rows as RowList, p.length / parameter.shape[0]);
          continue;
        }
        if (mask === undefined) {
          updateRange(p, g, scalars, 0, p.length, 0);
          continue;
        }
        if (unselectedRows !== "keep" && zeros.length < p.length) {
          zeros = new Float32Array(p.length);
          discarded = new Float32Array(p.length);
        }
        const rows = mask as Uint32Array;
        const rowLength = p.length / rows.length;
        for (let first = 0, next = 0; first < rows.length; first = next) {
          next = endOfRun(rows, first);
          const start = first * rowLength;
          const end = next * rowLength;
          if (rows[first] !== 0) updateRange(p, g, scalars, start, end, 0);
          else if (unselectedRows === "zero") updateRange(p, zeros, scalars, start, end, 0);
          else if (unselectedRows === "decay") {
            for (let k = start; k < end; k += 1) discarded[k] = p[k];
            updateRange(discarded, zeros, scalars, start, end, 0);
          }
        }
      }
    },
  };
}
