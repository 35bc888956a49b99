import type { Values } from "../../backend/memory.js";
import { ownTensor, type ParameterRecord, type Staging } from "../parameters/parameter-record.js";

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
  stageInside(staging: Staging): void {
    if (this.#count === 0) return;
    this.#memory = ownTensor(this.#records[0].update).memory.buffer;
    for (let i = 0; i < this.#count; i += 1)
      if (this.#arrays[i].buffer === this.#memory) this.#stage(i, staging);
  }

  /** Puts the other arrays into their updates. */
  stageOutside(staging: Staging): void {
    for (let i = 0; i < this.#count; i += 1)
      if (this.#arrays[i].buffer !== this.#memory) this.#stage(i, staging);
    this.#memory = undefined;
  }

  #stage(index: number, staging: Staging): void {
    const record = this.#records[index];
    record.update.gradient = staging(record, this.#arrays[index]);
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
