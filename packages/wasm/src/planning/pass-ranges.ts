import { summationBlock, summationLanes, type Dimensions, type Update } from "@gradstep/core";
import { countOf, endOfRun, hasRowsOf } from "@gradstep/core/internal";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import { rangeWord, rangeWords } from "../memory/batch-layout.js";
import type { TensorMatrices } from "./tensor-matrices.js";
import type { PassKernel } from "./pass-plan.js";

/** Values per range: enough to outweigh the cost of a claim, few enough that the last range does not delay a step. */
const rangeSize = 16384;

/** Which entry of a tensor a range has. */
export type EntryKind = "selected" | "unselected";

/** The ranges of a kernel in a step, one after the other in wasm memory. */
export class PassRanges {
  readonly kernel: PassKernel;
  readonly #buffer: GrowableBuffer;
  readonly #scratch: GrowableBuffer;
  /** Per range: tensor, 1 if it is unselected, first position or row, end, lanes. */
  readonly #ranges: number[] = [];
  #length = 0;
  #values = 0;
  #isDivisible = true;

  constructor(heap: Heap, kernel: PassKernel) {
    this.kernel = kernel;
    this.#buffer = new GrowableBuffer(heap);
    this.#scratch = new GrowableBuffer(heap);
  }

  get address(): number {
    return this.#buffer.address;
  }

  get count(): number {
    return this.#length / fields;
  }

  /** The address after the last range. */
  get end(): number {
    return this.address + 4 * rangeWords * this.count;
  }

  /** The number of values in all tensors. */
  get values(): number {
    return this.#values;
  }

  /** Whether threads may compute ranges in any order. */
  get isDivisible(): boolean {
    return this.#isDivisible;
  }

  /** Finds the ranges of the first `count` updates, and reserves memory. @throws {GradstepError} `OUT_OF_MEMORY` */
  collect(updates: readonly Update[], tensors: readonly TensorMatrices[], count: number): void {
    this.#length = 0;
    this.#values = 0;
    this.#isDivisible = true;
    for (let i = 0; i < count; i += 1) {
      const { mask, parameter } = updates[i];
      const { over, layout } = this.kernel;
      const { dimensions, seen } = tensors[i];
      this.#values += countOf(over, dimensions);
      const isMasked =
        mask !== undefined &&
        (over !== "column" || hasRowsOf(over, parameter.shape, layout.matrices));
      if (isMasked) this.#addSelected(i, updates[i], dimensions);
      else if (this.kernel.ranges === "positions") {
        const size = countOf(over, dimensions);
        for (let start = 0; start < size; start += rangeSize)
          this.#add(i, "selected", start, Math.min(size, start + rangeSize));
      } else this.#addRows(i, tensors[i], seen);
    }
    this.#buffer.reserve(rangeWords * this.count);
    this.#scratch.reserve(this.#scratchWords * this.count);
  }

  /** Writes the table. @param entryOf the address of a tensor's entry */
  write(entryOf: (tensor: number, kind: EntryKind) => number): void {
    this.#buffer.reserve(rangeWords * this.count);
    const { words } = this.#buffer;
    let word = 0;
    for (let k = 0; k < this.#length; k += fields) {
      words[word + rangeWord.entry] = entryOf(
        this.#ranges[k],
        this.#ranges[k + 1] === 0 ? "selected" : "unselected",
      );
      words[word + rangeWord.start] = this.#ranges[k + 2];
      words[word + rangeWord.end] = this.#ranges[k + 3];
      words[word + rangeWord.lanes] = this.#ranges[k + 4];
      words[word + rangeWord.scratch] =
        this.#scratch.address + 4 * this.#scratchWords * (k / fields);
      word += rangeWords;
    }
  }

  get #scratchWords(): number {
    const { ranges, reductions } = this.kernel;
    return ranges === "rows" ? summationLanes * reductions.length : 0;
  }

  /** The ranges of rows that a mask treats alike. */
  #addSelected(tensor: number, update: Update, dimensions: Dimensions): void {
    const { ranges, over, reductions } = this.kernel;
    // Ranges can share a block of a reduction.
    if (reductions.length > 0) this.#isDivisible = false;
    const mask = update.mask as Uint32Array;
    const all = countOf(ranges === "rows" ? "row" : over, dimensions);
    const perRow = all / mask.length;
    for (let first = 0, next = 0; first < mask.length; first = next) {
      next = endOfRun(mask, first);
      const isSelected = mask[first] !== 0;
      if (!isSelected && update.unselectedRows === "keep") continue;
      const kind = isSelected ? "selected" : "unselected";
      this.#add(tensor, kind, first * perRow, next * perRow);
    }
  }

  #addRows(tensor: number, { isTransposed }: TensorMatrices, seen: Dimensions): void {
    const { matrices, rows, columns } = seen;
    const perColumn = isTransposed ? "row" : "column";
    const isOverColumns = this.kernel.reductions.some(({ over }) => over === perColumn);
    const size = rows * columns;
    if (!isOverColumns || size <= rangeSize) {
      // Whole matrices, if the sums of columns are shared between rows.
      const unit = isOverColumns ? rows : 1;
      const step = unit * Math.max(1, Math.floor(rangeSize / (unit * columns)));
      for (let start = 0; start < matrices * rows; start += step)
        this.#add(tensor, "selected", start, Math.min(matrices * rows, start + step));
      return;
    }
    for (let m = 0; m < matrices; m += 1) {
      for (let row = 0; row < rows; row += summationBlock) {
        const end = Math.min(rows, row + summationBlock);
        let lanes = summationLanes;
        // Below 16 rows, each lane has one or none.
        const values = Math.max(summationLanes, end - row) * columns;
        while (lanes > 1 && (values * lanes) / summationLanes >= 2 * rangeSize) lanes /= 2;
        for (let lane = 0; lane < Math.min(summationLanes, end - row); lane += lanes)
          this.#add(tensor, "selected", m * rows + row + lane, m * rows + end, lanes);
      }
    }
  }

  #add(
    tensor: number,
    kind: EntryKind,
    start: number,
    end: number,
    lanes: number = summationLanes,
  ): void {
    const ranges = this.#ranges;
    const k = this.#length;
    ranges[k] = tensor;
    ranges[k + 1] = kind === "selected" ? 0 : 1;
    ranges[k + 2] = start;
    ranges[k + 3] = end;
    ranges[k + 4] = lanes;
    this.#length = k + fields;
  }
}

/** Numbers per range in `#ranges`. */
const fields = 5;
