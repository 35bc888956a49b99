import type { RowScalars, Tensor, Update } from "@gradstep/core";
import { rowScalarsHeaderLength } from "../../shaders/row-scalars-kernel.js";

/** The scalars of the rows of a list, after its entries: a header, a word per entry, and the sets. */
export class ListScalars {
  readonly counts: Tensor;
  /** Where the words of the entries begin, each with the start of its scalars; where the sets begin, and where they end. */
  readonly starts: number;
  readonly sets: number;
  readonly end: number;
  /** Words per set. */
  readonly setLength: number;
  /** The number of sets that there is room for. */
  readonly capacity: number;
  #values: Float32Array | undefined;

  /**
   * @param start where the header begins, in words
   * @param length the number of entries
   */
  constructor(
    { scalars }: Update,
    { counts, setCount }: RowScalars,
    start: number,
    length: number,
  ) {
    this.counts = counts;
    this.setLength = scalars.length;
    this.capacity = capacityFor(setCount);
    this.starts = start + rowScalarsHeaderLength;
    this.sets = this.starts + length;
    this.end = this.sets + this.capacity * this.setLength;
  }

  /** Puts the current ones into the words of the list. @param length the number of entries that have a row */
  write(
    words: Uint32Array<ArrayBuffer>,
    { offsets, firstStep, setsPerStep, values, setCount }: RowScalars,
    length: number,
  ): void {
    const header = this.starts - rowScalarsHeaderLength;
    words[header] = firstStep;
    words[header + 1] = setsPerStep;
    for (let i = 0; i < length; i += 1) words[this.starts + i] = offsets[i];
    const target = (this.#values ??= new Float32Array(words.buffer));
    const count = setCount * this.setLength;
    for (let i = 0; i < count; i += 1) target[this.sets + i] = values[i];
  }
}

/** A power of two, so that few numbers of rows and of sets need buffers of their own. */
export function capacityFor(count: number): number {
  return Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(1, count))));
}
