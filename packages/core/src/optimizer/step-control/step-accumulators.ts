import type { RowValues, Tensor, Update } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { StepOptions } from "../step/step-options.js";
import type { ArithmeticKernels, KernelRunner } from "./arithmetic-kernels.js";

/**
 * The accumulators that hold gradients of the next step. Nothing is allocated as long as the same parameters have
 * gradients.
 */
export class StepAccumulators {
  /** Of each accumulator: its sum is the parameter. */
  readonly updates: Update[] = [];
  /** Of each accumulator: its sum is the gradient. */
  readonly sums: Update[] = [];
  /** The sums by the names of their parameters. */
  gradients: Readonly<Record<string, Tensor>> = {};
  readonly #records: ParameterRecord[] = [];

  get count(): number {
    return this.#records.length;
  }

  /**
   * Finds those that are used.
   * @param all the records of the optimizer
   * @param iteration only those whose groups take part in this step
   */
  collect(all: readonly ParameterRecord[], iteration?: number): void {
    const records = this.#records;
    let count = 0;
    let isSame = true;
    for (let i = 0; i < all.length; i += 1) {
      const record = all[i];
      const { accumulator } = record;
      if (accumulator?.isUsed !== true) continue;
      if (iteration !== undefined && !record.group.isDue(iteration)) continue;
      const { update } = accumulator;
      // Kernels without a gradient get memory that does not overlap their output, and is not to be cleared.
      update.gradient = record.update.parameter;
      update.clearsGradient = false;
      // Sparse gradients select a few rows of many; the others have nothing to divide or clear.
      update.mask = record.group.sparseOptions.sparse === "lazy" ? accumulator.mask : undefined;
      update.signals = undefined;
      isSame &&= records[count] === record && this.updates[count] === update;
      records[count] = record;
      this.updates[count] = update;
      this.sums[count] = accumulator.summed;
      count += 1;
    }
    if (isSame && records.length === count) return;
    for (const list of [records, this.updates, this.sums]) list.length = count;
    this.gradients = Object.fromEntries(
      records.map(({ name, accumulator }) => [name, accumulator!.sum]),
    );
  }

  /** The rows that the calls of a step selected; undefined for all. */
  masks(unselectedRows: StepOptions["unselectedRows"]): StepOptions | undefined {
    if (this.#records.every(({ accumulator }) => accumulator!.mask === undefined)) return undefined;
    const rows = this.#records.flatMap(({ name, accumulator }): [string, RowValues][] =>
      accumulator!.mask === undefined ? [] : [[name, accumulator!.mask]],
    );
    return { rows: Object.fromEntries(rows), ...(unselectedRows && { unselectedRows }) };
  }

  /** Ends the step: also of those that were not collected last. @param all the records of the optimizer */
  release(all: readonly ParameterRecord[], kernels: ArithmeticKernels, run: KernelRunner): void {
    for (let i = 0; i < all.length; i += 1) {
      const { accumulator } = all[i];
      if (accumulator?.isUsed === true) accumulator.release(kernels, run);
    }
  }
}
