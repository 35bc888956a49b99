import { emptyValue, summationBlock, summationLanes, type ReduceOp } from "@gradstep/core";
import { rangeWord } from "../memory/batch-layout.js";
import { entryWord } from "../planning/entry-layout.js";
import { assign, increase, minus, plus, smaller, times, whileBelow } from "./address-arithmetic.js";
import {
  end,
  f32Add,
  f32Const,
  f32Load,
  f32Max,
  f32Store,
  f32x4,
  fourLanes,
  i32And,
  i32Const,
  i32DivU,
  i32Eqz,
  i32LtU,
  ifThen,
  localGet,
} from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";
import { blockOf, laneBytes, type PassBody } from "./pass-body.js";
import { elementAddress, instructionOf } from "./vector-program.js";

/** Computes the rows of a range: of each block of rows, those of some lanes. */
export function loopOverRows(body: PassBody): Code {
  const { locals, segment, lanes, withLanes, perColumn, load, rangeAt, partial } = body;
  const { position, limit, row, rows, columns, matrix } = body.counters;
  const stop = locals.i32();
  const width = locals.i32();
  const rowInMatrix = locals.i32();
  const results = withLanes.map(() => locals.i32());
  const blocks = (local: number): Code =>
    blockOf(plus(localGet(local), i32Const(summationBlock - 1)));
  /** The vectors of columns for the lane of the row, in the block of rows. */
  const setColumnLanes = concat(
    ...perColumn.map(({ name }) => {
      const blockIndex = plus(
        times(localGet(matrix), blocks(rows)),
        blockOf(localGet(rowInMatrix)),
      );
      const lane = concat(localGet(rowInMatrix), i32Const(summationLanes - 1), i32And);
      const line = plus(times(blockIndex, load(entryWord.lanes)), lane);
      return assign(
        body.partialPointer(name),
        elementAddress(partial(name), times(line, localGet(columns))),
      );
    }),
  );
  const clearLanes = concat(
    ...lanes.flatMap(({ op, address }) =>
      [0, 16, 32, 48].map((offset) =>
        concat(
          concat(localGet(address), f32Const(emptyValue[op]), f32x4.splat),
          fourLanes.store(offset),
        ),
      ),
    ),
  );
  const reduceRow = whileBelow(
    position,
    localGet(columns),
    concat(
      assign(limit, smaller(localGet(columns), plus(localGet(position), i32Const(summationBlock)))),
      clearLanes,
      segment,
      ...lanes.map(({ op, address }, k) =>
        concat(storeJoined(op, address, results[k]), increase(results[k], i32Const(4))),
      ),
    ),
  );
  const skipped = minus(i32Const(summationLanes), localGet(width));
  const nextRow = concat(
    concat(increase(row, i32Const(1)), increase(rowInMatrix, i32Const(1))),
    concat(localGet(rowInMatrix), minus(localGet(width), i32Const(1)), i32And, i32Eqz, ifThen),
    concat(increase(row, skipped), increase(rowInMatrix, skipped), end),
    concat(localGet(rowInMatrix), localGet(rows), i32LtU, i32Eqz, ifThen),
    concat(increase(matrix, i32Const(1)), assign(rowInMatrix, i32Const(0)), end),
  );
  const computeRow = concat(
    body.perRow,
    body.setPointers(
      times(localGet(row), localGet(columns)),
      times(localGet(matrix), localGet(columns)),
    ),
    setColumnLanes,
    ...withLanes.map(({ name }, k) =>
      assign(results[k], elementAddress(partial(name), times(localGet(row), blocks(columns)))),
    ),
    assign(position, i32Const(0)),
    lanes.length > 0 ? reduceRow : concat(assign(limit, localGet(columns)), segment),
    nextRow,
  );
  return concat(
    assign(row, rangeAt(rangeWord.start)),
    assign(stop, rangeAt(rangeWord.end)),
    assign(width, rangeAt(rangeWord.lanes)),
    ...lanes.map(({ address }, k) =>
      assign(address, plus(rangeAt(rangeWord.scratch), i32Const(laneBytes * k))),
    ),
    assign(matrix, concat(localGet(row), localGet(rows), i32DivU)),
    assign(rowInMatrix, minus(localGet(row), times(localGet(matrix), localGet(rows)))),
    whileBelow(row, localGet(stop), computeRow),
  );
}

/** Joins the 16 lanes at an address, which are replaced, and stores the result at another. */
function storeJoined(op: ReduceOp, lanes: number, result: number): Code {
  const join = instructionOf[op];
  const joinOne = op === "sum" ? f32Add : f32Max;
  const at = (offset: number): Code => concat(localGet(lanes), fourLanes.load(offset));
  const one = (offset: number): Code => concat(localGet(lanes), f32Load(offset));
  return concat(
    concat(localGet(lanes), at(0), at(32), join, at(16), at(48), join, join, fourLanes.store(0)),
    concat(localGet(result), one(0), one(8), joinOne, one(4), one(12), joinOne, joinOne),
    f32Store(0),
  );
}
