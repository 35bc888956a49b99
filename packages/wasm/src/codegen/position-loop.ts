import { summationBlock } from "@gradstep/core";
import { rangeWord } from "../memory/batch-layout.js";
import { assign, minus, plus, smaller, times, whileBelow } from "./address-arithmetic.js";
import { i32And, i32Const, i32DivU, localGet } from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";
import { blockOf, laneBytes, type PassBody } from "./pass-body.js";

/**
 * Computes the positions of a range: in segments that end with a block of summation if there are reductions, and with a
 * row if the pass has values per row or column.
 */
export function loopOverPositions(
  { locals, segment, counters, perRow, lanes, withLanes, rangeAt, partial, setPointers }: PassBody,
  { hasRows }: { readonly hasRows: boolean },
): Code {
  const { position, limit, row, rows, columns, matrix } = counters;
  const stop = locals.i32();
  const endOfBlock = plus(
    concat(localGet(position), i32Const(-summationBlock), i32And),
    i32Const(summationBlock),
  );
  const column = minus(localGet(position), times(localGet(row), localGet(columns)));
  const enterRow = concat(
    assign(row, concat(localGet(position), localGet(columns), i32DivU)),
    assign(matrix, concat(localGet(row), localGet(rows), i32DivU)),
    assign(
      limit,
      smaller(localGet(limit), times(plus(localGet(row), i32Const(1)), localGet(columns))),
    ),
    setPointers(localGet(position), plus(times(localGet(matrix), localGet(columns)), column)),
    perRow,
  );
  const enterBlock = concat(
    assign(limit, smaller(localGet(limit), endOfBlock)),
    ...withLanes.map(({ name }, k) =>
      assign(
        lanes[k].address,
        plus(partial(name), times(blockOf(localGet(position)), i32Const(laneBytes))),
      ),
    ),
  );
  return concat(
    assign(position, rangeAt(rangeWord.start)),
    assign(stop, rangeAt(rangeWord.end)),
    hasRows ? [] : setPointers(localGet(position), i32Const(0)),
    whileBelow(
      position,
      localGet(stop),
      concat(
        assign(limit, localGet(stop)),
        lanes.length > 0 ? enterBlock : [],
        hasRows ? enterRow : [],
        segment,
      ),
    ),
  );
}
