import type { Update } from "@gradstep/core";
import { maxScalarSets } from "../../shaders/kernel-layout.js";
import type { TabledDispatch } from "../dispatch/dispatch.js";

/** Scalar sets, one after the other. Dispatches with the same sets share a block. */
interface Block {
  readonly scalarSets: readonly Float64Array[];
  /** For each set, what gives that of a later step. */
  readonly upcoming: readonly Update["upcomingScalars"][];
  /** Bytes per set. */
  readonly setLength: number;
  readonly offset: number;
  /** The index of the scale of the step, after the scalars of a set; undefined for none. */
  scaleIndex: number | undefined;
}

/** A set of scalars in a buffer. */
export interface SetInBuffer {
  readonly set: Float64Array;
  /** The number of scalars that kernels read. */
  readonly count: number;
  /** The index of its first word. */
  readonly start: number;
  /** The index of the word of the step's scale; undefined for none. */
  readonly scaleStart: number | undefined;
}

/** Where the scalars of the dispatches of a step are in a uniform buffer, from the offset of the step on. */
export class ScalarBlocks {
  /** The scale of the step. */
  scale = 1;
  /** Bytes from the scalars of a step to those of the next. */
  readonly entryLength: number;
  /** Bytes that the binding of a block may reach beyond the entry. */
  readonly overhang: number;
  /** For each dispatch, the offset of its block in bytes: a valid dynamic offset. */
  readonly offsets: readonly number[];
  readonly #blocks: readonly Block[];
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** One set of a later step. */
  readonly #upcomingSet: Float64Array;

  /** @param updates whose scalars the sets are */
  constructor(
    device: GPUDevice,
    dispatches: readonly TabledDispatch[],
    updates: readonly Update[],
  ) {
    const { minUniformBufferOffsetAlignment: alignment } = device.limits;
    const upcomingOf = new Map(
      updates.map(({ scalars, upcomingScalars }) => [scalars, upcomingScalars]),
    );
    const blocks: Block[] = [];
    let length = 0;
    this.offsets = dispatches.map(({ scalarSets, kernel }) => {
      const { scalarSetLength: setLength, scaleIndex } = kernel;
      const known = blocks.find(
        (one) => one.setLength === setLength && isSameList(one.scalarSets, scalarSets),
      );
      if (known !== undefined) {
        known.scaleIndex ??= scaleIndex;
        return known.offset;
      }
      const offset = length;
      const upcoming = scalarSets.map((set) => upcomingOf.get(set));
      blocks.push({ scalarSets, upcoming, setLength, offset, scaleIndex });
      length += Math.ceil(Math.max(1, scalarSets.length * setLength) / alignment) * alignment;
      return offset;
    });
    this.entryLength = length;
    this.overhang = Math.max(...blocks.map(({ setLength }) => bindingLength(setLength)));
    this.#blocks = blocks;
    this.#values = new Float32Array(length / 4);
    this.#words = new Uint32Array(this.#values.buffer);
    this.#upcomingSet = new Float64Array(Math.max(0, ...updates.map((one) => one.scalars.length)));
  }

  /** The current scalars, in memory that the next call reuses. */
  words(): Uint32Array<ArrayBuffer> {
    for (let b = 0; b < this.#blocks.length; b += 1) {
      const { scalarSets, setLength, offset, scaleIndex } = this.#blocks[b];
      for (let k = 0; k < scalarSets.length; k += 1) {
        const start = (offset + setLength * k) / 4;
        this.#values.set(scalarSets[k], start);
        if (scaleIndex !== undefined) this.#values[start + scaleIndex] = this.scale;
      }
    }
    return this.#words;
  }

  /** The scalars of a later step in the same memory; undefined if they are not known. */
  upcomingWords(steps: number): Uint32Array<ArrayBuffer> | undefined {
    for (let b = 0; b < this.#blocks.length; b += 1) {
      const { scalarSets, upcoming, setLength, offset, scaleIndex } = this.#blocks[b];
      for (let k = 0; k < scalarSets.length; k += 1) {
        if (upcoming[k]?.(steps, this.#upcomingSet) !== true) return undefined;
        const start = (offset + setLength * k) / 4;
        const count = scalarSets[k].length;
        for (let i = 0; i < count; i += 1) this.#values[start + i] = this.#upcomingSet[i];
        if (scaleIndex !== undefined) this.#values[start + scaleIndex] = this.scale;
      }
    }
    return this.#words;
  }

  /** All sets of scalars. */
  *sets(): Generator<SetInBuffer> {
    for (const { scalarSets, setLength, offset, scaleIndex } of this.#blocks) {
      for (const [k, set] of scalarSets.entries()) {
        const start = (offset + setLength * k) / 4;
        const count = Math.min(set.length, scaleIndex ?? set.length);
        yield {
          set,
          count,
          start,
          scaleStart: scaleIndex === undefined ? undefined : start + scaleIndex,
        };
      }
    }
  }
}

/** Bytes of a binding of scalars: shaders declare the most sets that there can be. */
export function bindingLength(setLength: number): number {
  return setLength * maxScalarSets;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
