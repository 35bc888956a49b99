import type { ScalarBlocks } from "./scalar-blocks.js";

/** What the host writes for a step with signals on the device: its scalars, and their slopes in the learning rate. */
export class SignalBlocks {
  /** Bytes from the values of a step to those of the next: a valid dynamic offset. */
  readonly entryLength: number;
  readonly overhang = 0;
  /** Where the slopes begin, in words. */
  readonly slopesStart: number;
  readonly #blocks: ScalarBlocks;
  readonly #slopes: readonly (readonly [slopes: Float64Array, start: number])[];
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;

  /** @param slopesOf the slopes of a set of scalars; undefined for none */
  constructor(
    { limits }: GPUDevice,
    blocks: ScalarBlocks,
    slopesOf: (scalars: Float64Array) => Float64Array | undefined,
  ) {
    this.#blocks = blocks;
    this.slopesStart = blocks.entryLength / 4;
    this.#slopes = [...blocks.sets()].flatMap(({ set, start }) => {
      const slopes = slopesOf(set);
      return slopes === undefined ? [] : [[slopes, this.slopesStart + start] as const];
    });
    const length = blocks.entryLength * (this.#slopes.length > 0 ? 2 : 1);
    const alignment = limits.minStorageBufferOffsetAlignment;
    this.entryLength = Math.ceil(length / alignment) * alignment;
    this.#values = new Float32Array(length / 4);
    this.#words = new Uint32Array(this.#values.buffer);
  }

  /** The current values, in memory that the next call reuses. */
  words(): Uint32Array<ArrayBuffer> {
    this.#words.set(this.#blocks.words());
    for (let k = 0; k < this.#slopes.length; k += 1) {
      const [slopes, start] = this.#slopes[k];
      this.#values.set(slopes, start);
    }
    return this.#words;
  }
}
