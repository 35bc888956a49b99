import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { DelayedDestruction, maxUnsubmittedSteps } from "./delayed-destruction.js";
import type { ScalarBlocks } from "./scalar-blocks.js";

/** How many times as many steps a buffer holds as the one before. */
const growthFactor = 4;

/**
 * The scalars of the last steps on the same parameters, in a uniform buffer. It starts small, and grows while recorded
 * steps need it, up to `maxUnsubmittedSteps`; further ones overwrite the oldest.
 */
export class ScalarRing {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #outgrown = new DelayedDestruction<GPUBuffer>();
  #buffer: GPUBuffer | undefined;
  #slotLength = 0;
  /** Bytes that a binding may reach beyond a slot. */
  #overhang = 0;
  /** The slots for recorded steps. One more, at the end, is for steps that are submitted at once. */
  #slots = 0;
  /** Recorded steps in the current buffer. */
  #recorded = 0;

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
  }

  /**
   * Makes room for a step.
   * @param isRecorded whether the caller submits it later
   * @returns the buffer to bind, which changes as the ring grows
   */
  prepare({ slotLength, overhang }: ScalarBlocks, isRecorded: boolean): GPUBuffer {
    const isFull =
      isRecorded && this.#recorded === this.#slots && this.#slots < maxUnsubmittedSteps;
    const fits = slotLength <= this.#slotLength && overhang <= this.#overhang;
    if (this.#buffer === undefined || isFull || !fits) {
      this.#slotLength = Math.max(slotLength, this.#slotLength);
      this.#overhang = Math.max(overhang, this.#overhang);
      this.#replace(isFull ? Math.max(1, this.#slots) * growthFactor : this.#slots);
    }
    return this.#buffer!;
  }

  /**
   * Writes the current scalars for the step that was prepared.
   * @returns the offset in the buffer, in bytes
   */
  write(blocks: ScalarBlocks, isRecorded: boolean): number {
    const slot = isRecorded ? this.#recorded % this.#slots : this.#slots;
    if (isRecorded) {
      this.#recorded += 1;
      this.#outgrown.countStep();
    }
    const offset = slot * this.#slotLength;
    this.#device.queue.writeBuffer(this.#buffer!, offset, blocks.values());
    return offset;
  }

  /** Destroys the buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    const current = this.#buffer === undefined ? [] : [this.#buffer];
    for (const buffer of [...this.#outgrown.takeAll(), ...current]) destroyStale(buffer);
  }

  #replace(slots: number): void {
    if (this.#buffer !== undefined) {
      if (this.#recorded === 0) this.#buffer.destroy();
      else this.#outgrown.destroyLater(this.#buffer);
    }
    this.#slots = Math.min(slots, maxUnsubmittedSteps);
    this.#recorded = 0;
    this.#buffer = this.#device.createBuffer({
      label: `${this.#label}, scalars`,
      size: this.#slotLength * (this.#slots + 1) + this.#overhang,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
  }
}
