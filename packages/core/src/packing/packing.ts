import { ascending } from "../backend/ascending.js";
import type {
  Backend,
  BatchRun,
  Kernel,
  ParameterCopy,
  Tensor,
  Update,
} from "../backend/backend.js";
import { checkFilledCopy, checkRuns } from "../backend/host-call-checks.js";
import { rowStrideOf, storedValues } from "../backend/stored-values.js";
import { usedRuns } from "../backend/used-runs.js";
import { roundingTo, type Rounding } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import { BlockRunner, ScratchTensors } from "./block-runner.js";
import {
  hasPlainValues,
  isPacked,
  isPackedInAllRuns,
  isPackedInThisRun,
  maskOf,
} from "./packed-update.js";
import { clearValues, fillCopyRows } from "./row-values.js";
import { ShadowUpdate } from "./shadow-update.js";
import { UpdatedRows } from "./updated-rows.js";

/**
 * For a backend in host memory whose kernels take plain tensors alone: makes kernels of them that respect layouts, copies,
 * activations and clearing. Plain updates run as before.
 */
export class Packing {
  readonly #round: Rounding;
  readonly #scratch: ScratchTensors;
  readonly #rows = new UpdatedRows();
  readonly #kernels = new WeakMap<Kernel, PackingKernel>();
  /** One for each run of `runTogether`, and those of them with updates; reused. */
  readonly #plainRuns: PlainRun[] = [];
  readonly #usedRuns: PlainRun[] = [];

  constructor(backend: Backend) {
    this.#round = roundingTo(backend.precision);
    this.#scratch = new ScratchTensors(backend);
  }

