import type { Backend, Kernel, RowValues, Tensor, Update } from "../../backend/backend.js";
import { plainUpdate } from "../../backend/plain-update.js";
import type { Variant } from "../../rule/variant.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";

/** Executes a kernel, or records it for later. */
export type KernelRunner = (kernel: Kernel, updates: readonly Update[], count: number) => void;

/** The memory in which the gradients of a parameter are summed, or divided by the loss scale. */
export class Accumulator {
  /** What a kernel of gradient arithmetic gets: `parameter` is the sum. */
  update: Update;
  /** Whether it holds gradients of the current step. */
  isUsed = false;
  /** The rows that a gradient was added to; undefined for all. */
  rows: Uint32Array | undefined;
  #summed: Update | undefined;
  #summedOf: Update | undefined;

  constructor({ update: { parameter } }: ParameterRecord, divisor: Float64Array) {
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
    if (this.#summedOf !== this.update)
      this.#summed = {
        ...this.update,
        gradient: this.sum,
        mask: undefined,
        signals: undefined,
      };
    this.#summedOf = this.update;
    return this.#summed!;
  }

  get sum(): Tensor {
    return this.update.parameter;
  }

  /** Notes the rows of one more gradient. @param mask all rows if undefined */
  select(mask: Uint32Array | undefined): void {
    if (!this.isUsed) this.rows = mask?.slice();
    else if (mask === undefined) this.rows = undefined;
    else
      this.rows?.forEach((row, i, rows) => {
        rows[i] = row | mask[i];
      });
    this.isUsed = true;
  }

  /** Moves the selected rows, after the sum was moved. New rows are not selected. */
  remap(indices: RowValues, count: number): void {
    // A new object, because backends cache what they prepare for the tensors of an update.
    this.update = { ...this.update, gradient: this.sum, mask: undefined, signals: undefined };
    const before = this.rows;
    if (before === undefined || !ArrayBuffer.isView(indices)) return;
    this.rows = Uint32Array.from({ length: count }, (_, i) => before[indices[i]] ?? 0);
  }

  /** @param isUsed whether these are gradients of the current step */
  restore(values: ArrayLike<number>, rows: Uint32Array | undefined, isUsed = true): void {
    this.sum.write(values);
    this.rows = rows;
    this.isUsed = isUsed;
  }

  free(): void {
    this.sum.free();
  }
}

/** The kernels of gradient arithmetic on one backend, compiled when they are needed. */
export class ArithmeticKernels {
  readonly #kernels = new Map<Variant, Kernel>();
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      kernel = this.#backend.compile(variant);
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }
}
