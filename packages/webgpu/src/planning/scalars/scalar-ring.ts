import { destroyStale } from "../../device/stale-work.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import { DelayedDestruction, maxUnsubmittedSteps } from "../dispatch/delayed-destruction.js";
import { RingEntries, type StepValues } from "./ring-entries.js";

/** The number of steps whose scalars are written at once, if they are known. */
const maxStepsPerWrite = 16;

/** Who submits a step: the backend at once, or later the caller, into whose encoder it is recorded. */
export type Submitter = "backend" | "caller";

/** Scalars that are written ahead must not replace those of the last `maxUnsubmittedSteps` steps. */
const maxEntries: number = maxUnsubmittedSteps + maxStepsPerWrite;

/** A buffer has this many times as many entries as the one before. */
const growthFactor = 4;
const firstEntries: number = maxEntries / growthFactor ** 2;

/**
 * The scalars of the last steps on the same parameters, in a buffer with an entry per step. It starts small, and
 * grows as steps are recorded, until it has entries for `maxUnsubmittedSteps`; further ones overwrite the oldest.
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
  #entryLength = 0;
  /** Bytes that a binding may reach beyond an entry. */
  #overhang = 0;
  /** The entries for recorded steps. Those for steps that are submitted at once follow. */
  #entryCount = 0;
  /** The entries of the current buffer that recorded steps have used. */
  #used = 0;
  #recorded = new RingEntries(0, 0);
  #submitted = new RingEntries(0, 0);

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
  prepare({ entryLength, overhang }: StepValues, submitter: Submitter): GPUBuffer {
    const isFull =
      submitter === "caller" && this.#used === this.#entryCount && this.#entryCount < maxEntries;
    const fits = entryLength <= this.#entryLength && overhang <= this.#overhang;
    if (this.#buffer === undefined || isFull || !fits) {
      this.#entryLength = Math.max(entryLength, this.#entryLength);
      this.#overhang = Math.max(overhang, this.#overhang);
      const grown = Math.max(firstEntries, this.#entryCount * growthFactor);
      this.#replace(isFull ? grown : this.#entryCount);
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
    const entries = isRecorded ? this.#recorded : this.#submitted;
    const words = step.words();
    if (entries.stay(words)) return this.#entryLength * entries.current;
    const advanced = entries.advance(words);
    if (advanced > 0) {
      if (isRecorded) this.#used += advanced;
      return this.#entryLength * entries.current;
    }
    const first = isRecorded ? this.#used % this.#entryCount : this.#entryCount;
    const room = isRecorded ? this.#entryCount - first : maxStepsPerWrite;
    const written = entries.fill(first, step, Math.min(room, maxStepsPerWrite));
    this.#device.queue.writeBuffer(
      this.#buffer!,
      this.#entryLength * first,
      entries.words,
      0,
      written,
    );
    if (isRecorded) this.#used += 1;
    return this.#entryLength * first;
  }

  /** Destroys the buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    const current = this.#buffer === undefined ? [] : [this.#buffer];
    for (const buffer of [...this.#outgrown.takeAll(), ...current]) destroyStale(buffer);
  }

  #replace(entryCount: number): void {
    if (this.#buffer !== undefined) {
      if (this.#used === 0) this.#buffer.destroy();
      else this.#outgrown.destroyLater(this.#buffer);
    }
    this.#entryCount = entryCount;
    this.#used = 0;
    this.#recorded = new RingEntries(maxStepsPerWrite, this.#entryLength);
    this.#submitted = new RingEntries(maxStepsPerWrite, this.#entryLength);
    this.#buffer = this.#device.createBuffer({
      label: `${this.#label}, scalars`,
      size: this.#entryLength * (entryCount + maxStepsPerWrite) + this.#overhang,
      usage: this.#usage | bufferUsage.COPY_DST,
    });
  }
}
