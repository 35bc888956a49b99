import type { Kernel, Update } from "../backend/backend.js";
import { storedValues } from "../backend/stored-values.js";
import type { Rounding } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import type { BlockRunner } from "./block-runner.js";
import {
  hasPlainValues,
  isPacked,
  isPackedInAllRuns,
  isPackedInThisRun,
  maskOf,
} from "./packed-update.js";
import { clearValues } from "./row-values.js";
import { UnpackedUpdate } from "./unpacked-update.js";
import type { UpdatedRows } from "./updated-rows.js";

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
export class PackingKernel {
  readonly plain: Kernel;
  readonly #variant: Variant;
  readonly #blocks: BlockRunner | undefined;
  readonly #rows: UpdatedRows;
  readonly #round: Rounding;
  readonly #unpacked = new WeakMap<Update, UnpackedUpdate>();
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
    this.#unpacked.get(update)?.free();
    this.#unpacked.delete(update);
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
        ? this.#unpacked.get(update)!.prepare(update, maskOf(update))
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
      this.#unpacked.get(update)!.finish(update, maskOf(update), this.#rows);
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
    return this.#unpacked.get(update)?.isReady(update) ?? false;
  }

  #allocate(update: Update): void {
    if (this.#runsInBlocks(update)) {
      this.#blocks!.reserve(update);
      return;
    }
    const unpacked =
      this.#unpacked.get(update) ?? new UnpackedUpdate(this.#variant, update, this.#round);
    this.#unpacked.set(update, unpacked);
    if (!unpacked.isReady(update)) unpacked.reserve(update);
  }
}

/** Core checks parameters and gradients. @throws {GradstepError} `DISPOSED` */
function checkLive({ slots, copies }: Update): void {
  for (let k = 0; k < slots.length; k += 1) storedValues(slots[k]);
  for (let k = 0; k < copies.length; k += 1) storedValues(copies[k].target);
}
