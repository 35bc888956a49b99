import { applyChainRule } from "../activations/activate.js";
import { ascending } from "../backend/ascending.js";
import type { RowList, Tensor, Update } from "../backend/backend.js";
import { rowStrideOf, storedValues } from "../backend/stored-values.js";
import type { Rounding } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import type { MutableUpdate } from "./packed-update.js";
import { columnsOf } from "../backend/dimensions.js";
import { decodeRows, fillCopyRows, gatherRows, scatterRows } from "./row-values.js";
import type { UpdatedRows } from "./updated-rows.js";

/**
 * A plain update that stands for one of any layout: tensors with a layout are replaced by plain ones, with the same values
 * while the kernel runs.
 */
export class UnpackedUpdate {
  readonly #variant: Variant;
  readonly #round: Rounding;
  readonly #plain: MutableUpdate;
  /** The plain tensors of its own. */
  readonly #own: Tensor[] = [];
  #gradient: Tensor | undefined;

  /** @throws {GradstepError} `OUT_OF_MEMORY`; then nothing is allocated */
  constructor(variant: Variant, update: Update, round: Rounding) {
    this.#variant = variant;
    this.#round = round;
    try {
      this.#plain = {
        ...update,
        copies: [],
        gradientActivation: undefined,
        clearsGradient: false,
        parameter: this.#plainOf(update.parameter),
        slots: update.slots.map((slot) => this.#plainOf(slot)),
      };
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Whether the memory for the update is there. */
  isReady(update: Update): boolean {
    return !needsGradient(update) || this.#gradient?.size === update.gradient.size;
  }

  /** Allocates what the gradient needs. @throws {GradstepError} `OUT_OF_MEMORY` */
  reserve({ parameter, gradient }: Update): void {
    this.#gradient?.free();
    this.#gradient = undefined;
    const shape = gradient.size === parameter.size ? parameter.shape : gradient.shape;
    this.#gradient = parameter.backend.tensor(shape);
  }

  /**
   * Copies values to the plain update, which it returns.
   * @param mask that of the update, as an array
   */
  prepare(update: Update, mask: Uint32Array | undefined): Update {
    const plain = this.#plain;
    gatherAll(update.parameter, plain.parameter);
    for (let k = 0; k < plain.slots.length; k += 1) gatherAll(update.slots[k], plain.slots[k]);
    plain.gradient = needsGradient(update) ? this.#readGradient(update) : update.gradient;
    plain.mask = mask;
    plain.unselectedRows = update.unselectedRows;
    plain.rows = update.rows;
    return plain;
  }

  /** Copies the values that the kernel has changed back, and fills the copies. */
  finish(update: Update, mask: Uint32Array | undefined, rows: UpdatedRows): void {
    rows.beginSelected(update, mask);
    this.#finishRows(update, rows);
    if (rows.beginUnselected(update)) this.#finishRows(update, rows);
    const { slots } = this.#variant;
    for (let k = 0; k < slots.length; k += 1) {
      const slot = update.slots[k];
      if (slot.layout === undefined || slots[k].extent === "element") continue;
      const count = slot.shape[0] ?? 1;
      const all = ascending(count);
      scatterRows(this.#plain.slots[k].view!(), all, slot, all, count);
    }
  }

  free(): void {
    for (const tensor of this.#own) tensor.free();
    this.#gradient?.free();
  }

  #finishRows({ parameter, slots, copies }: Update, all: UpdatedRows): void {
    while (all.next(rowsAtATime)) {
      const { rows, count } = all;
      for (let k = 0; k < slots.length; k += 1)
        if (this.#variant.slots[k].extent === "element" && slots[k].layout !== undefined)
          scatterRows(this.#plain.slots[k].view!(), rows, slots[k], rows, count);
      if (!all.storeParameters) continue;
      if (parameter.layout !== undefined)
        scatterRows(this.#plain.parameter.view!(), rows, parameter, rows, count);
      const values = storedValues(parameter);
      for (let k = 0; k < copies.length; k += 1)
        fillCopyRows(copies[k], values, rowStrideOf(parameter), rows, rows, count, this.#round);
    }
  }

  #readGradient(update: Update): Tensor {
    const { parameter, gradient, gradientActivation } = update;
    const columns = columnsOf(parameter);
    const plain = this.#gradient!;
    const values = plain.view!();
    const count = gradient.size / columns;
    const all = ascending(count);
    decodeRows(gradient, all, values, all, count, columns);
    if (gradientActivation === undefined) return plain;
    const list = update.rows as RowList | undefined;
    const isListed = list !== undefined;
    const p = {
      values: this.#plain.parameter.view!(),
      rows: isListed ? list.indices.subarray(list.start, list.end) : all,
    };
    const g = {
      values,
      rows: isListed ? list.gradientRows.subarray(list.start, list.end) : all,
    };
    const used = isListed ? list.end - list.start : count;
    applyChainRule(gradientActivation, p, g, used, columns, this.#round);
    return plain;
  }

  #plainOf(tensor: Tensor): Tensor {
    if (tensor.layout === undefined) return tensor;
    const plain = tensor.backend.tensor(tensor.shape);
    this.#own.push(plain);
    return plain;
  }
}

const rowsAtATime = 4096;

/** Whether the kernel gets a gradient other than that of the update. */
function needsGradient({ gradient, gradientActivation }: Update): boolean {
  return gradient.layout !== undefined || gradientActivation !== undefined;
}

function gatherAll(from: Tensor, to: Tensor): void {
  if (from === to) return;
  const count = from.shape[0] ?? 1;
  gatherRows(from, ascending(count), count, to.view!());
}
