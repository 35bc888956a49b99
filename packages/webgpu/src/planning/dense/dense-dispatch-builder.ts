import {
  elementsPerTile,
  entryHeaderLength,
  maxScalarSets,
  type DenseKernelLayout,
} from "../../shaders/kernel-layout.js";
import type { DenseItem } from "./dense-item.js";
import type { BindingLimits, Dispatch } from "../dispatch/dispatch.js";

/** A part of an item that one kernel can update. */
export interface DenseChunk extends Pick<DenseItem, "views" | "count" | "scalars"> {
  readonly layout: DenseKernelLayout;
  /** Chunks with equal keys use the same kernel and the same buffers. */
  readonly key: string;
  /** Words of the table entry after the starts of the arrays that are bound. */
  readonly words: readonly number[];
}

/** From `low` to before `high`. */
interface Interval {
  low: number;
  high: number;
}

/** A range of elements with one entry in the table. */
interface DenseSegment {
  readonly starts: readonly number[];
  readonly words: readonly number[];
  readonly scalars: Float64Array;
  count: number;
}

export function overlaps(a: Interval, b: Interval): boolean {
  return a.low < b.high && b.low < a.high;
}

/** The bytes of an interval of values, from a valid offset of a binding on. */
export function bindableBytes({ low, high }: Interval, { alignment }: BindingLimits): Interval {
  return { low: low * 4 - ((low * 4) % alignment), high: high * 4 };
}

/** Collects chunks for one dispatch. */
export class DenseDispatchBuilder {
  readonly #layout: DenseKernelLayout;
  readonly #key: string;
  readonly #limits: BindingLimits;
  readonly #buffers: readonly GPUBuffer[];
  /** For each array, whether it is one value for all elements. */
  readonly #isUniform: readonly boolean[];
  readonly #segments: DenseSegment[] = [];
  readonly #scalarSets: Float64Array[] = [];
  /** The values that each binding holds. */
  #intervals: Interval[];

  constructor(chunk: DenseChunk, limits: BindingLimits) {
    this.#layout = chunk.layout;
    this.#key = chunk.key;
    this.#limits = limits;
    this.#isUniform = chunk.views.map(({ isUniform }) => isUniform === true);
    this.#intervals = this.#intervalsOf(chunk);
    this.#buffers = this.#perBinding(chunk.views.map(({ buffer }) => buffer));
    this.#push(chunk);
  }

  /** Adds a chunk; returns false if it needs another dispatch. */
  add(chunk: DenseChunk): boolean {
    if (chunk.key !== this.#key) return false;
    if (this.#scalarSets.length === maxScalarSets && !this.#scalarSets.includes(chunk.scalars))
      return false;
    const intervals = this.#intervalsOf(chunk).map(({ low, high }, i) => ({
      low: Math.min(low, this.#intervals[i].low),
      high: Math.max(high, this.#intervals[i].high),
    }));
    const bytes = intervals.map((interval) => bindableBytes(interval, this.#limits));
    if (!bytes.every(({ low, high }) => high - low <= this.#limits.maxBindingSize)) return false;
    if (this.#layout.gradients === "separate-binding" && overlaps(bytes[0], bytes[1])) return false;
    this.#intervals = intervals;
    this.#push(chunk);
    return true;
  }

  finish(): Dispatch<DenseKernelLayout> {
    const { width } = this.#layout;
    const bytes = this.#intervals.map((interval) => bindableBytes(interval, this.#limits));
    const tileCounts = this.#segments.map(({ count }) =>
      Math.ceil(count / width / elementsPerTile),
    );
    const tiles = tileCounts.reduce((sum, count) => sum + count, 0);
    const [{ starts: arrays, words: rest }] = this.#segments;
    const entryLength = entryHeaderLength + arrays.length + rest.length;
    const table = new Uint32Array(1 + tiles + entryLength * this.#segments.length);
    table[0] = tiles;
    let tile = 0;
    this.#segments.forEach(({ starts, words, count, scalars }, i) => {
      const entry = 1 + tiles + entryLength * i;
      table[entry] = tile;
      table[entry + 1] = count / width;
      table[entry + 2] = this.#scalarSets.indexOf(scalars);
      starts.forEach((start, k) => {
        const { low } = bytes[this.#bindingIndex(k)];
        table[entry + entryHeaderLength + k] = (start - low / 4) / (this.#isUniform[k] ? 1 : width);
      });
      table.set(words, entry + entryHeaderLength + starts.length);
      table.fill(entry, 1 + tile, 1 + tile + tileCounts[i]);
      tile += tileCounts[i];
    });
    const bindings = bytes.map(({ low, high }, i) => ({
      buffer: this.#buffers[i],
      offset: low,
      size: high - low,
    }));
    return { layout: this.#layout, bindings, table, tiles, scalarSets: this.#scalarSets };
  }

  /** Which binding holds array `k`. */
  #bindingIndex(k: number): number {
    if (this.#layout.gradients !== "shared-binding" || k === 0) return k;
    return k - 1;
  }

  /** Turns a list with one element per array into a list with one element per binding. */
  #perBinding<T>(arrays: readonly T[]): T[] {
    return this.#layout.gradients === "shared-binding"
      ? [arrays[0], ...arrays.slice(2)]
      : [...arrays];
  }

  #intervalsOf({ views, count }: DenseChunk): Interval[] {
    const intervals = views.map(({ start, isUniform }) => ({
      low: start,
      high: start + (isUniform === true ? 1 : count),
    }));
    if (this.#layout.gradients === "shared-binding") {
      const [p, g] = intervals;
      intervals[0] = { low: Math.min(p.low, g.low), high: Math.max(p.high, g.high) };
    }
    return this.#perBinding(intervals);
  }

  /** Adds a segment, or extends the last one if the chunk follows it in every array. */
  #push({ views, words, count, scalars }: DenseChunk): void {
    const starts = views.map(({ start }) => start);
    if (!this.#scalarSets.includes(scalars)) this.#scalarSets.push(scalars);
    const last = this.#segments.at(-1);
    const isAdjacent =
      last !== undefined &&
      last.scalars === scalars &&
      starts.every(
        (start, k) => start === last.starts[k] + (this.#isUniform[k] ? 0 : last.count),
      ) &&
      words.every((word, k) => word === last.words[k]);
    if (isAdjacent) last.count += count;
    else this.#segments.push({ starts, words, count, scalars });
  }
}
