import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { GradstepError } from "../../errors.js";
import { CompactGradient } from "./compact-gradient.js";
import { DenseGradient } from "./dense-gradient.js";
import { DistinctValues } from "./distinct-values.js";
import type { SparseGradient } from "./sparse-gradient.js";

/** What a parameter with sparse gradients keeps from step to step. Valid for one shape of the parameter. */
export class SparseMemory {
  readonly #parameter: Tensor;
  readonly #distinct = new DistinctValues();
  #compact: CompactGradient | undefined;
  #dense: DenseGradient | undefined;
  /** A mask that is 0 between steps. */
  #mask: Uint32Array | undefined;

  constructor(parameter: Tensor) {
    this.#parameter = parameter;
  }

  /** The rows of the last gradient, without duplicates; the first `count` are valid. */
  get rows(): Uint32Array {
    return this.#distinct.values;
  }

  get count(): number {
    return this.#distinct.count;
  }

  /**
   * The gradient of each row of `rows`: a tensor with at least as many rows.
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  compact({ indices, values }: SparseGradient): Tensor {
    const { length } = this.#find(indices);
    const isDistinct = this.count === length && length > 0;
    if (isDistinct && !ArrayBuffer.isView(values)) return values;
    this.#compact ??= new CompactGradient(this.#parameter);
    this.#compact.reserve(Math.max(1, this.count));
    this.#compact.set(this.#arrayOf(values), this.#distinct, length);
    return this.#compact.stage();
  }

  /**
   * The gradient of all rows: zeros in rows without an index. A tensor where JavaScript can access its values, elsewhere
   * an array. Valid until the next call.
   *
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  dense({ indices, values }: SparseGradient): Tensor | Values {
    const { length } = this.#find(indices);
    this.#dense ??= new DenseGradient(this.#parameter);
    this.#dense.set(this.#arrayOf(values), this.#distinct, length);
    return this.#dense.gradient;
  }

  /** A mask of `rows`, until `clearMask`. */
  mask(): Uint32Array {
    this.#mask ??= new Uint32Array(this.#parameter.shape[0]);
    for (let i = 0; i < this.count; i += 1) this.#mask[this.rows[i]] = 1;
    return this.#mask;
  }

  clearMask(): void {
    if (this.#mask === undefined) return;
    for (let i = 0; i < this.count; i += 1) this.#mask[this.rows[i]] = 0;
  }

  free(): void {
    this.#dense?.free();
    this.#compact?.free();
  }

  #find(indices: SparseGradient["indices"]): Uint32Array | Int32Array {
    if (!("length" in indices)) throw this.#needsArrays();
    this.#distinct.find(indices);
    return indices;
  }

  #arrayOf(values: Values | Tensor): Values {
    const array = ArrayBuffer.isView(values) ? values : values.view?.();
    if (array === undefined) throw this.#needsArrays();
    return array;
  }

  #needsArrays(): GradstepError {
    return new GradstepError(
      `Backend ${this.#parameter.backend.name} takes sparse gradients in tensors only for elementwise rules, without accumulate, lossScale and copies; expected arrays of indices and values.`,
      { code: "UNSUPPORTED" },
    );
  }
}
