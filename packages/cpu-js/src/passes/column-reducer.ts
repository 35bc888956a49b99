import {
  emptyValue,
  summationBlock,
  summationLanes,
  type Dimensions,
  type Extent,
  type ReduceOp,
  type Values,
} from "@gradstep/core";
import type { Reducer } from "./reducer.js";
import { addToArray, joinBlocks, joinLanes } from "./reduction-lanes.js";
import type { TemporaryArray } from "./temporary-array.js";

/** For columns: a row of lanes and a row of blocks for all columns of a matrix. */
export class ColumnReducer implements Reducer {
  readonly operands: Values;
  readonly #op: ReduceOp;
  readonly #Temporary: TemporaryArray;
  #lanes: Values;
  #blocks: Values;
  #result: Values;
  #rows = 1;
  #columns = 1;
  /** Number of lanes in use: f64 sums need only one. */
  #laneCount = 1;
  #matrix = -1;
  #block = 0;

  constructor(op: ReduceOp, Temporary: TemporaryArray, length: number) {
    this.operands = new Temporary(length);
    this.#op = op;
    this.#Temporary = Temporary;
    this.#lanes = new Temporary(0);
    this.#blocks = this.#lanes;
    this.#result = this.#lanes;
  }

  begin(result: Values, _of: Extent, { rows, columns }: Dimensions): void {
    this.#rows = rows;
    this.#columns = columns;
    this.#laneCount = this.#Temporary === Float32Array ? Math.min(rows, summationLanes) : 1;
    const lanes = this.#laneCount * columns;
    const blocks = Math.ceil(rows / summationBlock) * columns;
    if (this.#lanes.length < lanes) this.#lanes = new this.#Temporary(lanes);
    if (this.#blocks.length < blocks) this.#blocks = new this.#Temporary(blocks);
    this.#lanes.fill(emptyValue[this.#op]);
    this.#result = result;
    this.#matrix = -1;
    result.fill(emptyValue[this.#op]);
  }

  add(start: number, end: number): void {
    const columns = this.#columns;
    const first = Math.floor(start / columns);
    let column = start - first * columns;
    let matrix = Math.floor(first / this.#rows);
    let row = first - matrix * this.#rows;
    for (let i = start; i < end;) {
      if (row === this.#rows) {
        row = 0;
        matrix += 1;
      }
      const block = Math.floor(row / summationBlock);
      if (matrix !== this.#matrix || block !== this.#block) this.#enter(matrix, block);
      const stop = Math.min(end, i + columns - column);
      const target = (row % this.#laneCount) * columns + column;
      addToArray(this.#op, this.#lanes, target, this.operands, i - start, stop - i);
      i = stop;
      column = 0;
      row += 1;
    }
  }

  finish(): void {
    this.#enter(-1, 0);
  }

  #enter(matrix: number, block: number): void {
    if (this.#matrix >= 0) this.#endBlock();
    if (matrix !== this.#matrix) {
      if (this.#matrix >= 0) this.#endMatrix();
      this.#blocks.fill(emptyValue[this.#op]);
    }
    this.#matrix = matrix;
    this.#block = block;
  }

  #endBlock(): void {
    const columns = this.#columns;
    joinLanes(this.#op, this.#lanes, this.#laneCount, columns);
    const first = this.#block * columns;
    for (let c = 0; c < columns; c += 1) this.#blocks[first + c] = this.#lanes[c];
    this.#lanes.fill(emptyValue[this.#op]);
  }

  #endMatrix(): void {
    const columns = this.#columns;
    joinBlocks(this.#op, this.#blocks, Math.ceil(this.#rows / summationBlock), columns);
    const first = this.#matrix * columns;
    for (let c = 0; c < columns; c += 1) this.#result[first + c] = this.#blocks[c];
  }
}
