import { destroyStale } from "../../device/stale-work.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import { DelayedDestruction, maxUnsubmittedSteps } from "../dispatch/delayed-destruction.js";
import { ScalarSlots, type StepValues } from "./scalar-slots.js";

/** The number of steps whose scalars are written at once, if they are known. */
const maxStepsPerWrite = 16;

/** Who submits a step: the backend at once, or later the caller, into whose encoder it is recorded. */
export type Submitter = "backend" | "caller";

/** Scalars that are written ahead must not replace those of the last `maxUnsubmittedSteps` steps. */
const maxSlots: number = maxUnsubmittedSteps + maxStepsPerWrite;

/** A buffer has this many times as many slots as the one before. */
const growthFactor = 4;
const firstSlots: number = maxSlots / growthFactor ** 2;

/**
 * The scalars of the last steps on the same parameters, in a buffer with a slot per step. It starts small, and
 * grows as steps are recorded, until it has slots for `maxUnsubmittedSteps`; further ones overwrite the oldest.
 *
 * A write stalls the device: it waits for the step before, copies, and waits for the copy. So the scalars of following
 * steps are written as well, and a step whose scalars are there already writes nothing.
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
  /** The slots for recorded steps. Those for steps that are submitted at once follow. */
  #slotCount = 0;
  /** The slots of the current buffer that recorded steps have used. */
  #used = 0;
  #recorded = new ScalarSlots(0, 0);
  #submitted = new ScalarSlots(0, 0);

  /** @param usage of the buffer */
  constructor(device: GPUDevice, label: string, usage: "UNIFORM" | "STORAGE") {
    this.#usage = bufferUsage[usage];
    this.#device = device;
    this.#label = label;
  }

  /**
   * Makes room for a step.
   * @returns the buffer to bind, which changes as the ring grows
   */
  prepare({ slotLength, overhang }: StepValues, submitter: Submitter): GPUBuffer {
    const isFull =
      submitter === "caller" && this.#used === this.#slotCount && this.#slotCount < maxSlots;
    const fits = slotLength <= this.#slotLength && overhang <= this.#overhang;
    if (this.#buffer === undefined || isFull || !fits) {
      this.#slotLength = Math.max(slotLength, this.#slotLength);
      this.#overhang = Math.max(overhang, this.#overhang);
      const grown = Math.max(firstSlots, this.#slotCount * growthFactor);
      this.#replace(isFull ? grown : this.#slotCount);
    }
    return this.#buffer!;
  }

  /**
   * Writes the current scalars for the step that was prepared, unless they are there already.
   * @returns the offset in the buffer, in bytes
   */
  write(step: StepValues, submitter: Submitter): number {
    const isRecorded = submitter === "caller";
    if (isRecorded) this.#outgrown.countStep();
    const slots = isRecorded ? this.#recorded : this.#submitted;
    const words = step.words();
    if (slots.stay(words)) return this.#slotLength * slots.current;
    const advanced = slots.advance(words);
    if (advanced > 0) {
      if (isRecorded) this.#used += advanced;
      return this.#slotLength * slots.current;
    }
    const first = isRecorded ? this.#used % this.#slotCount : this.#slotCount;
    const room = isRecorded ? this.#slotCount - first : maxStepsPerWrite;
    const written = slots.fill(first, step, Math.min(room, maxStepsPerWrite));
    this.#device.queue.writeBuffer(
      this.#buffer!,
      this.#slotLength * first,
      slots.words,
      0,
      written,
    );
    if (isRecorded) this.#used += 1;
    return this.#slotLength * first;
  }

  /** Destroys the buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    const current = this.#buffer === undefined ? [] : [this.#buffer];
    for (const buffer of [...this.#outgrown.takeAll(), ...current]) destroyStale(buffer);
  }

  #replace(slotCount: number): void {
    if (this.#buffer !== undefined) {
      if (this.#used === 0) this.#buffer.destroy();
      else this.#outgrown.destroyLater(this.#buffer);
    }
    this.#slotCount = slotCount;
    this.#used = 0;
    this.#recorded = new ScalarSlots(maxStepsPerWrite, this.#slotLength);
    this.#submitted = new ScalarSlots(maxStepsPerWrite, this.#slotLength);
    this.#buffer = this.#device.createBuffer({
      label: `${this.#label}, scalars`,
      size: this.#slotLength * (slotCount + maxStepsPerWrite) + this.#overhang,
      usage: this.#usage | bufferUsage.COPY_DST,
    });
  }
}
