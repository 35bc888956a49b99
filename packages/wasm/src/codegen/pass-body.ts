import {
  specialize,
  summationBlock,
  summationLanes,
  type Extent,
  type KnownScalars,
  type Reduction,
} from "@gradstep/core";
import { rangeWord } from "../memory/batch-layout.js";
import { entryWord } from "../planning/entry-layout.js";
import { transposed, type PassKernel } from "../planning/pass-plan.js";
import { assign, plus } from "./address-arithmetic.js";
import { i32Const, i32Load, i32ShrU, localGet } from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";
import { segmentLoop, type Lanes } from "./segment-loop.js";
import {
  elementAddress,
  Locals,
  vectorProgram,
  type Input,
  type Output,
} from "./vector-program.js";

/** Bytes of the lanes of a reduction. */
export const laneBytes: number = 4 * summationLanes;

/** For what a function is specialized. */
export interface PassKernelForm {
  /** Scalars whose values are fixed in it. */
  readonly knownScalars: KnownScalars;
  /** Whether it computes the transposes of matrices with one column. */
  readonly isTransposed: boolean;
}

/** The code of a pass for a segment of positions, and what the loops over segments need. */
export interface PassBody {
  readonly locals: Locals;
  /** Reads the entry of the range, and computes what is the same for all of its positions. */
  readonly begin: Code;
  readonly perRow: Code;
  /** Computes the positions from `position` to before `limit`; then `position` is `limit`. */
  readonly segment: Code;
  /** Locals. `row` counts the rows of all matrices. */
  readonly counters: PassCounters;
  readonly lanes: readonly Lanes[];
  /** The reductions with lanes, in their order. */
  readonly withLanes: readonly Pick<Reduction, "name" | "op">[];
  readonly perColumn: readonly Pick<Reduction, "name">[];
  /** A word of the entry, and a word of the range. */
  readonly load: (word: number) => Code;
  readonly rangeAt: (word: number) => Code;
  /** Where the parts of a reduction are. */
  readonly partial: (name: string) => Code;
  /** The local that points to the vectors of a reduction per column. */
  readonly partialPointer: (name: string) => number;
  /** Sets the pointers of arrays to a position, and those of columns to the same column. */
  readonly setPointers: (at: Code, column: Code) => Code;
}

interface PassCounters {
  readonly row: number;
  readonly position: number;
  readonly limit: number;
  readonly matrix: number;
  readonly columns: number;
  readonly rows: number;
}

/** Translates a part of a pass, whose only parameter is the address of a range. */
export function passBodyOf(
  kernel: PassKernel,
  { knownScalars, isTransposed }: PassKernelForm,
): PassBody {
  const { program, layout, over } = kernel;
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
  const partialPointer = (name: string): number => pointer(`partial ${name}`);
  const rangeAt = (word: number): Code => concat(localGet(range), i32Load(4 * word));
  const load = (word: number): Code => concat(localGet(entry), i32Load(4 * word));
  const array = (name: string): Code => load(layout.wordOf(name));

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
      return { kind: "accumulate", pointer: partialPointer(name), op: column.op };
    return { kind: "store", pointer: pointer(name === "p" ? "stored p" : name) };
  };
  const code = vectorProgram(specialize(program, knownScalars), { inputOf, outputOf }, locals);
  const lanes = withLanes.map(({ op }): Lanes => ({ op, address: locals.i32() }));
  const counters = {
    row,
    position: locals.i32(),
    limit: locals.i32(),
    matrix: locals.i32(),
    columns: locals.i32(),
    rows: locals.i32(),
  };
  return {
    locals,
    segment: segmentLoop(code, lanes, counters, locals),
    counters,
    lanes,
    withLanes,
    perColumn,
    load,
    rangeAt,
    partial: (name) => load(layout.partialWordOf(name)),
    partialPointer,
    setPointers: (at, column) =>
      concat(
        ...[...pointers].flatMap(([name, local]) => {
          if (name.startsWith("partial ")) return [];
          const base = name === "stored p" ? load(entryWord.storedParameter) : array(name);
          const isColumn = extentOf(name) === "column" && over !== "column";
          return [assign(local, elementAddress(base, isColumn ? column : at))];
        }),
      ),
    begin: concat(
      assign(entry, rangeAt(rangeWord.entry)),
      assign(scalars, load(entryWord.scalars)),
      assign(counters.rows, load(entryWord.rows)),
      assign(counters.columns, load(entryWord.columns)),
      code.perCall,
    ),
    perRow: code.perRow,
  };
}

const blockShift = Math.log2(summationBlock);

/** The number of whole blocks of summation in a number of values. */
export function blockOf(value: Code): Code {
  return concat(value, i32Const(blockShift), i32ShrU);
}
