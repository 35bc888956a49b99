import {
  emptyValue,
  join,
  summationBlock,
  summationLanes,
  type Dimensions,
  type Extent,
  type ReduceOp,
  type Reduction,
  type Values,
} from "@gradstep/core";

/**
 * Joins the operands of a reduction in the order that the language defines, while a pass computes them: range after
 * range, in ascending order. What a mask leaves out is between the ranges.
 *
 * Exact reducers round every sum to f32, since all their values are in Float32Arrays. Others join in f64.
 */
export interface Reducer {
  /** The operands of a range, which the pass computes before it calls `add`. */
  readonly operands: Values;
  /** Begins a tensor. A range must not divide a row that fits into one. @param result receives a value per row or column, or one for the tensor */
  begin(result: Values, of: Extent, dimensions: Dimensions): void;
  /** Adds the values of indices `start` to `end` − 1, which are in `operands`. */
  add(start: number, end: number): void;
  finish(): void;
}

/** @param length number of values in the largest range */
export function reducerOf({ op, over }: Reduction, exact: boolean, length: number): Reducer {
  return over === "column"
    ? new ColumnReducer(op, exact, length)
    : new ConsecutiveReducer(op, over, exact, length);
}

/** New values: f32 if every operation is rounded. */
export function allocateValues(length: number, exact: boolean): Values {
  return exact ? new Float32Array(length) : new Float64Array(length);
}

/** For rows and tensors: each result is that of consecutive values. */
class ConsecutiveReducer implements Reducer {
  readonly operands: Values;
  readonly #op: ReduceOp;
  readonly #over: Extent;
  readonly #exact: boolean;
  readonly #lanes: Values;
  #blocks: Values;
  #result: Values;
  /** Number of values per result. */
  #length = 1;
  /** The result and its block whose values are being added; −1 before the first. */
  #index = -1;
  #block = 0;

  constructor(op: ReduceOp, over: Extent, exact: boolean, length: number) {
    this.operands = allocateValues(length, exact);
    this.#op = op;
    this.#over = over;
    this.#exact = exact;
    this.#lanes = allocateValues(summationLanes, exact).fill(emptyValue[op]);
    this.#blocks = allocateValues(0, exact);
    this.#result = this.#blocks;
  }

  begin(result: Values, of: Extent, { matrices, rows, columns }: Dimensions): void {
    const isRow = this.#over === "row";
    const count =
      of === "element" ? matrices * rows * columns : matrices * (of === "row" ? rows : columns);
    this.#length = isRow ? columns : count;
    const blocks = Math.ceil(this.#length / summationBlock);
    if (this.#blocks.length < blocks) this.#blocks = allocateValues(blocks, this.#exact);
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
        lanes[l] = join(this.#op, empty, this.operands[i - start + l], false);
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
    const used = Math.min(summationLanes, this.#length);
    joinLanes(this.#op, this.#lanes, used, 1);
    this.#blocks[this.#block] = this.#lanes[0];
    this.#lanes.fill(emptyValue[this.#op]);
  }

  #endResult(): void {
    const count = Math.ceil(this.#length / summationBlock);
    joinBlocks(this.#op, this.#blocks, count, 1);
    this.#result[this.#index] = this.#blocks[0];
  }
}

/** For columns: a row of lanes and a row of blocks for all columns of a matrix. */
class ColumnReducer implements Reducer {
  readonly operands: Values;
  readonly #op: ReduceOp;
  readonly #exact: boolean;
  #lanes: Values;
  #blocks: Values;
  #result: Values;
  #rows = 1;
  #columns = 1;
  /** Number of lanes in use: f64 sums need only one. */
  #laneCount = 1;
  #matrix = -1;
  #block = 0;

  constructor(op: ReduceOp, exact: boolean, length: number) {
    this.operands = allocateValues(length, exact);
    this.#op = op;
    this.#exact = exact;
    this.#lanes = allocateValues(0, exact);
    this.#blocks = this.#lanes;
    this.#result = this.#lanes;
  }

  begin(result: Values, _of: Extent, { rows, columns }: Dimensions): void {
    this.#rows = rows;
    this.#columns = columns;
    this.#laneCount = this.#exact ? Math.min(rows, summationLanes) : 1;
    const lanes = this.#laneCount * columns;
    const blocks = Math.ceil(rows / summationBlock) * columns;
    if (this.#lanes.length < lanes) this.#lanes = allocateValues(lanes, this.#exact);
    if (this.#blocks.length < blocks) this.#blocks = allocateValues(blocks, this.#exact);
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

/** Joins lanes l with l + 8, l + 4, l + 2 and l + 1. Each is a row of `width` values; those from `used` on are empty. */
function joinLanes(op: ReduceOp, lanes: Values, used: number, width: number): void {
  for (let half = summationLanes / 2; half >= 1; half /= 2) {
    const count = Math.min(half, used - half) * width;
    for (let i = 0; i < count; i += 1)
      lanes[i] = join(op, lanes[i], lanes[i + half * width], false);
  }
}

/** Joins blocks pairwise, as `joinPairwise` of core does. Each is a row of `width` values. */
function joinBlocks(op: ReduceOp, blocks: Values, count: number, width: number): void {
  for (let length = count; length > 1; length = Math.ceil(length / 2)) {
    for (let i = 0; 2 * i < length; i += 1) {
      for (let c = 0; c < width; c += 1) {
        const left = blocks[2 * i * width + c];
        blocks[i * width + c] =
          2 * i + 1 < length ? join(op, left, blocks[(2 * i + 1) * width + c], false) : left;
      }
    }
  }
}

/** Joins each value of a range with its own value of a target. */
function addToArray(
  op: ReduceOp,
  target: Values,
  first: number,
  values: Values,
  from: number,
  count: number,
): void {
  if (op === "sum") for (let i = 0; i < count; i += 1) target[first + i] += values[from + i];
  else
    for (let i = 0; i < count; i += 1)
      target[first + i] = Math.max(target[first + i], values[from + i]);
}

/** Joins values with the lanes: the first with `lane`, the next with the lane after it. */
function addToLanes(
  op: ReduceOp,
  lanes: Values,
  lane: number,
  values: Values,
  from: number,
  count: number,
): void {
  const mask = summationLanes - 1;
  if (op === "sum") for (let i = 0; i < count; i += 1) lanes[(lane + i) & mask] += values[from + i];
  else
    for (let i = 0; i < count; i += 1) {
      const l = (lane + i) & mask;
      lanes[l] = Math.max(lanes[l], values[from + i]);
    }
}
