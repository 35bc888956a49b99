import type { GpuTensor } from "./gpu-tensor.js";

/** What one remap that was recorded into a target needs until the target is submitted. */
interface RecordedRemap {
  readonly recordedInto: object;
  readonly tensors: readonly GpuTensor[];
  readonly resources: readonly { destroy(): void }[];
}

/**
 * Memory that recorded remaps need: the old memory of tensors, scratch memory and tables. It is kept until one of the
 * tensors is moved once more without that target, or freed; by then the target must have been submitted.
 */
export class RetainedMemory {
  readonly #remaps = new Set<RecordedRemap>();

  keep(
    recordedInto: object,
    tensors: readonly GpuTensor[],
    resources: readonly { destroy(): void }[],
  ): void {
    this.#remaps.add({ recordedInto, tensors, resources });
  }

  /**
   * Releases what is no longer needed when these tensors are moved.
   * @param recordInto the target of that move; undefined if it is submitted at once
   */
  release(tensors: readonly GpuTensor[], recordInto: object | undefined): void {
    for (const remap of this.#remaps) {
      const isOver =
        remap.tensors.some(({ freed }) => freed) ||
        (remap.recordedInto !== recordInto && remap.tensors.some((one) => tensors.includes(one)));
      if (isOver) this.#destroy(remap);
    }
  }

  /** Releases what belongs to tensors that were freed. */
  releaseFreed(): void {
    this.release([], undefined);
  }

  destroy(): void {
    for (const remap of this.#remaps) this.#destroy(remap);
  }

  #destroy(remap: RecordedRemap): void {
    this.#remaps.delete(remap);
    for (const one of remap.resources) one.destroy();
  }
}
