import type { GuardOptions } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import { anyKind, keptHeaderLength } from "../shaders/decide-kernel.js";

/**
 * The scalars of the last steps on the device, in a ring with a row per step. Each row names its step, so that the device
 * sees when those of another step have overwritten it. When hyperparameters change, further rows are written: steps that
 * are recorded and not submitted yet keep those of before.
 */
export class KeptScalars {
  readonly buffer: GPUBuffer;
  readonly rows: number;
  /** Words per row. */
  readonly rowLength: number;
  /** Words of a row before the scalars. */
  readonly scalarsStart: number;
  /** Identifies the current rows: `replace` increases it. */
  epoch = 0;
  /** The kind of steps that work is for. */
  kind: number = anyKind;
  /** The first step that the next work has everything for. */
  firstStep = 0;
  readonly #queue: GPUQueue;
  readonly #options: GuardOptions;
  /** The contents of the buffer. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #persistent: Uint32Array;
  /** What is added to the number of a step for the number of its row, modulo the number of rows. */
  #offset = 0;
  /** The number of the row after the last one that was written. */
  #end = 0;
  /** The numbers of the first and the last row that are not in the buffer yet. */
  #first = 0;
  #last = -1;

  constructor(device: GPUDevice, options: GuardOptions) {
    const { scalars, persistent, keptSteps } = options;
    this.#queue = device.queue;
    this.#options = options;
    this.rows = keptSteps;
    this.scalarsStart = keptHeaderLength + 2 * persistent.length;
    this.rowLength = scalars.reduce((length, one) => length + one.length, this.scalarsStart);
    this.#persistent = new Uint32Array(
      persistent.buffer,
      persistent.byteOffset,
      2 * persistent.length,
    );
    this.#words = new Uint32Array(this.rows * this.rowLength);
    this.#values = new Float32Array(this.#words.buffer);
    const { STORAGE, COPY_DST } = bufferUsage;
    this.buffer = device.createBuffer({
      label: "gradstep guard, scalars",
      size: this.#words.byteLength,
      usage: STORAGE | COPY_DST,
    });
  }

  /** What is added to the number of a step to get that of its row. */
  get offset(): number {
    return ((this.#offset % this.rows) + this.rows) % this.rows;
  }

  /** Writes the scalars of step `t` and the following ones to further rows. */
  replace(t: number): void {
    this.epoch += 1;
    this.#offset = this.#end - t;
  }

  /** Stores the current scalars as those of a step; `flush` gives them to the device. */
  store(t: number, kind: number): void {
    const number = t + this.#offset;
    let place = (number % this.rows) * this.rowLength;
    this.#words[place] = t;
    this.#words[place + 1] = this.epoch;
    this.#words[place + 2] = kind;
    this.#words.set(this.#persistent, place + keptHeaderLength);
    place += this.scalarsStart;
    const { scalars } = this.#options;
    for (let i = 0; i < scalars.length; i += 1) {
      this.#values.set(scalars[i], place);
      place += scalars[i].length;
    }
    this.#first = this.#last < this.#first ? number : Math.min(this.#first, number);
    this.#last = Math.max(this.#last, number);
    this.#end = Math.max(this.#end, number + 1);
  }

  flush(): void {
    const count = this.#last + 1 - this.#first;
    if (count <= 0) return;
    const row = this.#first % this.rows;
    const atEnd = Math.min(count, this.rows - row);
    this.#write(row, atEnd);
    if (count > atEnd) this.#write(0, count - atEnd);
    this.#first = 0;
    this.#last = -1;
  }

  #write(row: number, count: number): void {
    const { rowLength } = this;
    this.#queue.writeBuffer(
      this.buffer,
      4 * row * rowLength,
      this.#words,
      row * rowLength,
      count * rowLength,
    );
  }
}