  /** The kernel that makes plain updates of others for `plain`. */
  kernel(variant: Variant, plain: Kernel): Kernel {
    const blocks = isElementwise(variant)
      ? new BlockRunner(variant, plain, this.#scratch, this.#round)
      : undefined;
    const packing = new PackingKernel({
      variant,
      plain,
      blocks,
      rows: this.#rows,
      round: this.#round,
    });
    const kernel: Kernel = {
      source: plain.source,
      run: (updates, count) => packing.run(updates, count),
      release: (update) => packing.release(update),
      ...(plain.takesRowLists === true && { takesRowLists: true }),
      // It repeats nothing but a run of `plain` with the same list, which is never one with packed updates.
      ...(plain.repeater !== undefined && { repeater: plain.repeater.bind(plain) }),
    };
    this.#kernels.set(kernel, packing);
    return kernel;
  }

  /**
   * `Backend.runTogether`.
   * @param run the same for the kernels that `kernel` was given
   * @throws {GradstepError} `INVALID_PARAMETER`; then nothing has changed
   */
  runTogether(runs: readonly BatchRun[], run: (plainRuns: readonly BatchRun[]) => void): void {
    checkRuns(runs, this.#kernels);
    const plainRuns = this.#plainRuns;
    plainRuns.length = runs.length;
    for (let i = 0; i < runs.length; i += 1) {
      const { kernel, updates, count } = runs[i];
      const packing = this.#kernels.get(kernel!)!;
      const plain = (plainRuns[i] ??= { kernel: undefined, updates: [], count: 0 });
      plain.kernel = packing.plain;
      plain.count = packing.prepare(updates, count, plain.updates);
    }
    run(usedRuns(plainRuns, this.#usedRuns));
    for (const { kernel, updates, count } of runs)
      this.#kernels.get(kernel!)!.finish(updates, count);
  }

  /** `Backend.fillCopy`. @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH`, `DISPOSED` */
  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    checkFilledCopy(parameter, copy);
    const count = parameter.shape[0] ?? 1;
    const all = ascending(count);
    const values = storedValues(parameter);
    fillCopyRows(copy, values, rowStrideOf(parameter), all, all, count, this.#round);
  }
}

/** The plain updates of a run. */
interface PlainRun extends BatchRun {
  kernel: Kernel | undefined;
  readonly updates: Update[];
  count: number;
}

/** What makes updates plain. */
interface PackingParts {
  readonly variant: Variant;
  readonly plain: Kernel;
  /** Undefined for variants that do not run in blocks of rows. */
  readonly blocks: BlockRunner | undefined;
  readonly rows: UpdatedRows;
  readonly round: Rounding;
}

/** Makes the updates of one kernel plain. */
class PackingKernel {
  readonly plain: Kernel;
  readonly #variant: Variant;
  readonly #blocks: BlockRunner | undefined;
  readonly #rows: UpdatedRows;
  readonly #round: Rounding;
  readonly #shadows = new WeakMap<Update, ShadowUpdate>();
  readonly #batch: Update[] = [];
  /** Updates of the last run that are not packed in all runs. */
  readonly #known: Update[] = [];

  constructor({ variant, plain, blocks, rows, round }: PackingParts) {
    this.plain = plain;
    this.#variant = variant;
    this.#blocks = blocks;
    this.#rows = rows;
    this.#round = round;
  }

  run(updates: readonly Update[], count: number): void {
    if (this.#arePlain(updates, count)) {
      this.plain.run(updates, count);
      return;
    }
    const plainCount = this.prepare(updates, count, this.#batch);
    if (plainCount > 0) this.plain.run(this.#batch, plainCount);
    this.finish(updates, count);
  }

  #arePlain(updates: readonly Update[], count: number): boolean {
    const known = this.#known;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      if (isPackedInThisRun(update)) return false;
      if (known[i] === update) continue;
      if (isPackedInAllRuns(update)) return false;
      known[i] = update;
    }
    return true;
  }

  release(update: Update): void {
    this.#known.length = 0;
    this.#shadows.get(update)?.free();
    this.#shadows.delete(update);
  }

  /**
   * Runs packed updates, or makes plain ones of them.
   * @param batch gets the plain updates
   * @returns how many there are
   */
  prepare(updates: readonly Update[], count: number, batch: Update[]): number {
    this.#reserve(updates, count);
    let plainCount = 0;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const isInBlocks = isPacked(update) && this.#runsInBlocks(update);
      if (isInBlocks) {
        this.#blocks!.run(update, maskOf(update));
        continue;
      }
      batch[plainCount] = isPacked(update)
        ? this.#shadows.get(update)!.prepare(update, maskOf(update))
        : update;
      plainCount += 1;
    }
    return plainCount;
  }

  /** To be called when the kernel has run the plain updates. */
  finish(updates: readonly Update[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      if (!isPacked(update) || this.#runsInBlocks(update)) continue;
      this.#shadows.get(update)!.finish(update, maskOf(update), this.#rows);
    }
    // Last, since updates of different rows can have one gradient.
    for (let i = 0; i < count; i += 1)
      if (updates[i].clearsGradient) clearValues(updates[i].gradient);
  }

  #runsInBlocks(update: Update): boolean {
    return this.#blocks !== undefined && !hasPlainValues(update);
  }

  /**
   * Makes sure that everything is there before a value changes.
   * @throws {GradstepError} `OUT_OF_MEMORY`, `DISPOSED`
   */
  #reserve(updates: readonly Update[], count: number): void {
    let isReady = true;
    for (let i = 0; i < count; i += 1) {
      checkLive(updates[i]);
      isReady &&= this.#isReady(updates[i]);
    }
    if (isReady) return;
    // Memory that grows detaches views of it.
    for (let i = 0; i < count; i += 1) {
      const { mask } = updates[i];
      if (ArrayBuffer.isView(mask)) updates[i].mask = mask.slice();
    }
    for (let i = 0; i < count; i += 1) if (!this.#isReady(updates[i])) this.#allocate(updates[i]);
  }

  #isReady(update: Update): boolean {
    if (!isPacked(update)) return true;
    if (this.#runsInBlocks(update)) return this.#blocks!.isReady(update);
    return this.#shadows.get(update)?.isReady(update) ?? false;
  }

  #allocate(update: Update): void {
    if (this.#runsInBlocks(update)) {
      this.#blocks!.reserve(update);
      return;
    }
    const shadow =
      this.#shadows.get(update) ?? new ShadowUpdate(this.#variant, update, this.#round);
    this.#shadows.set(update, shadow);
    if (!shadow.isReady(update)) shadow.reserve(update);
  }
}

/** Core checks parameters and gradients. @throws {GradstepError} `DISPOSED` */
function checkLive({ slots, copies }: Update): void {
  for (let k = 0; k < slots.length; k += 1) storedValues(slots[k]);
  for (let k = 0; k < copies.length; k += 1) storedValues(copies[k].target);
}

/** Whether a variant is one pass over elements, all of whose values belong to an element. */
function isElementwise({ passPlan: { passes }, perElement, slots }: Variant): boolean {
  const [first] = passes;
  return (
    passes.length === 1 &&
    first.kind === "map" &&
    first.over === "element" &&
    first.reductions.length === 0 &&
    first.program === perElement &&
    slots.every(({ extent }) => extent === "element")
  );
}
