import {
  emptyValue,
  specialize,
  summationBlock,
  summationLanes,
  type Extent,
  type KnownScalars,
} from "@gradstep/core";
import { rangeWord } from "../memory/layout.js";
import { entryWord } from "../planning/entry-layout.js";
import { readsRows, transposed, type PassKernel } from "../planning/pass-plan.js";
import { assign, increase, minus, plus, smaller, times } from "./address-arithmetic.js";
import {
  block,
  br,
  brIf,
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
  i32Load,
  i32LtU,
  i32ShrU,
  ifThen,
  localGet,
  loop,
} from "./instruction-set.js";
import { concat, type Code, type WasmFunction } from "./module-encoder.js";
import { segmentLoop, type Lanes } from "./segment-loop.js";
import {
  elementAddress,
  instructionOf,
  Locals,
  vectorProgram,
  type Input,
  type Output,
} from "./vector-program.js";

/** Vectors that are loaded before the first of them is computed (ADR 0015). */
const vectorsPerGroup = 2;

const blockShift = Math.log2(summationBlock);
const laneBytes = 4 * summationLanes;

/** For what a function is specialized. */
interface PassKernelForm {
  /** Scalars whose values are fixed in it. */
  readonly knownScalars: KnownScalars;
  /** Whether it computes the transposes of matrices with one column. */
  readonly isTransposed: boolean;
}

