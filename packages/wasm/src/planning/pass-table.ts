import type { Dimensions, Update } from "@gradstep/core";
import { newtonSchulzScratchBytes } from "../codegen/newton-schulz.js";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";
import { entryWord } from "./entry-layout.js";
import { PassMemory } from "./pass-memory.js";
import { lanesOf, type PassPlan } from "./pass-plan.js";
import { PassRanges, type EntryKind } from "./pass-ranges.js";
import { ScalarGroups } from "./scalar-groups.js";
import { selectedCount } from "./selected-count.js";
import { matricesOf, type TensorMatrices } from "./tensor-matrices.js";

/** Counts the changes of addresses and sizes of a backend's tensors. */
export interface Relocations {
  count: number;
}

/**
 * The tensors of a step as the kernels of a plan read them, in wasm memory: two entries per tensor (the second for rows
 * that a mask does not select), then the scalars of each group.
 */
export class PassTable {
  readonly plan: PassPlan;
  readonly memory: PassMemory;
  readonly ranges: readonly PassRanges[];
  /** Memory for the products of matrices. */
  readonly scratch: GrowableBuffer;
  readonly #heap: Heap;
  readonly #relocations: Relocations;
  readonly #entries: GrowableBuffer;
  /** The gradient of unselected rows, and where their parameter is stored if it must not change. */
  readonly #zeros: GrowableBuffer;
  readonly #discarded: GrowableBuffer;
  readonly #scalars: ScalarGroups;
  #tensors: TensorMatrices[] = [];
  #shapes: (readonly number[])[] = [];
  #updates: readonly Update[] | undefined;
  #count = 0;
  #relocationsAtFill = -1;
  /** Whether memory and ranges are those of these shapes without masks. */
  #isUnmasked = false;
  #floats = new Float32Array(0);

  constructor(heap: Heap, plan: PassPlan, relocations: Relocations) {
    this.plan = plan;
    this.memory = new PassMemory(heap, plan);
    this.ranges = plan.passes.flatMap((pass) =>
      pass.kind === "kernel" ? [new PassRanges(heap, pass)] : [],
    );
    this.scratch = new GrowableBuffer(heap);
    this.#heap = heap;
    this.#relocations = relocations;
    this.#entries = new GrowableBuffer(heap);
    this.#scalars = new ScalarGroups(this.#entries);
    this.#zeros = new GrowableBuffer(heap);
    this.#discarded = new GrowableBuffer(heap);
  }

  /** The number of tensors. */
  get count(): number {
    return this.#count;
  }

  /** The updates of the last `fill`. */
  get updates(): readonly Update[] {
    return this.#updates!;
  }

  /** All of the wasm memory as f32. */
  get floats(): Float32Array {
    return this.#floats;
  }

  dimensions(tensor: number): Dimensions {
    return this.#tensors[tensor].dimensions;
  }

  /** The address of an array of a tensor. */
  addressOf(name: string, tensor: number): number {
    return this.addressAt(this.plan.layout.wordOf(name), tensor);
  }

  /** The address in a word of the entry of a tensor. */
  addressAt(word: number, tensor: number): number {
    return this.#entries.words[this.#entryWord(tensor, "selected") + word] >>> 0;
  }

  /**
   * Writes the entries of the first `count` updates. Allocates only if the tensors are others than before.
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  fill(updates: readonly Update[], count: number): void {
    this.#updates = undefined;
    const { layout, variant } = this.plan;
    let isMasked = false;
    let isSame = this.#isUnmasked && count === this.#count;
    for (let i = 0; i < count; i += 1) {
      const { parameter, mask } = updates[i];
      isMasked ||= mask !== undefined;
      if (this.#shapes[i] === parameter.shape && mask === undefined && !this.#tensors[i].isMasked)
        continue;
      isSame = false;
      this.#shapes[i] = parameter.shape;
      this.#tensors[i] = matricesOf(updates[i], layout.matrices);
    }
    this.#isUnmasked = false;
    this.#count = count;
    if (!isSame) {
      this.memory.divide(this.#tensors, count);
      for (const ranges of this.ranges) ranges.collect(updates, this.#tensors, count);
      this.#reserveScratch();
    }
    const firstScalar = 2 * layout.words * count;
    this.#entries.reserve(firstScalar + variant.scalars.length * count);
    if (isMasked) this.#reserveForMasks(updates, count);
    // The last allocation is done: each may have detached views.
    this.renew();
    this.#scalars.begin(firstScalar);
    for (let i = 0; i < count; i += 1) {
      this.#writeEntry(updates[i], i, "selected");
      if (updates[i].mask !== undefined) this.#writeEntry(updates[i], i, "unselected");
    }
    this.#writeCounts(updates);
    if (isMasked) this.#clearOperands(updates);
    for (const ranges of this.ranges)
      ranges.write((tensor, kind) => this.#entries.address + 4 * this.#entryWord(tensor, kind));
    this.#isUnmasked = !isMasked;
    this.#updates = updates;
    this.#relocationsAtFill = this.#relocations.count;
  }

  /** Whether only scalars can have changed since `fill` for these updates. */
  matches(updates: readonly Update[]): boolean {
    return (
      this.#isUnmasked &&
      this.#updates === updates &&
      this.#relocationsAtFill === this.#relocations.count
    );
  }

