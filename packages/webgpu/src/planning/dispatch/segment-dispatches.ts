import { GradstepError } from "@gradstep/core";
import { elementsPerTile, entryHeaderLength, maxScalarSets } from "../../shaders/kernel-layout.js";
import type { BindingLimits, BindingRange, Dispatch } from "./dispatch.js";

/** The bytes of a buffer from `low` to before `high`; their number is a multiple of four. */
export interface ByteSpan {
  readonly buffer: GPUBuffer;
  readonly low: number;
  readonly high: number;
}

/** The bytes of one word per row. */
export function rowsSpan(
  { buffer, start, stride }: { buffer: GPUBuffer; start: number; stride: number },
  firstRow: number,
  rowCount: number,
): ByteSpan {
  const low = (start + firstRow * stride) * 4;
  return { buffer, low, high: low + ((rowCount - 1) * stride + 1) * 4 };
}

/** A range of elements with one entry in the table of a dispatch. */
export interface Segment {
  /** The bytes that it uses of each binding. */
  readonly spans: readonly ByteSpan[];
  readonly count: number;
  /** The number of workgroups; one per `elementsPerTile` elements if left out. */
  readonly tiles?: number;
  /** The scalars of the parameter's group, compared by identity; undefined for kernels without scalars. */
  readonly scalars: Float64Array | undefined;
  /**
   * The words of its table entry after the header.
   * @param offsets of the bindings in their buffers, in bytes
   */
  readonly parametersAt: (offsets: readonly number[]) => readonly number[];
}

/** A dispatch of segments, without the layout of its kernel. */
export type SegmentDispatch = Omit<Dispatch, "layout">;

/** Plans as few dispatches as possible, provided that segments which can share one are adjacent in the list. */
export function planSegmentDispatches(
  segments: Iterable<Segment>,
  limits: BindingLimits,
): SegmentDispatch[] {
  const builders: SegmentDispatchBuilder[] = [];
  for (const segment of segments) {
    if (builders.at(-1)?.add(segment) === true) continue;
    const builder = new SegmentDispatchBuilder(limits);
    builder.add(segment);
    builders.push(builder);
  }
  return builders.map((builder) => builder.finish());
}

/** The number of workgroups of a segment. */
export function tilesOf({ count, tiles }: Pick<Segment, "count" | "tiles">): number {
  return tiles ?? Math.ceil(count / elementsPerTile);
}

/** Collects segments for one dispatch. */
class SegmentDispatchBuilder {
  readonly #limits: BindingLimits;
  readonly #segments: Segment[] = [];
  readonly #scalarSets: Float64Array[] = [];
  #spans: readonly ByteSpan[] = [];

  constructor(limits: BindingLimits) {
    this.#limits = limits;
  }

  /**
   * Adds a segment; returns false if it needs another dispatch.
   * @throws {GradstepError} `UNSUPPORTED` if the segment alone does not fit into a binding
   */
  add(segment: Segment): boolean {
    const { spans, scalars } = segment;
    const needsScalarSet = scalars !== undefined && !this.#scalarSets.includes(scalars);
    if (needsScalarSet && this.#scalarSets.length === maxScalarSets) return false;
    let union: readonly ByteSpan[] = spans;
    if (this.#segments.length > 0) {
      if (!spans.every(({ buffer }, i) => buffer === this.#spans[i].buffer)) return false;
      union = spans.map(({ buffer, low, high }, i) => ({
        buffer,
        low: Math.min(low, this.#spans[i].low),
        high: Math.max(high, this.#spans[i].high),
      }));
    }
    if (!union.every((span) => span.high - this.#offsetOf(span) <= this.#limits.maxBindingSize)) {
      if (this.#segments.length > 0) return false;
      throw new GradstepError(
        `Rows of ${Math.max(...spans.map(({ low, high }) => high - low))} bytes do not fit into a binding of this device, which has ${this.#limits.maxBindingSize}. Request a higher maxStorageBufferBindingSize, or split the tensor.`,
        { code: "UNSUPPORTED" },
      );
    }
    if (needsScalarSet) this.#scalarSets.push(scalars);
    this.#spans = union;
    this.#segments.push(segment);
    return true;
  }

  finish(): SegmentDispatch {
    const bindings = this.#spans.map((span): BindingRange => {
      const offset = this.#offsetOf(span);
      return { buffer: span.buffer, offset, size: span.high - offset };
    });
    const offsets = bindings.map(({ offset }) => offset);
    const parameters = this.#segments.map(({ parametersAt }) => parametersAt(offsets));
    const tileCounts = this.#segments.map(tilesOf);
    const tiles = tileCounts.reduce((sum, count) => sum + count, 0);
    const entryLength = entryHeaderLength + parameters[0].length;
    const table = new Uint32Array(1 + tiles + entryLength * parameters.length);
    table[0] = tiles;
    let tile = 0;
    this.#segments.forEach(({ count, scalars }, i) => {
      const entry = 1 + tiles + entryLength * i;
      const scalarSet = scalars === undefined ? 0 : this.#scalarSets.indexOf(scalars);
      table.set([tile, count, scalarSet, ...parameters[i]], entry);
      table.fill(entry, 1 + tile, 1 + tile + tileCounts[i]);
      tile += tileCounts[i];
    });
    return { bindings, table, tiles, scalarSets: this.#scalarSets };
  }

  /** The offset of a binding that holds a span. */
  #offsetOf({ low }: ByteSpan): number {
    return low - (low % this.#limits.alignment);
  }
}
