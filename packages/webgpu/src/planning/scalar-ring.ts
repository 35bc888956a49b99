import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { DelayedDestruction, maxUnsubmittedSteps } from "./delayed-destruction.js";

/** What the host writes for a step. */
export interface StepValues {
  /** Bytes from the values of a step to those of the next: a valid dynamic offset. */
  readonly slotLength: number;
  /** Bytes that a binding may reach beyond a slot. */
  readonly overhang: number;
  /** The current values, in memory that the next call reuses. */
  words(): Uint32Array<ArrayBuffer>;
}

/** How many times as many steps a buffer holds as the one before. */
const growthFactor = 4;

/** What was written last to the slots of one kind. */
interface LastWrite {
  /** The scalars, as words. */
  words: Uint32Array<ArrayBuffer>;
  /** Words that are valid; 0 if there are none. */
  length: number;
  offset: number;
}

/**
 * The scalars of the last steps on the same parameters, in one buffer. It starts small, and grows while recorded
 * steps need it, up to `maxUnsubmittedSteps`; further ones overwrite the oldest. A step with the scalars of the one
 * before it uses them, and writes nothing.
 */
export class ScalarRing {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #usage: number;
  readonly #outgrown = new DelayedDestruction<GPUBuffer>();
  #buffer: GPUBuffer | undefined;
  #slotLength = 0;
  /** Bytes that a binding may reach beyond a slot. */
  #overhang = 0;
  /** The slots for recorded steps. One more, at the end, is for steps that are submitted at once. */
  #slots = 0;
  /** The scalars of recorded steps that were written to the current buffer. */
  #written = 0;
  readonly #lastRecorded: LastWrite = { words: new Uint32Array(0), length: 0, offset: 0 };
  readonly #lastSubmitted: LastWrite = { words: new Uint32Array(0), length: 0, offset: 0 };

  /** @param usage of the buffer */
  constructor(device: GPUDevice, label: string, usage: "UNIFORM" | "STORAGE") {
    this.#usage = bufferUsage[usage];
    this.#device = device;
    this.#label = label;
  }

  /**
   * Makes room for a step.
   * @param isRecorded whether the caller submits it later
   * @returns the buffer to bind, which changes as the ring grows
   */
  prepare({ slotLength, overhang }: StepValues, isRecorded: boolean): GPUBuffer {
    const isFull = isRecorded && this.#written === this.#slots && this.#slots < maxUnsubmittedSteps;
    const fits = slotLength <= this.#slotLength && overhang <= this.#overhang;
    if (this.#buffer === undefined || isFull || !fits) {
      this.#slotLength = Math.max(slotLength, this.#slotLength);
      this.#overhang = Math.max(overhang, this.#overhang);
      this.#replace(isFull ? Math.max(1, this.#slots) * growthFactor : this.#slots);
    }
    return this.#buffer!;
  }

  /**
   * Writes the current scalars for the step that was prepared, unless they are there already.
   * @returns the offset in the buffer, in bytes
   */
  write(step: StepValues, isRecorded: boolean): number {
    if (isRecorded) this.#outgrown.countStep();
    const last = isRecorded ? this.#lastRecorded : this.#lastSubmitted;
    const values = step.words();
    if (isSame(last, values)) return last.offset;
    const slot = isRecorded ? this.#written % this.#slots : this.#slots;
    if (isRecorded) this.#written += 1;
    if (last.words.length < values.length) last.words = new Uint32Array(values.length);
    last.words.set(values);
    last.length = values.length;
    last.offset = slot * this.#slotLength;
    this.#device.queue.writeBuffer(this.#buffer!, last.offset, values);
    return last.offset;
  }

  /** Destroys the buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    const current = this.#buffer === undefined ? [] : [this.#buffer];
    for (const buffer of [...this.#outgrown.takeAll(), ...current]) destroyStale(buffer);
  }

  #replace(slots: number): void {
    if (this.#buffer !== undefined) {
      if (this.#written === 0) this.#buffer.destroy();
      else this.#outgrown.destroyLater(this.#buffer);
    }
    this.#slots = Math.min(slots, maxUnsubmittedSteps);
    this.#written = 0;
    this.#lastRecorded.length = 0;
    this.#lastSubmitted.length = 0;
    this.#buffer = this.#device.createBuffer({
      label: `${this.#label}, scalars`,
      size: this.#slotLength * (this.#slots + 1) + this.#overhang,
      usage: this.#usage | bufferUsage.COPY_DST,
    });
  }
}

/** Whether the last scalars have the same bits. */
function isSame({ words, length }: LastWrite, values: Uint32Array): boolean {
  if (length !== values.length) return false;
  for (let i = 0; i < length; i += 1) if (words[i] !== values[i]) return false;
  return true;
}
