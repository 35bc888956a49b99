import type { GrowableBuffer } from "../memory/growable-buffer.js";

/** The scalars of the groups of a step as f32, one array after the other, in a buffer with the entries of its tensors. */
export class ScalarGroups {
  readonly #buffer: GrowableBuffer;
  /** In the order in which they are in the buffer. */
  readonly #groups: Float64Array[] = [];
  #count = 0;
  #firstWord = 0;
  /** The group that was looked up last. */
  #last = 0;

  constructor(buffer: GrowableBuffer) {
    this.#buffer = buffer;
  }

  /** Begins a step. @param firstWord of the scalars in the buffer */
  begin(firstWord: number): void {
    this.#firstWord = firstWord;
    this.#count = 0;
    this.#last = 0;
  }

  /** The address of the scalars of a group, which are written when they are first looked up. */
  addressOf(scalars: Float64Array): number {
    if (this.#last >= this.#count || this.#groups[this.#last] !== scalars) this.#find(scalars);
    return this.#buffer.address + 4 * (this.#firstWord + scalars.length * this.#last);
  }

  /** Writes the current scalars of all groups. */
  update(): void {
    for (let i = 0; i < this.#count; i += 1) this.#write(i);
  }

  #find(scalars: Float64Array): void {
    const groups = this.#groups;
    const count = this.#count;
    // From the last one on: groups often alternate.
    for (let i = 0; i < count; i += 1) {
      const group = (this.#last + i) % count;
      if (groups[group] !== scalars) continue;
      this.#last = group;
      return;
    }
    groups[count] = scalars;
    this.#last = count;
    this.#count = count + 1;
    this.#write(count);
  }

  #write(group: number): void {
    const { floats } = this.#buffer;
    const scalars = this.#groups[group];
    const word = this.#firstWord + scalars.length * group;
    for (let i = 0; i < scalars.length; i += 1) floats[word + i] = scalars[i];
  }
}
