import type { Tensor } from "../../backend/backend.js";
import { isStoredTensor } from "../../backend/stored-values.js";
import { ownTensor, type ParameterRecord, type Staging } from "../parameters/parameter-record.js";
import { ascending } from "../../backend/ascending.js";
import { isTensor } from "../../backend/is-tensor.js";
import { checkHasRows } from "../rows/row-checks.js";
import { noRows } from "./row-steps.js";
import type { SparseGradient } from "./sparse-gradient.js";
import { SparseMemory } from "./sparse-memory.js";

/**
 * What reads the gradients of a step: the kernel of its rule, which may take lists of rows, or one of arithmetic, which adds
 * or multiplies all rows.
 */
export type GradientReader = "rule" | "arithmetic";

/** The sparse gradients of a step. */
export class SparseInputs {
  /** The first `count` are valid. */
  readonly #records: ParameterRecord[] = [];
  readonly #gradients: SparseGradient[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Prepares for the gradients of another step. */
  begin(): void {
    for (let i = 0; i < this.#count; i += 1) {
      const { update, sparse, rowLimit } = this.#records[i];
      update.rows = undefined;
      sparse?.clearMask();
      update.mask = rowLimit?.mask;
      update.unselectedRows = "keep";
    }
    this.#count = 0;
  }

  /** Adds a gradient that has been checked. @throws {GradstepError} `UNSUPPORTED` by a backend that cannot select rows */
  add(record: ParameterRecord, gradient: SparseGradient): void {
    this.#records[this.#count] = record;
    this.#gradients[this.#count] = outside(arraysOf(gradient), ownTensor(record.update));
    if (record.group.sparseOptions.sparse === "lazy") {
      checkHasRows(record.update.parameter.backend);
      // Indices that select rows take the place of a number of rows, as masks do.
      record.update.mask = undefined;
    }
    this.#count += 1;
  }

  /** Whether a record has a sparse gradient in this step that selects the rows to be updated. */
  isLazy(record: ParameterRecord): boolean {
    return record.group.sparseOptions.sparse === "lazy" && this.has(record);
  }

  /** Whether a record has a sparse gradient in this step. */
  has(record: ParameterRecord): boolean {
    for (let i = 0; i < this.#count; i += 1) if (this.#records[i] === record) return true;
    return false;
  }

  /** Whether a record has a sparse gradient in this step whose indices are a tensor. */
  hasIndexTensor(record: ParameterRecord): boolean {
    for (let i = 0; i < this.#count; i += 1)
      if (this.#records[i] === record) return isTensor(this.#gradients[i].indices);
    return false;
  }

  /** Puts the gradients into their updates: for arithmetic, those of some rows become those of all rows, with a mask. */
  stage(staging: Staging, reader: GradientReader): void {
    for (let i = 0; i < this.#count; i += 1) {
      const record = this.#records[i];
      record.sparse ??= new SparseMemory(record.update.parameter);
      const { sparse, update, group } = record;
      const isLazy = group.sparseOptions.sparse === "lazy";
      const { indices, values } = this.#gradients[i];
      const isListed = reader === "rule" && canListRows(record);
      if (isTensor(indices) && isListed) {
        update.gradient = values as Tensor;
        update.rows = indices;
        if (isLazy) update.unselectedRows = "keep";
        else if (update.mask === undefined) update.unselectedRows = "zero";
        continue;
      }
      if (isLazy && isListed) {
        update.unselectedRows = "keep";
        update.gradient = sparse.compact(this.#gradients[i]);
        const list = (record.rowList ??= { ...noRows });
        list.indices = sparse.rows;
        list.gradientRows = ascending(sparse.count);
        list.end = sparse.count;
        update.rows = list;
        continue;
      }
      const gradient = sparse.dense(this.#gradients[i]);
      update.gradient = ArrayBuffer.isView(gradient) ? staging(record, gradient) : gradient;
      if (isLazy) {
        update.mask = sparse.mask();
        update.unselectedRows = "keep";
      }
    }
  }
}

/** Rows that share a word of a copy are not updated one by one. */
function canListRows({ run, update }: ParameterRecord): boolean {
  return run.kernel!.takesRowLists === true && update.copies.length === 0;
}

/** A gradient whose indices are an array, unless they are on a device. */
function arraysOf(gradient: SparseGradient): SparseGradient {
  const { indices, values } = gradient;
  return isStoredTensor(indices) ? { indices: indices.rowValues(), values } : gradient;
}

/** Copies arrays that are in the backend's memory, which may grow and detach them. */
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
