import type { Backend, Tensor, Values } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import { RowSums } from "./row-sums.js";
import type { SparseGradient } from "./sparse-gradient.js";

/** What a parameter with sparse gradients keeps from step to step. Valid for one shape of the parameter. */
export class SparseMemory {
  readonly #backend: Backend;
  readonly #shape: readonly number[];
  readonly #columns: number;
  readonly #sums = new RowSums();
  /** The sums of rows that occur several times. */
  #summed: Values;
  #dense: DenseGradient | undefined;

  constructor({ backend, shape, size }: Tensor) {
    this.#backend = backend;
    this.#shape = shape;
    this.#columns = size / shape[0];
    this.#summed = arrayOf(backend, 0);
  }

  /**
   * The gradient of all rows: zeros in rows without an index. A tensor where JavaScript can access its values, elsewhere
   * an array. Valid until the next call.
   *
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  densify(gradient: SparseGradient): Tensor | Values {
    this.#dense ??= new DenseGradient(this.#backend, this.#shape);
    const values = this.#sum(gradient);
    this.#dense.set(this.#sums.rows, this.#sums.count, values, this.#columns);
    return this.#dense.gradient;
  }

  free(): void {
    this.#dense?.free();
  }

  /** Finds the rows, and the sum of each. @throws {GradstepError} `UNSUPPORTED` */
  #sum({ indices, values }: SparseGradient): Values {
    const given = ArrayBuffer.isView(values) ? values : values.view?.();
    if (given === undefined || !("length" in indices)) {
      throw new GradstepError(
        `Backend ${this.#backend.name} cannot sum the rows of a sparse gradient in tensors; expected arrays of indices and values.`,
        { code: "UNSUPPORTED" },
      );
    }
    const sums = this.#sums;
    sums.find(indices);
    if (sums.isDistinct) return given;
    const length = sums.count * this.#columns;
    if (this.#summed.length < length) this.#summed = arrayOf(this.#backend, 2 * length);
    sums.sum(given, this.#columns, this.#summed);
    return this.#summed;
  }
}

/** A gradient of all rows. Between steps, only the rows of the last step are not 0. */
class DenseGradient {
  readonly #tensor: Tensor | undefined;
  readonly #array: Values | undefined;
  #rows = new Uint32Array(0);
  #count = 0;

  constructor(backend: Backend, shape: readonly number[]) {
    const tensor = backend.tensor(shape, undefined, gradientPool);
    if (tensor.view !== undefined) this.#tensor = tensor;
    else {
      tensor.free();
      this.#array = arrayOf(backend, tensor.size);
    }
  }

  get gradient(): Tensor | Values {
    return (this.#tensor ?? this.#array)!;
  }

  set(rows: Uint32Array, count: number, values: Values, columns: number): void {
    const target = this.#tensor?.view!() ?? this.#array!;
    for (let i = 0; i < this.#count; i += 1) {
      const start = this.#rows[i] * columns;
      target.fill(0, start, start + columns);
    }
    if (this.#rows.length < count) this.#rows = new Uint32Array(rows.length);
    this.#count = count;
    for (let i = 0; i < count; i += 1) {
      this.#rows[i] = rows[i];
      const start = rows[i] * columns;
      for (let j = 0; j < columns; j += 1) target[start + j] = values[i * columns + j];
    }
  }

  free(): void {
    this.#tensor?.free();
  }
}

function arrayOf({ precision }: Backend, length: number): Values {
  return precision === "f64" ? new Float64Array(length) : new Float32Array(length);
}
