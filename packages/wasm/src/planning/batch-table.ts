import type { Update, Variant } from "@gradstep/core";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import { entryWords } from "../memory/layout.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";
import { elementsOf, unmaskedEntries, writeRange, writeRows } from "./row-entries.js";
import { RowRanges } from "./row-ranges.js";

/**
 * The tensors of a step as kernels read them, in wasm memory: one entry per tensor, then the scalars of each group.
 * A backend has one, because runs follow one another.
 */
export class BatchTable {
  readonly #buffer: GrowableBuffer;
  /** Created when the first mask is given. */
  #ranges: RowRanges | undefined;
  readonly #heap: Heap;
  /** The scalars of this run, one array per group of the optimizer, in the order in which they are in the table. */
  readonly #groups: Float64Array[] = [];
  #groupCount = 0;
  #entryWords = 0;
  #count = 0;
  #elements = 0;
  #layoutVersion = 0;
  #hasRows = false;
  /** Whether the entries are those of one `fill` without masks. */
  #isUnmasked = false;
  /** The updates of that `fill`, if the addresses and sizes of their tensors have not changed since. */
  #updates: readonly Update[] | undefined;
  #variant: Variant | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#buffer = new GrowableBuffer(heap);
  }

  /** Address of the first entry. */
  get address(): number {
    return this.#buffer.address;
  }

  /** The number of entries. */
  get count(): number {
    return this.#count;
  }

  /** The length of an entry in words. The first word is its number of elements. */
  get entryWords(): number {
    return this.#entryWords;
  }

  /** The table as words. */
  get words(): Int32Array {
    return this.#buffer.words;
  }

  /** The number of elements in all entries. */
  get elements(): number {
    return this.#elements;
  }

  /** Whether entries are rows, or ranges of rows, of tensors. */
  get hasRows(): boolean {
    return this.#hasRows;
  }

  /** Changes when the address, the number or the sizes of the entries change. */
  get layoutVersion(): number {
    return this.#layoutVersion;
  }

  /**
   * Writes the entries of the first `count` updates. Allocates only if the table has never been this long.
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  fill(variant: Variant, updates: readonly Update[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      if (updates[i].mask !== undefined || updates[i].rows !== undefined) {
        this.#fillRows(variant, updates, count);
        return;
      }
    }
    const slots = variant.slots.length;
    const scalars = variant.scalars.length;
    const length = entryWords(variant);
    this.#updates = undefined;
    // There are at most as many groups as entries.
    const isKept = this.#buffer.reserve((length + scalars) * count);
    const { words, address } = this.#buffer;
    const firstScalar = length * count;
    this.#groupCount = 0;
    let group = 0;
    let isSameLayout =
      isKept && this.#isUnmasked && length === this.#entryWords && count === this.#count;
    this.#isUnmasked = false;
    let elements = 0;
    let word = 0;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const { size } = update.parameter;
      elements += size;
      isSameLayout &&= words[word] === size;
      words[word] = size;
      words[word + 1] = (update.parameter as WasmTensor).address;
      words[word + 2] = (update.gradient as WasmTensor).address;
      word += 3;
      for (let j = 0; j < slots; j += 1) words[word + j] = (update.slots[j] as WasmTensor).address;
      word += slots;
      if (group >= this.#groupCount || this.#groups[group] !== update.scalars)
        group = this.#groupOf(update.scalars, group, firstScalar);
      words[word] = address + 4 * (firstScalar + scalars * group);
      word += 1;
    }
    this.#isUnmasked = true;
    this.#hasRows = false;
    this.#updates = updates;
    this.#variant = variant;
    if (!isSameLayout) this.#layoutVersion += 1;
    this.#entryWords = length;
    this.#count = count;
    this.#elements = elements;
  }

  /** Whether the entries are still those that `fill` wrote for these updates, except for the scalars. */
  matches(variant: Variant, updates: readonly Update[]): boolean {
    return this.#updates === updates && this.#variant === variant;
  }

  /** Makes `matches` false until the next `fill`: the address or the size of a tensor has changed. */
  invalidate(): void {
    this.#updates = undefined;
  }

  /** Writes the current scalars of a batch without masks. */
  updateScalars(): void {
    // Renews views that growth has detached.
    if (this.#buffer.floats.length === 0) this.#buffer.reserve(0);
    let word = this.#entryWords * this.#count;
    for (let i = 0; i < this.#groupCount; i += 1) word = this.#writeScalars(this.#groups[i], word);
  }

  /**
   * As `fill`, with one entry per range of rows that a mask treats alike, and per run of listed rows that follow one
   * another.
   */
  #fillRows(variant: Variant, updates: readonly Update[], count: number): void {
    this.#isUnmasked = false;
    this.#hasRows = true;
    this.#updates = undefined;
    const ranges = (this.#ranges ??= new RowRanges(this.#heap));
    ranges.collect(updates, count);
    const length = entryWords(variant);
    const entries = ranges.count + unmaskedEntries(updates, count);
    const firstScalar = length * entries;
    this.#buffer.reserve(firstScalar + variant.scalars.length * count);
    ranges.resolveAddresses(updates);
    const { words, address } = this.#buffer;
    this.#groupCount = 0;
    let word = 0;
    let elements = 0;
    for (let i = 0, range = 0; i < count; i += 1) {
      const update = updates[i];
      const group = this.#groupOf(update.scalars, 0, firstScalar);
      const scalars = address + 4 * (firstScalar + variant.scalars.length * group);
      if (update.mask === undefined) {
        word = writeRows(words, word, update, scalars);
        elements += elementsOf(update);
      }
      for (; range < ranges.count && ranges.updates[range] === i; range += 1) {
        writeRange(words, word, update, ranges, range, scalars);
        elements += words[word];
        word += length;
      }
    }
    this.#count = word / length;
    this.#elements = elements;
    this.#layoutVersion += 1;
    this.#entryWords = length;
  }

  /**
   * The index of a group. Its scalars are written when it is first seen.
   * @param last the index of the last group that was looked up: groups often alternate.
   */
  #groupOf(scalars: Float64Array, last: number, firstScalar: number): number {
    const groups = this.#groups;
    const count = this.#groupCount;
    for (let i = 0; i < count; i += 1) {
      const group = (last + i) % count;
      if (groups[group] === scalars) return group;
    }
    groups[count] = scalars;
    this.#groupCount = count + 1;
    this.#writeScalars(scalars, firstScalar + count * scalars.length);
    return count;
  }

  /** Writes scalars from this word on; returns the word after them. */
  #writeScalars(scalars: Float64Array, word: number): number {
    const { floats } = this.#buffer;
    for (let i = 0; i < scalars.length; i += 1) floats[word + i] = scalars[i];
    return word + scalars.length;
  }
}
