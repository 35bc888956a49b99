import { applyChainRule } from "../activations/activate.js";
import { ascending } from "../backend/ascending.js";
import type { Backend, Kernel, Tensor, Update } from "../backend/backend.js";
import { plainUpdate } from "../backend/plain-update.js";
import type { Rounding } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import type { MutableUpdate } from "./packed-update.js";
import { columnsOf } from "../backend/dimensions.js";
import { decodeRows, fillCopyRows, gatherRows, scatterRows } from "./row-values.js";
import { UpdatedRows } from "./updated-rows.js";

/** Values per block, unless rows are longer: the arrays of a block fit into the L2 cache. */
const blockSize = 4096;
const smallestBlock = 16;

/** Plain tensors of a backend that blocks of all rules use, by their place in an update and their size. */
export class ScratchTensors {
  readonly #backend: Backend;
  readonly #tensors: Map<number, Tensor>[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  has(place: number, size: number): boolean {
    return this.#tensors[place]?.has(size) ?? false;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY` */
  get(place: number, size: number): Tensor {
    const bySize = (this.#tensors[place] ??= new Map());
    const tensor = bySize.get(size) ?? this.#backend.tensor([size]);
    bySize.set(size, tensor);
    return tensor;
  }
}

/**
 * Runs an elementwise rule on updates of any layout, block by block: values are copied into plain tensors that stay in the
 * cache, and back. Rows that are not updated are skipped.
 */
export class BlockRunner {
  readonly #kernel: Kernel;
  readonly #slotCount: number;
  readonly #scratch: ScratchTensors;
  readonly #round: Rounding;
  readonly #rows = new UpdatedRows();
  readonly #blocks = new Map<number, MutableUpdate>();
  readonly #batch: MutableUpdate[] = [];

  constructor(variant: Variant, kernel: Kernel, scratch: ScratchTensors, round: Rounding) {
    this.#slotCount = variant.slots.length;
    this.#kernel = kernel;
    this.#scratch = scratch;
    this.#round = round;
  }

  /** Whether the memory for an update is there. */
  isReady(update: Update): boolean {
    return this.#scratch.has(this.#slotCount + 1, largestBlock(update));
  }

  /** Allocates what an update needs. @throws {GradstepError} `OUT_OF_MEMORY` */
  reserve(update: Update): void {
    for (let size = smallestBlock; size <= largestBlock(update); size *= 2)
      for (let place = 0; place < this.#slotCount + 2; place += 1) this.#scratch.get(place, size);
  }

  /** @param mask that of the update, as an array */
  run(update: Update, mask: Uint32Array | undefined): void {
    const rows = this.#rows;
    rows.beginSelected(update, mask);
    this.#runRows(update);
    if (rows.beginUnselected(update)) this.#runRows(update);
  }

  #runRows(update: Update): void {
    const { parameter, slots, copies } = update;
    const columns = columnsOf(parameter);
    const most = Math.max(1, Math.floor(blockSize / columns));
    const all = this.#rows;
    while (all.next(most)) {
      const { rows, count } = all;
      const dense = ascending(count);
      const block = this.#block(count * columns);
      block.scalars = update.scalars;
      gatherRows(parameter, rows, count, block.parameter.view!());
      for (let k = 0; k < slots.length; k += 1)
        gatherRows(slots[k], rows, count, block.slots[k].view!());
      if (all.areSelected) this.#readGradient(update, block);
      else block.gradient.view!().fill(0, 0, count * columns);
      this.#batch[0] = block;
      this.#kernel.run(this.#batch, 1);
      for (let k = 0; k < slots.length; k += 1)
        scatterRows(block.slots[k].view!(), dense, slots[k], rows, count);
      if (!all.storeParameters) continue;
      const values = block.parameter.view!();
      scatterRows(values, dense, parameter, rows, count);
      for (let k = 0; k < copies.length; k += 1)
        fillCopyRows(copies[k], values, columns, dense, rows, count, this.#round);
    }
  }

  #readGradient({ parameter, gradient, gradientActivation }: Update, block: Update): void {
    const { gradientRows, count } = this.#rows;
    const columns = columnsOf(parameter);
    const rows = ascending(count);
    const values = block.gradient.view!();
    decodeRows(gradient, gradientRows, values, rows, count, columns);
    if (gradientActivation === undefined) return;
    const p = { values: block.parameter.view!(), rows };
    applyChainRule(gradientActivation, p, { values, rows }, count, columns, this.#round);
  }

  /** A plain update of at least this many values. The kernel computes the rest of it in vain. */
  #block(length: number): MutableUpdate {
    const size = blockSizeOf(length);
    let block = this.#blocks.get(size);
    if (block === undefined) {
      const [parameter, gradient, ...slots] = Array.from(
        { length: this.#slotCount + 2 },
        (_, place) => this.#scratch.get(place, size),
      );
      block = plainUpdate({ parameter, gradient, slots, scalars: new Float64Array(0) });
      this.#blocks.set(size, block);
    }
    return block;
  }
}

function blockSizeOf(length: number): number {
  let size = smallestBlock;
  while (size < length) size *= 2;
  return size;
}

/** The size of the largest block of an update. */
function largestBlock({ parameter }: Update): number {
  return blockSizeOf(Math.min(parameter.size, Math.max(blockSize, columnsOf(parameter))));
}
