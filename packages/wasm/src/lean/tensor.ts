import {
  checkValues,
  GradstepError,
  sizeOf,
  type MemoryRange,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import type { LeanBackend, LeanTensor } from "@gradstep/core/lean";
import type { Arena } from "../heap.js";

/** A tensor in the memory of a lean backend. */
export class WasmLeanTensor implements StagingTensor, LeanTensor {
  readonly backend: LeanBackend;
  readonly shape: readonly number[];
  readonly size: number;
  readonly memory: MemoryRange;
  readonly #arena: Arena;
  #view = new Float32Array();
  #freed = false;

  /** @throws {GradstepError} `INVALID_SHAPE`, `OUT_OF_MEMORY` */
  constructor(backend: LeanBackend, arena: Arena, shape: readonly number[]) {
    this.backend = backend;
    this.size = sizeOf(shape);
    this.shape = [...shape];
    this.#arena = arena;
    const byteLength = 4 * this.size;
    this.memory = {
      // Another one when the memory has grown.
      get buffer() {
        return arena.memory.buffer;
      },
      byteOffset: arena.allocate(byteLength),
      byteLength,
    };
    this.view().fill(0);
  }

  get freed(): boolean {
    return this.#freed;
  }

  /**
   * The live values: writing to them writes to the tensor, and steps show in them. Good until the memory grows, which
   * any allocation may make it do; ask again rather than keep it.
   *
   * @throws {GradstepError} `DISPOSED`
   */
  view(): Float32Array {
    if (this.#freed) throw new GradstepError("The tensor was freed.", { code: "DISPOSED" });
    // Growth leaves a view without a length.
    if (this.#view.length === 0)
      this.#view = new Float32Array(this.#arena.memory.buffer, this.memory.byteOffset, this.size);
    return this.#view;
  }

  write(values: ArrayLike<number>): void {
    const view = this.view();
    checkValues(values, this.size);
    view.set(values);
  }

  stage(values: Values): void {
    this.view().set(values);
  }

  async read(): Promise<Float32Array> {
    return this.view().slice();
  }

  free(): void {
    if (!this.#freed) this.#arena.free(this.memory.byteOffset);
    this.#freed = true;
  }
}