/** Emits a part of a pass as a function `(range)`, which computes the positions or the rows of a range. */
export function emitPassKernel(
  kernel: PassKernel,
  { knownScalars, isTransposed }: PassKernelForm,
): WasmFunction {
  const { program, layout, over, ranges } = kernel;
  const seen = (extent: Extent): Extent => (isTransposed ? transposed(extent) : extent);
  const reductions = kernel.reductions.map((one) => ({ ...one, over: seen(one.over) }));
  const extentOf = (name: string): Extent | undefined => {
    const extent = layout.extents.get(name);
    return extent && seen(extent);
  };
  const range = 0;
  const locals = new Locals(1);
  const entry = locals.i32();
  const scalars = locals.i32();
  const row = locals.i32();
  const pointers = new Map<string, number>();
  const pointer = (name: string): number => {
    const found = pointers.get(name) ?? locals.i32();
    pointers.set(name, found);
    return found;
  };
  const load = (word: number): Code => concat(localGet(entry), i32Load(4 * word));
  const array = (name: string): Code => load(layout.wordOf(name));
  const partial = (name: string): Code => load(layout.partialWordOf(name));

  const inputOf = (name: string): Input => {
    const extent = extentOf(name);
    if (extent === undefined) {
      const address = plus(localGet(scalars), i32Const(4 * layout.scalars.indexOf(name)));
      return { kind: "value", frequency: "call", address };
    }
    if (extent === over || extent === "column") return { kind: "vectors", pointer: pointer(name) };
    if (extent === "row")
      return {
        kind: "value",
        frequency: "row",
        address: elementAddress(array(name), localGet(row)),
      };
    return { kind: "value", frequency: "call", address: array(name) };
  };
  const withLanes = reductions.filter((one) => one.over !== "column");
  const perColumn = reductions.filter((one) => one.over === "column");
  const outputOf = (name: string): Output => {
    const index = withLanes.findIndex((one) => one.name === name);
    if (index >= 0) return { kind: "lanes", index, op: withLanes[index].op };
    const column = perColumn.find((one) => one.name === name);
    if (column !== undefined)
      return { kind: "accumulate", pointer: pointer(`partial ${name}`), op: column.op };
    return { kind: "store", pointer: pointer(name === "p" ? "stored p" : name) };
  };
  const code = vectorProgram(
    specialize(program, knownScalars),
    { inputOf, outputOf },
    locals,
    vectorsPerGroup,
  );
  const lanes: readonly Lanes[] = withLanes.map(({ op }) => ({ op, address: locals.i32() }));
  const position = locals.i32();
  const limit = locals.i32();
  const matrix = locals.i32();
  const columns = locals.i32();
  const rows = locals.i32();
  const segment = segmentLoop(code, lanes, { position, limit }, locals);

  /** Sets the pointers of arrays to a position, and those of columns to the same column. */
  const setPointers = (at: Code, column: Code): Code =>
    concat(
      ...[...pointers].flatMap(([name, local]) => {
        if (name.startsWith("partial ")) return [];
        const base = name === "stored p" ? load(entryWord.storedParameter) : array(name);
        const isColumn = extentOf(name) === "column" && over !== "column";
        return [assign(local, elementAddress(base, isColumn ? column : at))];
      }),
    );
  const begin = concat(
    assign(entry, concat(localGet(range), i32Load(4 * rangeWord.entry))),
    assign(scalars, load(entryWord.scalars)),
    assign(rows, load(entryWord.rows)),
    assign(columns, load(entryWord.columns)),
    code.perCall,
  );
  const rangeAt = (word: number): Code => concat(localGet(range), i32Load(4 * word));
  const whileBelow = (local: number, bound: Code, body: Code): Code =>
    concat(
      concat(block, loop, localGet(local), bound, i32LtU, i32Eqz, brIf(1)),
      concat(body, br(0), end, end),
    );
  const blockOf = (value: number): Code => concat(localGet(value), i32Const(blockShift), i32ShrU);

  if (ranges === "positions") {
    const stop = locals.i32();
    const endOfBlock = plus(
      concat(localGet(position), i32Const(-summationBlock), i32And),
      i32Const(summationBlock),
    );
    const hasRows = readsRows(kernel);
    const column = minus(localGet(position), times(localGet(row), localGet(columns)));
    const enterRow = concat(
      assign(row, concat(localGet(position), localGet(columns), i32DivU)),
      assign(matrix, concat(localGet(row), localGet(rows), i32DivU)),
      assign(
        limit,
        smaller(localGet(limit), times(plus(localGet(row), i32Const(1)), localGet(columns))),
      ),
      setPointers(localGet(position), plus(times(localGet(matrix), localGet(columns)), column)),
      code.perRow,
    );
    const enterBlock = concat(
      assign(limit, smaller(localGet(limit), endOfBlock)),
      ...withLanes.map(({ name }, k) =>
        assign(
          lanes[k].address,
          plus(partial(name), times(blockOf(position), i32Const(laneBytes))),
        ),
      ),
    );
    return {
      parameters: 1,
      locals: locals.types,
      body: concat(
        begin,
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
      ),
    };
  }

  const stop = locals.i32();
  const width = locals.i32();
  const rowInMatrix = locals.i32();
  const results = withLanes.map(() => locals.i32());
  const blocks = (local: number): Code =>
    concat(plus(localGet(local), i32Const(summationBlock - 1)), i32Const(blockShift), i32ShrU);
  /** The vectors of columns for the lane of the row, in the block of rows. */
  const setColumnLanes = concat(
    ...perColumn.map(({ name }) => {
      const blockIndex = plus(times(localGet(matrix), blocks(rows)), blockOf(rowInMatrix));
      const lane = concat(localGet(rowInMatrix), i32Const(summationLanes - 1), i32And);
      const line = plus(times(blockIndex, load(entryWord.lanes)), lane);
      return assign(
        pointer(`partial ${name}`),
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
    code.perRow,
    setPointers(
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
  return {
    parameters: 1,
    locals: locals.types,
    body: concat(
      begin,
      assign(row, rangeAt(rangeWord.start)),
      assign(stop, rangeAt(rangeWord.end)),
      assign(width, rangeAt(rangeWord.lanes)),
      ...lanes.map(({ address }, k) =>
        assign(address, plus(rangeAt(rangeWord.scratch), i32Const(laneBytes * k))),
      ),
      assign(matrix, concat(localGet(row), localGet(rows), i32DivU)),
      assign(rowInMatrix, minus(localGet(row), times(localGet(matrix), localGet(rows)))),
      whileBelow(row, localGet(stop), computeRow),
    ),
  };
}

/** Joins the 16 lanes at an address, which are replaced, and stores the result at another. */
function storeJoined(op: "sum" | "maximum", lanes: number, result: number): Code {
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
