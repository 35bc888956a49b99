import {
  emptyValue,
  summationBlock,
  summationLanes,
  type Dimensions,
  type Extent,
  type ReduceOp,
  type Values,
} from "@gradstep/core";
import { countOf, join } from "@gradstep/core/internal";
import type { Reducer } from "./reducer.js";
import { addToLanes, joinBlocks, joinLanes } from "./reduction-lanes.js";
import type { TemporaryArray } from "./temporary-array.js";

/** For rows and tensors: each result is that of consecutive values. */
export class ConsecutiveReducer implements Reducer {
  readonly operands: Values;
  readonly #op: ReduceOp;
  readonly #over: Extent;
  readonly #Temporary: TemporaryArray;
  readonly #lanes: Values;
  #blocks: Values;
  #result: Values;
  /** Number of values per result. */
  #length = 1;
  /** The result and its block whose values are being added; −1 before the first. */
  #index = -1;
  #block = 0;

  constructor(op: ReduceOp, over: Extent, Temporary: TemporaryArray, length: number) {
    this.operands = new Temporary(length);
    this.#op = op;
    this.#over = over;
    this.#Temporary = Temporary;
    this.#lanes = new Temporary(summationLanes);
    this.#blocks = new Temporary(0);
    this.#result = this.#blocks;
  }

  begin(result: Values, of: Extent, dimensions: Dimensions): void {
    this.#length = this.#over === "row" ? dimensions.columns : countOf(of, dimensions);
    const blocks = Math.ceil(this.#length / summationBlock);
    if (this.#blocks.length < blocks) this.#blocks = new this.#Temporary(blocks);
    this.#lanes.fill(emptyValue[this.#op]);
    this.#result = result;
    this.#index = -1;
    result.fill(emptyValue[this.#op]);
  }

  add(start: number, end: number): void {
    const length = this.#length;
    if (this.#over === "row" && length <= summationLanes) {
      this.#addShortRows(start, end);
      return;
    }
    for (let i = start; i < end;) {
      const index = Math.floor(i / length);
      const first = index * length;
      const block = Math.floor((i - first) / summationBlock);
      if (index !== this.#index || block !== this.#block) this.#enter(index, block);
      const stop = Math.min(end, first + Math.min(length, (block + 1) * summationBlock));
      const lane = (i - first) % summationLanes;
      addToLanes(this.#op, this.#lanes, lane, this.operands, i - start, stop - i);
      i = stop;
    }
  }

  /** Adds rows that have no more values than there are lanes. Ranges hold whole ones. */
  #addShortRows(start: number, end: number): void {
    const length = this.#length;
    const lanes = this.#lanes;
    const empty = emptyValue[this.#op];
    for (let i = start, row = start / length; i < end; i += length, row += 1) {
      for (let l = 0; l < length; l += 1)
        lanes[l] = join(this.#op, empty, this.operands[i - start + l]);
      joinLanes(this.#op, lanes, length, 1);
      this.#result[row] = lanes[0];
    }
  }

  finish(): void {
    this.#enter(-1, 0);
  }

  #enter(index: number, block: number): void {
    if (this.#index >= 0) this.#endBlock();
    if (index !== this.#index) {
      if (this.#index >= 0) this.#endResult();
      if (this.#length > summationBlock) this.#blocks.fill(emptyValue[this.#op]);
    }
    this.#index = index;
    this.#block = block;
  }

  #endBlock(): void {
    joinLanes(this.#op, this.#lanes, summationLanes, 1);
    this.#blocks[this.#block] = this.#lanes[0];
    this.#lanes.fill(emptyValue[this.#op]);
  }

  #endResult(): void {
    const count = Math.ceil(this.#length / summationBlock);
    joinBlocks(this.#op, this.#blocks, count, 1);
    this.#result[this.#index] = this.#blocks[0];
  }
}
