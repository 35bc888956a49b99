import type { StagingTensor, Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { columnsOf } from "../../backend/dimensions.js";
import { allocateValues } from "../../backend/host-tensor.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { DistinctValues } from "./distinct-values.js";
import { ascending } from "../../backend/ascending.js";
import { hasView } from "./has-view.js";
import { sumRows } from "./sum-rows.js";

/**
 * The gradients of some rows of a parameter, one after the other; further rows of its memory are 0. The memory grows with
 * the number of rows. It is a tensor where JavaScript can access the values of tensors, elsewhere an array that is staged.
 */
export class CompactGradient {
  readonly #parameter: Tensor;
  readonly #columns: number;
  #rows = 0;
  /** The rows of the last gradient. */
  #used = 0;
  #tensor: Tensor | undefined;
  #staging: StagingTensor | undefined;
  #array: Values | undefined;

  constructor(parameter: Tensor) {
    this.#parameter = parameter;
    this.#columns = columnsOf(parameter);
  }

  /** Makes room; values are lost. @throws {GradstepError} `OUT_OF_MEMORY` */
  reserve(rows: number): void {
    if (rows <= this.#rows) return;
    const capacity = Math.max(rows, Math.min(2 * this.#rows, this.#parameter.shape[0]));
    const { backend } = this.#parameter;
    const shape = [capacity, this.#columns];
    this.free();
    if (hasView(this.#parameter)) this.#tensor = backend.tensor(shape, undefined, gradientPool);
    else {
      this.#staging = backend.staging(shape);
      this.#array = allocateValues(backend.precision, shape);
    }
    this.#rows = capacity;
    this.#used = 0;
  }

  /** Takes values of rows, and sums those of the same row. */
  set(values: Values, { places, count }: DistinctValues, length: number): void {
    if (this.#rows === 0) return;
    const target = this.#tensor?.view!() ?? this.#array!;
    target.fill(0, count * this.#columns, Math.max(count, this.#used) * this.#columns);
    this.#used = count;
    if (count === 0) return;
    if (count === length) target.set(values);
    else sumRows(values, places, length, this.#columns, target, ascending(count));
  }

  /** The tensor for the kernel. */
  stage(): Tensor {
    if (this.#staging === undefined) return this.#tensor!;
    this.#staging.stage(this.#array!);
    return this.#staging;
  }

  free(): void {
    this.#tensor?.free();
    this.#staging?.free();
    this.#tensor = undefined;
    this.#staging = undefined;
    this.#rows = 0;
  }
}
