import type { RowValues, Tensor, Update } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import { plainUpdate } from "../../backend/plain-update.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import { isStoredTensor, rowValuesOf } from "../../backend/stored-values.js";
import type { ArithmeticKernels, KernelRunner } from "./arithmetic-kernels.js";
import { SelectedRows } from "./selected-rows.js";

/** The memory in which the gradients of a parameter are summed, or divided by the loss scale. */
export class Accumulator {
  /** What a kernel of gradient arithmetic gets: `parameter` is the sum. */
  update: Update;
  /** Whether it holds gradients of the current step. */
  isUsed = false;
  /** The rows that a gradient was added to, if masks were arrays; undefined for all, and for those of `selected`. */
  rows: Uint32Array | undefined;
  /** The rows that masks in memory of a device have selected; made for the first of them. */
  selected: SelectedRows | undefined;
  /** Whether `selected` has the rows. */
  isSelectedOnDevice = false;
  #summed: Update | undefined;
  #summedOf: Update | undefined;

  constructor(parameter: Tensor, divisor: Float64Array) {
    const { backend, shape, size } = parameter;
    const sum = backend.tensor(shape, new Float32Array(size).fill(-0), gradientPool);
    this.update = plainUpdate({
      parameter: sum,
      gradient: parameter,
      slots: [],
      scalars: divisor,
    });
  }

  /** An update whose gradient is the sum; another one after rows were moved. */
  get summed(): Update {
    if (this.#summedOf !== this.update) this.#summed = this.#updateOfSum();
    this.#summedOf = this.update;
    return this.#summed!;
  }

  #updateOfSum(): Update {
    return {
      ...this.update,
      gradient: this.sum,
      clearsGradient: false,
      mask: undefined,
      signals: undefined,
    };
  }

  get sum(): Tensor {
    return this.update.parameter;
  }

  /**
   * Makes the memory that a mask needs.
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  reserve(name: string, mask: RowValues | undefined): void {
    if (mask === undefined || hasRowValues(mask)) return;
    this.#reserveSelected(name);
  }

  /**
   * Makes the memory that the rows of earlier calls need in a step that is recorded, which can have no array as a mask.
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  reserveForRecording(name: string): void {
    if (this.isUsed && this.rows !== undefined) this.#reserveSelected(name);
  }

  #reserveSelected(name: string): void {
    const { backend } = this.sum;
    if (backend.maskOf === undefined)
      throw new GradstepError(
        `Got a tensor as the mask of "${name}" with accumulate, but backend ${backend.name} cannot combine the rows of several calls; expected a Uint32Array.`,
        { code: "UNSUPPORTED" },
      );
    this.selected ??= new SelectedRows(this.sum);
  }

  /** The mask of a step with the sum; undefined for all rows. */
  get mask(): RowValues | undefined {
    return this.isSelectedOnDevice ? this.selected!.mask : this.rows;
  }

  /** Hands the rows over to the device. `reserveForRecording` comes before. */
  moveRowsToDevice(): void {
    if (!this.isUsed || this.rows === undefined) return;
    this.selected!.write(this.rows);
    this.rows = undefined;
    this.isSelectedOnDevice = true;
  }

  /** Notes the rows of one more gradient. @param mask all rows if undefined */
  select(mask: RowValues | undefined, kernels: ArithmeticKernels, run: KernelRunner): void {
    const isFirst = !this.isUsed;
    this.isUsed = true;
    if (!isFirst && this.mask === undefined) return;
    if (mask === undefined) {
      this.rows = undefined;
      this.#leaveDevice(kernels, run);
    } else if (this.isSelectedOnDevice || !hasRowValues(mask)) {
      const selected = this.selected!;
      if (!isFirst && this.rows !== undefined) selected.write(this.rows);
      this.rows = undefined;
      this.isSelectedOnDevice = true;
      selected.add(mask, kernels, run);
    } else if (isFirst) {
      this.rows = rowValuesOf(mask).slice();
    } else {
      const more = rowValuesOf(mask);
      this.rows!.forEach((row, i, rows) => {
        rows[i] = row | more[i];
      });
    }
  }

  /** Prepares for the gradients of another step. */
  release(kernels: ArithmeticKernels, run: KernelRunner): void {
    this.isUsed = false;
    this.#leaveDevice(kernels, run);
  }

  #leaveDevice(kernels: ArithmeticKernels, run: KernelRunner): void {
    if (this.isSelectedOnDevice) this.selected!.clear(kernels, run);
    this.isSelectedOnDevice = false;
  }

  /** Moves the selected rows, after the sum was moved. New rows are not selected. */
  remap(indices: RowValues, count: number): void {
    // A new object, because backends cache what they prepare for the tensors of an update.
    this.update = this.#updateOfSum();
    this.selected?.remapped(this.sum);
    const before = this.rows;
    if (before === undefined || !ArrayBuffer.isView(indices)) return;
    this.rows = Uint32Array.from({ length: count }, (_, i) => before[indices[i]] ?? 0);
  }

  /** @param isUsed whether these are gradients of the current step */
  restore(values: ArrayLike<number>, rows: Uint32Array | undefined, isUsed = true): void {
    this.sum.write(values);
    this.rows = rows;
    this.isUsed = isUsed;
    if (this.isSelectedOnDevice) this.selected!.write(undefined);
    this.isSelectedOnDevice = false;
  }

  free(): void {
    this.sum.free();
    this.selected?.free();
  }
}

/** Whether the host sees a mask. */
function hasRowValues(mask: RowValues): boolean {
  return ArrayBuffer.isView(mask) || isStoredTensor(mask);
}
