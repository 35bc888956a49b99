import type { Tensor, Values } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { SparseMemory } from "./sparse-memory.js";
import type { SparseGradient } from "./sparse-gradient.js";

/** The sparse gradients of a step. */
export class SparseInputs {
  /** The first `count` are valid. */
  readonly #records: ParameterRecord[] = [];
  readonly #gradients: SparseGradient[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Adds a gradient that has been checked. */
  add(record: ParameterRecord, gradient: SparseGradient): void {
    this.#records[this.#count] = record;
    this.#gradients[this.#count] = outside(gradient, record.update.parameter);
    this.#count += 1;
  }

  /**
   * Puts the gradients into their updates.
   * @param staged returns the tensor through which an array enters
   */
  stage(staged: (record: ParameterRecord, values: Values) => Tensor): void {
    for (let i = 0; i < this.#count; i += 1) {
      const record = this.#records[i];
      const { update } = record;
      record.sparse ??= new SparseMemory(update.parameter);
      const gradient = record.sparse.densify(this.#gradients[i]);
      update.gradient = ArrayBuffer.isView(gradient) ? staged(record, gradient) : gradient;
    }
  }
}

/** Copies arrays that are in the parameter's memory, which may grow and detach them. */
function outside(gradient: SparseGradient, { memory: { buffer } }: Tensor): SparseGradient {
  const { indices, values } = gradient;
  const isInside = (array: SparseGradient["indices"] | SparseGradient["values"]): boolean =>
    ArrayBuffer.isView(array) && array.buffer === buffer;
  if (!isInside(indices) && !isInside(values)) return gradient;
  return {
    indices: ArrayBuffer.isView(indices) ? indices.slice() : indices,
    values: ArrayBuffer.isView(values) ? values.slice() : values,
  };
}
