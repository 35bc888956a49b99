import { newRow, type RowList, type Tensor, type Update } from "../../backend/backend.js";
import { ascending } from "../../backend/ascending.js";
import type { Group } from "../groups/group.js";
import type { ResetOptions } from "../reset/reset-options.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";
import { StepScalars } from "../step/step-scalars.js";
import { DistinctValues } from "./distinct-values.js";
import type { GuardedRowSteps } from "../guarded/guarded-row-steps.js";
import type { StepWindow } from "../guarded/row-scalar-sets.js";

/** The rows of an update that have taken the same number of steps. */
interface Part {
  readonly update: Update;
  readonly rows: { -readonly [K in keyof RowList]: RowList[K] };
}

/**
 * The steps that each row of a parameter has taken. A step is one update per number of steps among its rows; where a
 * device counts them, one update of all rows.
 */
export class RowSteps {
  /** Per row: the steps taken; if a device decides which are taken, the most that they can be. */
  readonly counts: Uint32Array;
  /** Those of a device that decides which steps are taken. */
  guarded: GuardedRowSteps | undefined;
  readonly #group: Group;
  readonly #scalars: StepScalars;
  readonly #distinct = new DistinctValues();
  /** One per number of steps; the first `#count` are those of the current step. */
  readonly #parts: Part[] = [];
  #count = 0;
  /** The rows of the current step and where their gradients are, sorted by the steps of the row. */
  #indices = new Uint32Array(0);
  #gradientRows = new Uint32Array(0);
  #steps = new Uint32Array(0);
  #selected = new Uint32Array(0);
  readonly #list: Part["rows"] = { ...noRows };

  constructor(group: Group, counts: Uint32Array) {
    this.counts = counts;
    this.#group = group;
    this.#scalars = new StepScalars(group.context.variant, group, group.context.clock, 1);
  }

  /** The number of updates of the current step. */
  get count(): number {
    return this.#count;
  }

  /** An update of the current step, with its scalars. */
  update(index: number): Update {
    return this.#parts[index].update;
  }

