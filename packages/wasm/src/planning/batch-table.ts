import type { Update, Variant } from "@gradstep/core";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import { entryWords } from "../memory/batch-layout.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";
import { elementsOf, unmaskedEntries, writeRange, writeRows } from "./row-entries.js";
import { RowRanges } from "./row-ranges.js";
import { ScalarGroups } from "./scalar-groups.js";

/**
 * The tensors of a step as kernels read them, in wasm memory: one entry per tensor, then the scalars of each group.
 * A backend has one, because runs follow one another.
 */
export class BatchTable {
  readonly #buffer: GrowableBuffer;
  /** Created when the first mask is given. */
  #ranges: RowRanges | undefined;
  readonly #heap: Heap;
  readonly #scalars: ScalarGroups;
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
    this.#scalars = new ScalarGroups(this.#buffer);
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
    const scalars = this.#scalars;
    const length = entryWords(variant);
    this.#updates = undefined;
    // There are at most as many groups as entries.
    const isKept = this.#buffer.reserve((length + variant.scalars.length) * count);
    const { words } = this.#buffer;
    scalars.begin(length * count);
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
      words[word] = scalars.addressOf(update.scalars);
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
    this.#buffer.reserve(0);
    this.#scalars.update();
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
    const { words } = this.#buffer;
    this.#scalars.begin(firstScalar);
    let word = 0;
    let elements = 0;
    for (let i = 0, range = 0; i < count; i += 1) {
      const update = updates[i];
      const scalars = this.#scalars.addressOf(update.scalars);
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
}