  /** Writes the current scalars. */
  updateScalars(): void {
    this.renew();
    this.#scalars.update();
  }

  /** Renews views that growth has detached. */
  renew(): void {
    this.#entries.reserve(0);
    this.memory.renew();
    const { buffer } = this.#heap.memory;
    if (this.#floats.buffer !== buffer) this.#floats = new Float32Array(buffer);
  }

  #entryWord(tensor: number, kind: EntryKind): number {
    return this.plan.layout.words * (2 * tensor + (kind === "selected" ? 0 : 1));
  }

  #writeEntry(update: Update, tensor: number, kind: EntryKind): void {
    const { layout, variant } = this.plan;
    const { words } = this.#entries;
    const first = this.#entryWord(tensor, kind);
    const { seen, isTransposed } = this.#tensors[tensor];
    const isSelected = kind === "selected";
    const parameter = (update.parameter as WasmTensor).address;
    const isStored = isSelected || update.unselectedRows !== "decay";
    words[first + entryWord.rows] = seen.rows;
    words[first + entryWord.columns] = seen.columns;
    words[first + entryWord.isTransposed] = isTransposed ? 1 : 0;
    words[first + entryWord.lanes] = lanesOf(seen.rows);
    words[first + entryWord.storedParameter] = isStored ? parameter : this.#discarded.address;
    words[first + layout.wordOf("p")] = parameter;
    words[first + layout.wordOf("g")] = isSelected
      ? (update.gradient as WasmTensor).address
      : this.#zeros.address;
    for (let j = 0; j < variant.slots.length; j += 1)
      words[first + layout.wordOf(variant.slots[j].name)] = (update.slots[j] as WasmTensor).address;
    const { names, reductions } = this.memory;
    for (let k = 0; k < names.length; k += 1)
      words[first + layout.wordOf(names[k].name)] = this.memory.arrayAddress(k, tensor);
    for (let k = 0; k < reductions.length; k += 1)
      words[first + layout.partialWordOf(reductions[k].name)] = this.memory.partialAddress(
        k,
        tensor,
      );
    words[first + entryWord.scalars] = this.#scalars.addressOf(update.scalars);
  }

  #writeCounts(updates: readonly Update[]): void {
    const { passPlan, matrices } = this.plan.variant;
    passPlan.counts.forEach((count, k) => {
      const index = passPlan.temporaries.length + k;
      for (let i = 0; i < this.#count; i += 1)
        this.memory.set(index, i, selectedCount(count, updates[i], this.dimensions(i), matrices));
    });
  }

  /** Rows that take no part are 0 in the operand of a matrix product. */
  #clearOperands(updates: readonly Update[]): void {
    this.memory.names.forEach(({ name }, k) => {
      if (!name.startsWith("@operand")) return;
      for (let i = 0; i < this.#count; i += 1)
        if (updates[i].mask !== undefined) this.memory.clear(k, i);
    });
  }

  #reserveForMasks(updates: readonly Update[], count: number): void {
    let zeros = 0;
    let discarded = 0;
    for (let i = 0; i < count; i += 1) {
      const { mask, unselectedRows, parameter } = updates[i];
      if (mask === undefined || unselectedRows === "keep") continue;
      zeros = Math.max(zeros, parameter.size);
      if (unselectedRows === "decay") discarded = Math.max(discarded, parameter.size);
    }
    this.#discarded.reserve(discarded);
    // No kernel writes to them.
    if (!this.#zeros.reserve(zeros)) this.#zeros.floats.fill(0);
  }

  #reserveScratch(): void {
    if (this.plan.passes.every(({ kind }) => kind !== "newtonSchulz")) return;
    let bytes = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const { rows, columns } = this.dimensions(i);
      bytes = Math.max(bytes, newtonSchulzScratchBytes(rows, columns));
    }
    this.scratch.reserve(Math.ceil(bytes / 4));
  }
}
