/** The layout of the scratch buffer of a step, in words: results of reductions, and partial results. */
export class ScratchLayout {
  #results = 0;
  #partials = 0;
  #maxPartials = 0;
  readonly #constants: { readonly start: number; readonly value: number }[] = [];

  /** Reserves words for the whole step. All of them must be reserved before the first `take`. */
  reserve(length: number): number {
    const start = this.#results;
    this.#results += length;
    return start;
  }

  /** A value that is known before the step. */
  constant(value: number): number {
    const start = this.reserve(1);
    this.#constants.push({ start, value });
    return start;
  }

  /** Takes words for partial results, until `release`. */
  take(length: number): number {
    const start = this.#results + this.#partials;
    this.#partials += length;
    this.#maxPartials = Math.max(this.#maxPartials, this.#partials);
    return start;
  }

  /** Frees what was taken. */
  release(): void {
    this.#partials = 0;
  }

  /** Words of the buffer. */
  get length(): number {
    return this.#results + this.#maxPartials;
  }

  /** The first contents of the buffer; undefined if nothing is known before the step. */
  get contents(): Float32Array<ArrayBuffer> | undefined {
    if (this.#constants.length === 0) return undefined;
    const contents = new Float32Array(this.#results);
    for (const { start, value } of this.#constants) contents[start] = value;
    return contents;
  }
}
