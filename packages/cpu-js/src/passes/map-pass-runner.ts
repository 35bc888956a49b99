import type { MapPass, UnselectedRows, Values, Variant } from "@gradstep/core";
import { countOf, endOfRun } from "@gradstep/core/internal";
import { arrayNamesOf } from "./array-names.js";
import { flush, flushesOf, type Flush } from "../flush.js";
import { chunkLength } from "../interpreter.js";
import type { PassFunction } from "../kernel-table.js";
import { createReducer } from "./create-reducer.js";
import type { Reducer } from "./reducer.js";
import type { TemporaryArray } from "./temporary-array.js";
import type { PassTarget } from "./pass-target.js";

/** Runs one map pass on tensors: all of their values, or the runs of rows that a mask makes of them. */
export class MapPassRunner {
  readonly pass: MapPass;
  readonly #compute: PassFunction;
  readonly #flushes: readonly Flush[];
  readonly #Temporary: TemporaryArray;
  readonly #reducers: readonly Reducer[];
  /** The arrays of the results of the reductions. */
  readonly #results: readonly number[];
  readonly #operands: readonly Values[];
  /** The arrays of operands of matrix passes: 0 in rows that are left out. */
  readonly #matrixOperands: readonly number[];
  readonly #storesParameter: boolean;
  readonly #storesGradient: boolean;
  /** Whether its reductions join values of all tensors. */
  readonly isOverTensors: boolean;
  /** Per reduction over all tensors: the value of each tensor so far. */
  readonly perTensor: Values[];
  /** The gradient of rows that a mask leaves out, and a copy of their parameters if those must not change. */
  #zeros = new Float32Array(0);
  #discarded = new Float32Array(0);

  constructor(variant: Variant, pass: MapPass, compute: PassFunction, Temporary: TemporaryArray) {
    const { program, over, reductions } = pass;
    const names = arrayNamesOf(variant);
    this.pass = pass;
    this.#compute = compute;
    this.#Temporary = Temporary;
    this.#flushes = flushesOf(program, names, variant.scalars);
    this.isOverTensors = over === "tensor" && reductions.length > 0;
    this.#reducers = this.isOverTensors
      ? []
      : reductions.map((one) => createReducer(one, Temporary, chunkLength));
    this.#operands = this.isOverTensors
      ? reductions.map(() => new Temporary(1))
      : this.#reducers.map(({ operands }) => operands);
    this.#results = reductions.map(({ name }) => names.indexOf(name));
    this.#matrixOperands = program.outputs.flatMap(({ name }) =>
      name.startsWith("@operand") ? [names.indexOf(name)] : [],
    );
    this.#storesParameter = program.outputs.some(({ name }) => name === "p");
    this.#storesGradient = program.outputs.some(({ name }) => name === "g");
    this.perTensor = reductions.map(() => new Temporary(0));
  }

  /** @param index that of the target in the step */
  run(target: PassTarget, index: number): void {
    const { over } = this.pass;
    const { arrays, dimensions, update } = target;
    if (over === "tensor" || over === "all") {
      this.#range(target, 0, 1);
      for (let k = 0; k < this.#operands.length; k += 1) this.#collect(k, index);
      return;
    }
    for (let k = 0; k < this.#reducers.length; k += 1)
      this.#reducers[k].begin(arrays[this.#results[k]], over, dimensions);
    if (update.mask === undefined || !target.hasMaskedRows(over))
      this.#range(target, 0, countOf(over, dimensions));
    else this.#masked(target);
    for (let k = 0; k < this.#reducers.length; k += 1) this.#reducers[k].finish();
    if (this.#storesGradient) target.useChangedGradient();
  }

  /** Keeps the value of a tensor for a reduction over all of them. */
  #collect(k: number, index: number): void {
    if (this.perTensor[k].length <= index) {
      const longer = new this.#Temporary(2 * index + 8);
      longer.set(this.perTensor[k]);
      this.perTensor[k] = longer;
    }
    this.perTensor[k][index] = this.#operands[k][0];
  }

  #masked(target: PassTarget): void {
    const { arrays, update } = target;
    const mask = update.mask as Uint32Array;
    const rowLength = target.rowLengthOf(this.pass.over);
    const [p, g] = arrays;
    for (let first = 0, next = 0; first < mask.length; first = next) {
      next = endOfRun(mask, first);
      const start = first * rowLength;
      const end = next * rowLength;
      if (mask[first] !== 0) this.#range(target, start, end);
      else if (update.unselectedRows === "keep") this.#clear(arrays, start, end);
      else {
        if (!target.hasChangedGradient) arrays[1] = this.#zerosOf(p.length);
        if (this.#isDiscarded(update.unselectedRows)) arrays[0] = this.#copyOf(p, start, end);
        this.#range(target, start, end);
        arrays[0] = p;
        arrays[1] = g;
      }
    }
  }

  #isDiscarded(unselectedRows: UnselectedRows): boolean {
    return unselectedRows === "decay" && this.#storesParameter;
  }

  #zerosOf(length: number): Values {
    if (this.#zeros.length < length) this.#zeros = new Float32Array(length);
    return this.#zeros;
  }

  #copyOf(p: Values, start: number, end: number): Values {
    if (this.#discarded.length < p.length) this.#discarded = new Float32Array(p.length);
    for (let i = start; i < end; i += 1) this.#discarded[i] = p[i];
    return this.#discarded;
  }

  #clear(arrays: readonly Values[], start: number, end: number): void {
    for (let k = 0; k < this.#matrixOperands.length; k += 1)
      arrays[this.#matrixOperands[k]].fill(0, start, end);
  }

  #range({ arrays, dimensions, scalars }: PassTarget, start: number, end: number): void {
    const { rows, columns } = dimensions;
    for (let k = 0; k < this.#flushes.length; k += 1) {
      const { array, threshold } = this.#flushes[k];
      flush(arrays[array], scalars, threshold, start, end);
    }
    if (this.#reducers.length === 0) {
      this.#compute(arrays, scalars, this.#operands, start, end, rows, columns);
      return;
    }
    // Ranges hold whole rows, if these fit into them.
    const rowsPerRange = this.pass.over === "element" ? Math.floor(chunkLength / columns) : 0;
    const length = rowsPerRange === 0 ? chunkLength : rowsPerRange * columns;
    for (let from = start; from < end; from += length) {
      const to = Math.min(end, from + length);
      this.#compute(arrays, scalars, this.#operands, from, to, rows, columns);
      for (let k = 0; k < this.#reducers.length; k += 1) this.#reducers[k].add(from, to);
    }
  }
}