  /**
   * Divides an update.
   *
   * @param list the rows to be updated, without duplicates; it begins at 0
   * @param window the steps that may be the next one of a device that decides which steps are taken
   */
  divide(update: Update, list: RowList, window: StepWindow | undefined): void {
    const { indices, gradientRows, end: length } = list;
    this.#reserve(length);
    if (window !== undefined) {
      this.#listAll(update, list, window);
      return;
    }
    const steps = this.#steps;
    for (let i = 0; i < length; i += 1) steps[i] = this.counts[indices[i]];
    const distinct = this.#distinct;
    distinct.find(steps, length);
    this.#count = distinct.count;
    for (let k = 0; k < this.#count; k += 1) this.#prepare(update, k, distinct.values[k] + 1);
    const { places } = distinct;
    for (let i = 0; i < length; i += 1) this.#parts[places[i]].rows.end += 1;
    let start = 0;
    for (let k = 0; k < this.#count; k += 1) {
      const { rows } = this.#parts[k];
      rows.start = start;
      start += rows.end;
      rows.end = rows.start;
    }
    for (let i = 0; i < length; i += 1) {
      const { rows } = this.#parts[places[i]];
      this.#indices[rows.end] = indices[i];
      this.#gradientRows[rows.end] = gradientRows[i];
      rows.end += 1;
    }
  }

  /** All rows, for a gradient of all rows. Valid until the next call, as is the list of `selected`. */
  all(): RowList {
    const list = this.#list;
    list.end = this.counts.length;
    list.indices = ascending(list.end);
    list.gradientRows = list.indices;
    return list;
  }

  /** The rows that a mask selects, for a gradient of all rows. */
  selected(mask: Uint32Array): RowList {
    if (this.#selected.length < mask.length) this.#selected = new Uint32Array(mask.length);
    const rows = this.#selected;
    let length = 0;
    for (let row = 0; row < mask.length; row += 1) {
      if (mask[row] === 0) continue;
      rows[length] = row;
      length += 1;
    }
    const list = this.#list;
    list.indices = rows;
    list.gradientRows = rows;
    list.end = length;
    return list;
  }

  /** Rows whose slots get their first values begin at 0. With `columns`, rows keep some of their slots, and their steps. */
  reset({ rows, columns }: ResetOptions, parameter: Tensor, run: KernelRunner): void {
    if (columns !== undefined) return;
    const mask = rows as Uint32Array | undefined;
    const isReset = (row: number): boolean => mask === undefined || mask[row] !== 0;
    for (let row = 0; row < this.counts.length; row += 1) if (isReset(row)) this.counts[row] = 0;
    this.guarded?.resetOnDevice(mask, parameter, run);
    this.guarded?.reset(isReset);
  }

  /** The steps of rows that were moved. */
  remapped(
    group: Group,
    indices: Uint32Array,
    resetRows: Uint32Array | "all" | undefined,
    count: number,
  ): RowSteps {
    const isReset = (row: number): boolean =>
      resetRows === "all" || (resetRows !== undefined && resetRows[row] !== 0);
    const isNew = (row: number): boolean => indices[row] === newRow || isReset(row);
    const sourceOf = (row: number): number => (isNew(row) ? newRow : indices[row]);
    const counts = Uint32Array.from({ length: count }, (_, row) =>
      isNew(row) ? 0 : this.counts[indices[row]],
    );
    const steps = new RowSteps(group, counts);
    steps.guarded = this.guarded?.remapped(counts, sourceOf);
    return steps;
  }

  /** Counts the current step. */
  commit(): void {
    for (let k = 0; k < this.#count; k += 1) {
      const { rows } = this.#parts[k];
      for (let i = rows.start; i < rows.end; i += 1) this.counts[rows.indices[i]] += 1;
    }
    this.#count = 0;
  }

  /** One update of all rows, whose scalars the device chooses. */
  #listAll(update: Update, list: RowList, window: StepWindow): void {
    const { indices, gradientRows, end: length } = list;
    const scalars = this.guarded!.scalarsOf(this.#group, this.#scalars, list, window);
    const part = this.#partAt(0, update, update.scalars);
    for (let i = 0; i < length; i += 1) {
      this.#indices[i] = indices[i];
      this.#gradientRows[i] = gradientRows[i];
    }
    part.rows.start = 0;
    part.rows.end = length;
    part.rows.scalars = scalars;
    this.#count = 1;
  }

  /** Sets part `k` to no rows yet, and its scalars to those of step `t`. */
  #prepare(update: Update, k: number, t: number): void {
    const part = this.#partAt(k, update);
    this.#group.computeScalars(this.#scalars, t);
    part.update.scalars.set(this.#scalars.values);
  }

  #partAt(k: number, update: Update, scalars?: Float64Array): Part {
    if (this.#parts[k]?.update.parameter !== update.parameter)
      this.#parts[k] = partOf(update, scalars);
    const part = this.#parts[k];
    part.update.gradient = update.gradient;
    part.update.signals = update.signals;
    part.update.clearsGradient = update.clearsGradient;
    part.rows.indices = this.#indices;
    part.rows.gradientRows = this.#gradientRows;
    part.rows.end = 0;
    return part;
  }

  #reserve(length: number): void {
    if (length <= this.#steps.length) return;
    const capacity = Math.max(length, 2 * this.#steps.length);
    this.#indices = new Uint32Array(capacity);
    this.#gradientRows = new Uint32Array(capacity);
    this.#steps = new Uint32Array(capacity);
  }
}

const none = new Uint32Array(0);

/** A list without rows. */
export const noRows: RowList = { indices: none, gradientRows: none, start: 0, end: 0 };

function partOf(
  update: Update,
  scalars: Float64Array = new Float64Array(update.scalars.length),
): Part {
  const rows = { ...noRows };
  return { update: { ...update, rows, mask: undefined, unselectedRows: "keep", scalars }, rows };
}
