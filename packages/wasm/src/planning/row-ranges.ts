import type { Update } from "@gradstep/core";
import { endOfRun } from "@gradstep/core/internal";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";

/**
 * The masked updates of a step, as ranges of elements that a kernel treats alike. Unselected rows that decay, or
 * that are updated as by a gradient of 0, read their gradient from zeros. Where only the slots decay, the kernel updates
 * a scratch copy of the parameter.
 *
 * The arrays keep their length between steps and are refilled.
 */
export class RowRanges {
  #count = 0;
  /** Per range: the index of its update in the step. */
  readonly updates: number[] = [];
  /** Per range: the first element of the update, and the end (exclusive). */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Per range: the addresses that the kernel uses for `p` and `g`, at the first element. */
  readonly parameters: number[] = [];
  readonly gradients: number[] = [];
  readonly #zeros: GrowableBuffer;
  readonly #scratch: GrowableBuffer;
  /** Elements in the longest range with a gradient of 0. */
  #zeroElements = 0;
  /** Elements in all ranges whose parameter does not change. */
  #scratchElements = 0;

  constructor(heap: Heap) {
    this.#zeros = new GrowableBuffer(heap);
    this.#scratch = new GrowableBuffer(heap);
  }

  /** The number of ranges. */
  get count(): number {
    return this.#count;
  }

  /**
   * Finds the ranges of the first `count` updates, and reserves the memory that they need.
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  collect(updates: readonly Update[], count: number): void {
    this.#count = 0;
    this.#zeroElements = 0;
    this.#scratchElements = 0;
    for (let i = 0; i < count; i += 1) {
      const { parameter, mask, unselectedRows } = updates[i];
      if (mask === undefined) continue;
      const rows = mask as Uint32Array;
      const length = parameter.size / rows.length;
      for (let first = 0, next = 0; first < rows.length; first = next) {
        next = endOfRun(rows, first);
        const isSelected = rows[first] !== 0;
        if (!isSelected && unselectedRows === "keep") continue;
        this.#add(i, first * length, next * length);
        if (isSelected) continue;
        this.#zeroElements = Math.max(this.#zeroElements, (next - first) * length);
        if (unselectedRows === "decay") this.#scratchElements += (next - first) * length;
      }
    }
    // No kernel writes to them.
    if (!this.#zeros.reserve(this.#zeroElements)) this.#zeros.floats.fill(0);
    this.#scratch.reserve(this.#scratchElements);
  }

  /** Sets `parameters` and `gradients`. Nothing may be allocated between this and the run. */
  resolveAddresses(updates: readonly Update[]): void {
    // Once more: other allocations may have detached the view.
    this.#scratch.reserve(this.#scratchElements);
    let scratchStart = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const { parameter, gradient, mask, unselectedRows } = updates[this.updates[i]];
      const start = this.starts[i];
      const end = this.ends[i];
      const rows = mask as Uint32Array;
      const isSelected = rows[(start * rows.length) / parameter.size] !== 0;
      this.parameters[i] = (parameter as WasmTensor).address + 4 * start;
      this.gradients[i] = isSelected
        ? (gradient as WasmTensor).address + 4 * start
        : this.#zeros.address;
      if (isSelected || unselectedRows !== "decay") continue;
      const values = (parameter as WasmTensor).view();
      const scratch = this.#scratch.floats;
      for (let k = start; k < end; k += 1) scratch[scratchStart + k - start] = values[k];
      this.parameters[i] = this.#scratch.address + 4 * scratchStart;
      scratchStart += end - start;
    }
  }

  #add(update: number, start: number, end: number): void {
    const i = this.#count;
    this.updates[i] = update;
    this.starts[i] = start;
    this.ends[i] = end;
    this.#count = i + 1;
  }
}
