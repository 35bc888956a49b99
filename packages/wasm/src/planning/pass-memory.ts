import { emptyValue, summationLanes, type Extent, type ReduceOp } from "@gradstep/core";
import { countOf } from "@gradstep/core/internal";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import { blocksOf, lanesOf, transposed, type PassKernel, type PassPlan } from "./pass-plan.js";
import { joinColumn, joinRow, joinTensor } from "./reduction-joins.js";
import type { TensorMatrices } from "./tensor-matrices.js";

/** Words of a cache line: no two arrays share one. */
const lineWords = 16;
/** Arrays of this many words begin at multiples of 512 bytes (ADR 0014). */
const largeArray = 2048;
const largeAlignment = 128;

/** A reduction over rows, columns or tensors, by the kernel that computes its operand. */
interface PartialReduction {
  readonly kernel: PassKernel;
  readonly name: string;
  readonly op: ReduceOp;
  readonly over: Extent;
  /** The words of the partial values of all tensors: the first, and the one after the last. */
  start: number;
  end: number;
}

/**
 * The memory of a step that outlives a pass but not the step: temporaries, counts, and partial results of reductions. It
 * is divided once per list of tensors.
 */
export class PassMemory {
  readonly #buffer: GrowableBuffer;
  readonly #names: readonly { readonly name: string; readonly extent: Extent }[];
  readonly #reductions: readonly PartialReduction[];
  /** First word of each array of each tensor: the temporaries and counts of the first tensor, of the second, … */
  #arrays = new Int32Array(0);
  #partials = new Int32Array(0);
  #tensors: readonly TensorMatrices[] = [];
  #count = 0;
  #words = 0;

  constructor(heap: Heap, { variant, passes, layout }: PassPlan) {
    this.#buffer = new GrowableBuffer(heap);
    const { temporaries, counts } = variant.passPlan;
    this.#names = [...temporaries, ...counts].map(({ name }) => ({
      name,
      extent: layout.extents.get(name)!,
    }));
    this.#reductions = passes.flatMap((kernel) =>
      kernel.kind === "kernel"
        ? kernel.reductions.map(({ name, op, over }) => ({
            kernel,
            name,
            op,
            over,
            start: 0,
            end: 0,
          }))
        : [],
    );
  }

  /** The names of temporaries and counts. */
  get names(): readonly { readonly name: string }[] {
    return this.#names;
  }

  /** The names of reductions with partial results. */
  get reductions(): readonly { readonly name: string }[] {
    return this.#reductions;
  }

  /** The memory as f32. */
  get floats(): Float32Array {
    return this.#buffer.floats;
  }

  /** Divides the memory between tensors. @throws {GradstepError} `OUT_OF_MEMORY` */
  divide(tensors: readonly TensorMatrices[], count: number): void {
    const [names, reductions] = [this.#names, this.#reductions];
    if (this.#arrays.length < names.length * count)
      this.#arrays = new Int32Array(2 * names.length * count);
    if (this.#partials.length < reductions.length * count)
      this.#partials = new Int32Array(2 * reductions.length * count);
    this.#tensors = tensors;
    this.#count = count;
    this.#words = 0;
    for (let k = 0; k < names.length; k += 1) {
      const { extent } = names[k];
      for (let i = 0; i < count; i += 1) {
        const isShared = extent === "all" && i > 0;
        this.#arrays[k * count + i] = isShared
          ? this.#arrays[k * count]
          : this.#take(countOf(extent, tensors[i].dimensions));
      }
    }
    for (let k = 0; k < reductions.length; k += 1) {
      const reduction = reductions[k];
      this.#take(0);
      reduction.start = this.#words;
      for (let i = 0; i < count; i += 1) {
        const words = partialWords(reduction, tensors[i]);
        this.#partials[k * count + i] =
          words === 0 ? this.#arrays[this.#indexOf(reduction.name) * count + i] : this.#take(words);
      }
      reduction.end = this.#words;
    }
    this.#buffer.reserve(this.#words);
  }

  /** Renews views that growth has detached. */
  renew(): void {
    this.#buffer.reserve(this.#words);
  }

  /** The address of a temporary or a count, by index, of a tensor. */
  arrayAddress(k: number, tensor: number): number {
    return this.#buffer.address + 4 * this.#arrays[k * this.#count + tensor];
  }

  /** The address of the partial results of a reduction, by index. */
  partialAddress(k: number, tensor: number): number {
    return this.#buffer.address + 4 * this.#partials[k * this.#count + tensor];
  }

  /** Sets a count. */
  set(k: number, tensor: number, value: number): void {
    this.floats[this.#arrays[k * this.#count + tensor]] = value;
  }

  /** Sets all elements of a temporary to 0. */
  clear(k: number, tensor: number): void {
    const start = this.#arrays[k * this.#count + tensor];
    this.floats.fill(
      0,
      start,
      start + countOf(this.#names[k].extent, this.#tensors[tensor].dimensions),
    );
  }

  /** Prepares the reductions of a kernel. */
  beginReductions(kernel: PassKernel): void {
    for (let k = 0; k < this.#reductions.length; k += 1) {
      const { kernel: own, op, start, end } = this.#reductions[k];
      if (own === kernel) this.floats.fill(emptyValue[op], start, end);
    }
  }

  /** Joins the partial results of a kernel. */
  finishReductions(kernel: PassKernel): void {
    const { floats } = this;
    for (let k = 0; k < this.#reductions.length; k += 1) {
      const { kernel: own, name, op } = this.#reductions[k];
      if (own !== kernel) continue;
      const array = this.#indexOf(name) * this.#count;
      for (let i = 0; i < this.#count; i += 1) {
        const tensor = this.#tensors[i];
        const { dimensions, seen } = tensor;
        const over = overIn(tensor, this.#reductions[k]);
        const from = this.#partials[k * this.#count + i];
        const to = this.#arrays[array + i];
        if (over === "tensor") {
          joinTensor(op, floats, from, blocksOf(countOf(own.over, dimensions)), to);
        } else if (over === "column") joinColumn(op, floats, from, seen, to);
        else if (from !== to) joinRow(op, floats, from, seen, to);
      }
    }
  }

  #indexOf(name: string): number {
    return this.#names.findIndex((one) => one.name === name);
  }

  #take(words: number): number {
    const alignment = words >= largeArray ? largeAlignment : words === 1 ? 1 : lineWords;
    const start = Math.ceil(this.#words / alignment) * alignment;
    this.#words = start + words;
    return start;
  }
}

/** What a reduction is over in the matrices that kernels see. */
function overIn({ isTransposed }: TensorMatrices, { over }: PartialReduction): Extent {
  return isTransposed ? transposed(over) : over;
}

/** Words of the partial results; 0 if kernels store the results themselves. */
function partialWords(reduction: PartialReduction, tensor: TensorMatrices): number {
  const { matrices, rows, columns } = tensor.seen;
  const over = overIn(tensor, reduction);
  if (over === "tensor")
    return summationLanes * blocksOf(countOf(reduction.kernel.over, tensor.dimensions));
  if (over === "column") return lanesOf(rows) * blocksOf(rows) * matrices * columns;
  const blocks = blocksOf(columns);
  return blocks === 1 ? 0 : matrices * rows * blocks;
}
