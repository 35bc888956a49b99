import { GradstepError } from "@gradstep/core";
import { entryHead, scalarGroups, tileLength } from "../shaders/kernel-layout.js";
import type { BindingLimits, Window } from "./dense-dispatches.js";

/** Bytes of a buffer that a range of elements uses; a multiple of four long. */
export interface Span {
  readonly buffer: GPUBuffer;
  readonly low: number;
  readonly high: number;
}

/** A range of elements, and what a kernel has to know of it. */
export interface Stretch {
  /** What it uses of each binding. */
  readonly spans: readonly Span[];
  readonly count: number;
  /** Which group's scalars it takes, by identity. */
  readonly scalars: Float64Array | undefined;
  /**
   * What its entry in the table says after the head.
   * @param lows where each binding begins, in bytes of its buffer
   */
  readonly numbers: (lows: readonly number[]) => readonly number[];
}

/** What the kernel of a dispatch is given. */
export interface Bound {
  readonly windows: readonly Window[];
  readonly table: Uint32Array<ArrayBuffer>;
  readonly tiles: number;
  readonly scalars: readonly Float64Array[];
}

/** Whether what two stretches use can be in the same bindings, as far as buffers go. */
function sameBuffers(a: readonly Span[], b: readonly Span[]): boolean {
  return a.every(({ buffer }, i) => buffer === b[i].buffer);
}

/** Collects stretches of one dispatch. */
export class DispatchBuilder {
  readonly #limits: BindingLimits;
  readonly #stretches: Stretch[] = [];
  readonly #scalars: Float64Array[] = [];
  #spans: readonly Span[] = [];

  constructor(limits: BindingLimits) {
    this.#limits = limits;
  }

  /** Adds a stretch, unless it has to be in another dispatch. */
  add(stretch: Stretch): boolean {
    const { spans, scalars } = stretch;
    const isNewGroup = scalars !== undefined && !this.#scalars.includes(scalars);
    if (isNewGroup && this.#scalars.length === scalarGroups) return false;
    let joined: readonly Span[] = spans;
    if (this.#stretches.length > 0) {
      if (!sameBuffers(spans, this.#spans)) return false;
      joined = spans.map(({ buffer, low, high }, i) => ({
        buffer,
        low: Math.min(low, this.#spans[i].low),
        high: Math.max(high, this.#spans[i].high),
      }));
    }
    if (!joined.every((span) => span.high - this.#begin(span) <= this.#limits.bindingSize)) {
      if (this.#stretches.length > 0) return false;
      throw new GradstepError(
        `Rows of ${Math.max(...spans.map(({ low, high }) => high - low))} bytes do not fit into a binding of this device, which has ${this.#limits.bindingSize}. Ask for a higher maxStorageBufferBindingSize, or split the tensor.`,
        { code: "UNSUPPORTED" },
      );
    }
    if (isNewGroup) this.#scalars.push(scalars);
    this.#spans = joined;
    this.#stretches.push(stretch);
    return true;
  }

  finish(): Bound {
    const windows = this.#spans.map((span) => {
      const offset = this.#begin(span);
      return { buffer: span.buffer, offset, size: span.high - offset };
    });
    const lows = windows.map(({ offset }) => offset);
    const entries = this.#stretches.map(({ numbers }) => numbers(lows));
    const counts = this.#stretches.map(({ count }) => Math.ceil(count / tileLength));
    const tiles = counts.reduce((sum, count) => sum + count, 0);
    const entryLength = entryHead + entries[0].length;
    const table = new Uint32Array(1 + tiles + entryLength * entries.length);
    table[0] = tiles;
    let tile = 0;
    this.#stretches.forEach(({ count, scalars }, i) => {
      const entry = 1 + tiles + entryLength * i;
      const own = scalars === undefined ? 0 : this.#scalars.indexOf(scalars);
      table.set([tile, count, own, ...entries[i]], entry);
      table.fill(entry, 1 + tile, 1 + tile + counts[i]);
      tile += counts[i];
    });
    return { windows, table, tiles, scalars: this.#scalars };
  }

  /** Where a binding that holds a span begins. */
  #begin({ low }: Span): number {
    return low - (low % this.#limits.alignment);
  }
}

/** As few dispatches as there can be for some stretches, if those that can share one come together. */
export function dispatchesOf(stretches: Iterable<Stretch>, limits: BindingLimits): Bound[] {
  const builders: DispatchBuilder[] = [];
  for (const stretch of stretches) {
    if (builders.at(-1)?.add(stretch) === true) continue;
    const builder = new DispatchBuilder(limits);
    builder.add(stretch);
    builders.push(builder);
  }
  return builders.map((builder) => builder.finish());
}
