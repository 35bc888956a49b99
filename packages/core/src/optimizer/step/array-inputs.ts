import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { ownTensor, type ParameterRecord } from "../parameters/parameter-record.js";

/** Returns the tensor through which an array enters. */
type Stage = (record: ParameterRecord, values: Values) => Tensor;

/** The gradients of a step that are typed arrays. */
export class ArrayInputs {
  /** The first `count` are valid. */
  readonly #records: ParameterRecord[] = [];
  readonly #arrays: Values[] = [];
  #count = 0;
  /** The backend's memory before anything was staged. */
  #memory: object | undefined;

  get count(): number {
    return this.#count;
  }

  /** Prepares for the gradients of another step. */
  begin(): void {
    this.#count = 0;
  }

  /** Adds a gradient that has been checked. */
  add(record: ParameterRecord, values: Values): void {
    this.#records[this.#count] = record;
    this.#arrays[this.#count] = values;
    this.#count += 1;
  }

  /** Whether a record has an array as its gradient in this step. */
  has(record: ParameterRecord): boolean {
    for (let i = 0; i < this.#count; i += 1) if (this.#records[i] === record) return true;
    return false;
  }

  /**
   * Puts the arrays in the backend's memory into their updates. To be called before anything else is staged, which may
   * make that memory grow and detach them.
   */
  stageInside(staged: Stage): void {
    if (this.#count === 0) return;
    this.#memory = ownTensor(this.#records[0].update).memory.buffer;
    for (let i = 0; i < this.#count; i += 1)
      if (this.#arrays[i].buffer === this.#memory) this.#stage(i, staged);
  }

  /** Puts the other arrays into their updates. */
  stageOutside(staged: Stage): void {
    for (let i = 0; i < this.#count; i += 1)
      if (this.#arrays[i].buffer !== this.#memory) this.#stage(i, staged);
    this.#memory = undefined;
  }

  #stage(index: number, staged: Stage): void {
    const record = this.#records[index];
    record.update.gradient = staged(record, this.#arrays[index]);
  }

  /** Lets no kernel clear these gradients: the array itself is cleared, which may not be what the kernel reads. */
  keepFromKernels(): void {
    for (let i = 0; i < this.#count; i += 1) this.#records[i].update.clearsGradient = false;
  }

  /** Sets all values to 0. */
  clearValues(): void {
    for (let i = 0; i < this.#count; i += 1) this.#arrays[i].fill(0);
  }
}
