import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { columnsOf } from "../../backend/dimensions.js";
import { allocateValues } from "../../backend/host-tensor.js";
import { gradientPool } from "../parameters/slot-allocation.js";
import type { DistinctValues } from "./distinct-values.js";
import { hasView } from "./has-view.js";
import { sumRows } from "./sum-rows.js";

/**
 * The gradient of all rows of a parameter; only some rows are not 0. It is a tensor where JavaScript can access the values
 * of tensors, elsewhere an array.
 */
export class DenseGradient {
  readonly gradient: Tensor | Values;
  readonly #columns: number;
  /** The rows that are not 0. */
  #rows = new Uint32Array(0);
  #count = 0;

  /** @throws {GradstepError} `OUT_OF_MEMORY` */
  constructor(parameter: Tensor) {
    const { backend, shape } = parameter;
    this.#columns = columnsOf(parameter);
    this.gradient = hasView(parameter)
      ? backend.tensor(shape, undefined, gradientPool)
      : allocateValues(backend.precision, shape);
  }

  /** Takes values of rows, and sums those of the same row. All others become 0. */
  set(values: Values, { values: rows, places, count }: DistinctValues, length: number): void {
    const columns = this.#columns;
    const { gradient } = this;
    const target = ArrayBuffer.isView(gradient) ? gradient : gradient.view!();
    for (let i = 0; i < this.#count; i += 1)
      target.fill(0, this.#rows[i] * columns, (this.#rows[i] + 1) * columns);
    if (this.#rows.length < count) this.#rows = new Uint32Array(rows.length);
    for (let i = 0; i < count; i += 1) this.#rows[i] = rows[i];
    this.#count = count;
    sumRows(values, places, length, columns, target, rows);
  }

  free(): void {
    if (!ArrayBuffer.isView(this.gradient)) this.gradient.free();
  }
}
