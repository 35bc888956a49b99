import {
  endOfRun,
  flushedSlotsOf,
  type HostTensor,
  type Kernel,
  type Tensor,
  type Variant,
} from "@gradstep/core";
import type { KernelFunction } from "./kernel-table.js";

/** A kernel that takes tensors, from a function that takes arrays. */
export function bind(variant: Variant, update: KernelFunction): Kernel {
  // One array, filled anew for each parameter: a step allocates nothing.
  const slots: Float32Array[] = [];
  const view = (tensor: Tensor): Float32Array => (tensor as HostTensor).view() as Float32Array;
  const resting = flushedSlotsOf(variant.perElement).map(({ slot, threshold }) => ({
    slot: variant.slots.findIndex(({ name }) => name === slot),
    scalar: variant.scalars.indexOf(threshold),
  }));
  /** What stands for the gradient of rows that have none, and for their parameters where those stay. */
  let zeros = new Float32Array(0);
  let unused = new Float32Array(0);

  const updateRange = (
    p: Float32Array,
    g: Float32Array,
    scalars: Float64Array,
    start: number,
    end: number,
  ): void => {
    for (let j = 0; j < resting.length; j += 1)
      rest(slots[resting[j].slot], scalars, resting[j].scalar, start, end);
    update(p, g, slots, scalars, start, end);
  };

  return {
    source: String(update),
    run: (updates, count) => {
      for (let i = 0; i < count; i += 1) {
        const { parameter, gradient, slots: tensors, scalars, mask, unselectedRows } = updates[i];
        for (let j = 0; j < variant.slots.length; j += 1) slots[j] = view(tensors[j]);
        const p = view(parameter);
        const g = view(gradient);
        if (mask === undefined) {
          updateRange(p, g, scalars, 0, p.length);
          continue;
        }
        if (unselectedRows !== "keep" && zeros.length < p.length) {
          zeros = new Float32Array(p.length);
          unused = new Float32Array(p.length);
        }
        const rows = mask as Uint32Array;
        const rowLength = p.length / rows.length;
        for (let first = 0, next = 0; first < rows.length; first = next) {
          next = endOfRun(rows, first);
          const start = first * rowLength;
          const end = next * rowLength;
          if (rows[first] !== 0) updateRange(p, g, scalars, start, end);
          else if (unselectedRows === "zero") updateRange(p, zeros, scalars, start, end);
          else if (unselectedRows === "decay") {
            for (let k = start; k < end; k += 1) unused[k] = p[k];
            updateRange(unused, zeros, scalars, start, end);
          }
        }
      }
    },
  };
}

/** Clears what is below the limit, at the few steps that have one. */
function rest(
  values: Float32Array,
  scalars: Float64Array,
  scalar: number,
  start: number,
  end: number,
): void {
  const limit = scalars[scalar] > 0 ? Math.fround(scalars[scalar]) : 0;
  const stop = limit > 0 ? end : start;
  for (let i = start; i < stop; i += 1) if (Math.abs(values[i]) < limit) values[i] = 0;
}
