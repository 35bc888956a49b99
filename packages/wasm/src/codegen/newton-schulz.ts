import {
  assign,
  countFromZero,
  countUp,
  increase,
  minus,
  plus,
  roundedUp,
  smaller,
  times,
} from "./address-arithmetic.js";
import {
  block,
  br,
  brIf,
  call,
  elseThen,
  end,
  f32Load,
  f32ReinterpretI32,
  f32Store,
  f32x4,
  firstLane,
  fourLanes,
  i32And,
  i32Const,
  i32Eq,
  i32Eqz,
  i32LtU,
  ifThen,
  localGet,
  localSet,
  loop,
  memoryCopy,
  type Access,
} from "./instruction-set.js";
import { addProduct, packedBytes, tileMultiple } from "./matrix-product.js";
import { concat, i32, v128, type Code, type WasmFunction } from "./module-encoder.js";

/** Columns whose elements are copied together by `mirror`: those of a cache line. */
const mirrorColumns = 16;

/** Bytes of scratch memory for an iteration on matrices of this shape. */
export function newtonSchulzScratchBytes(rows: number, columns: number): number {
  const aligned = (count: number): number => Math.ceil(count / tileMultiple) * tileMultiple;
  const size = aligned(Math.min(rows, columns));
  return 4 * (2 * size * size + aligned(rows) * aligned(columns)) + packedBytes(columns);
}

/**
 * Adds the function `(x, result, scratch, matrices, rows, columns, a, b, c)`: one Newton–Schulz iteration per matrix, with
 * the bits of `newtonSchulz` of the core. `scratch` is the address of `newtonSchulzScratchBytes(rows, columns)`. The result
 * may be `x` itself. The coefficients are the bits of f32 numbers.
 *
 * @param name under which it is exported; not exported if left out
 * @returns its index
 */
export function addNewtonSchulz(functions: WasmFunction[], name?: string): number {
  const product = addProduct(functions);
  const mirrorIndex = functions.push(mirror()) - 1;
  const combineIndex = functions.push(combine()) - 1;
  const [x, result, scratch, matrices, rows, columns, a, b, c] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [size, line, width, alignedWidth, square, applied, packed] = [9, 10, 11, 12, 13, 14, 15];
  const gram = scratch;
  /** The polynomial bA + cA² replaces A². */
  const polynomial = square;
  const element = i32Const(4);
  /** A matrix, with the distances from row to row and from column to column, or the other way round. */
  const byRows = (matrix: number, rowBytes: number): Code =>
    concat(localGet(matrix), localGet(rowBytes), element);
  const byColumns = (matrix: number, rowBytes: number): Code =>
    concat(localGet(matrix), element, localGet(rowBytes));
  /** The product of two operands (left: k along, rows across; right: k along, columns across) that is symmetric. */
  const symmetric = (left: Code, right: Code, length: number, target: number): Code =>
    concat(
      concat(left, right, localGet(target), localGet(line), localGet(size), localGet(size)),
      concat(localGet(length), i32Const(1), localGet(packed), call(product)),
      concat(localGet(target), localGet(line), localGet(size), call(mirrorIndex)),
    );
  const apply = (left: Code, right: Code): Code =>
    concat(
      concat(left, right, localGet(applied), localGet(alignedWidth), localGet(rows)),
      concat(localGet(columns), localGet(size), i32Const(0), localGet(packed), call(product)),
    );
  const whereTall = (tall: Code, wide: Code): Code =>
    concat(localGet(columns), localGet(rows), i32LtU, ifThen, tall, elseThen, wide, end);
  const iteration = concat(
    whereTall(
      symmetric(byRows(x, width), byRows(x, width), rows, gram),
      symmetric(byColumns(x, width), byColumns(x, width), columns, gram),
    ),
    // A symmetric matrix is its transpose: read by rows, its elements are consecutive.
    symmetric(byRows(gram, line), byRows(gram, line), size, square),
    concat(localGet(gram), localGet(line), localGet(square), localGet(line)),
    concat(localGet(polynomial), localGet(line), localGet(size), localGet(size)),
    concat(localGet(b), localGet(c), call(combineIndex)),
    whereTall(
      apply(byColumns(x, width), byRows(polynomial, line)),
      apply(byRows(polynomial, line), byRows(x, width)),
    ),
    concat(localGet(x), localGet(width), localGet(applied), localGet(alignedWidth)),
    concat(localGet(result), localGet(width), localGet(rows), localGet(columns)),
    concat(localGet(a), i32Const(bitsOfOne), call(combineIndex)),
  );
  const aligned = (count: number): Code => roundedUp(localGet(count), tileMultiple);
  const matrixBytes = times(localGet(rows), localGet(width));
  const copy = concat(
    localGet(result),
    localGet(x),
    times(matrixBytes, localGet(matrices)),
    memoryCopy,
  );
  const index = functions.push({
    ...(name === undefined ? {} : { name }),
    parameters: 9,
    locals: Array<number>(7).fill(i32),
    body: concat(
      assign(size, smaller(localGet(rows), localGet(columns))),
      assign(line, times(aligned(size), element)),
      assign(width, times(localGet(columns), element)),
      assign(alignedWidth, times(aligned(columns), element)),
      assign(square, plus(localGet(gram), times(localGet(line), aligned(size)))),
      assign(applied, plus(localGet(square), times(localGet(line), aligned(size)))),
      assign(packed, plus(localGet(applied), times(localGet(alignedWidth), aligned(rows)))),
      concat(localGet(a), i32Const(bitsOfOne), i32Eq, localGet(b), i32Eqz, i32And),
      concat(localGet(c), i32Eqz, i32And, ifThen, copy, elseThen),
      concat(block, loop, localGet(matrices), i32Eqz, brIf(1)),
      iteration,
      concat(increase(x, matrixBytes), increase(result, matrixBytes)),
      assign(matrices, minus(localGet(matrices), i32Const(1))),
      concat(br(0), end, end, end),
    ),
  });
  return index - 1;
}

const bitsOfOne = 0x3f800000;

/** The function `(matrix, line, size)`: copies the elements above the diagonal to below it. */
function mirror(): WasmFunction {
  const [matrix, line, size] = [0, 1, 2];
  const [first, i, j, limit, from, to] = [3, 4, 5, 6, 7, 8];
  const address = (row: number, column: number): Code =>
    plus(
      localGet(matrix),
      times(localGet(row), localGet(line)),
      times(localGet(column), i32Const(4)),
    );
  const copy = concat(
    concat(localGet(to), localGet(from), f32Load(0), f32Store(0)),
    concat(increase(to, i32Const(4)), increase(from, localGet(line))),
  );
  const copyRow = concat(
    assign(j, localGet(first)),
    assign(limit, smaller(plus(localGet(first), i32Const(mirrorColumns)), localGet(i))),
    concat(assign(to, address(i, j)), assign(from, address(j, i))),
    countUp(j, localGet(limit), 1, copy),
  );
  return {
    parameters: 3,
    locals: [i32, i32, i32, i32, i32, i32],
    body: countFromZero(
      first,
      localGet(size),
      mirrorColumns,
      concat(assign(i, localGet(first)), countUp(i, localGet(size), 1, copyRow)),
    ),
  };
}

/**
 * The function `(x, xLine, y, yLine, target, targetLine, rows, columns, xFactor, yFactor)`: target = xFactor · x +
 * yFactor · y. Lines are distances in bytes from row to row; factors are the bits of f32 numbers. The target may be x or y.
 */
function combine(): WasmFunction {
  const [x, xLine, y, yLine, target, targetLine, rows] = [0, 1, 2, 3, 4, 5, 6];
  const [columns, xFactor, yFactor] = [7, 8, 9];
  const [i, offset, width, vectorEnd, xFactors, yFactors] = [10, 11, 12, 13, 14, 15];
  const at = (pointer: number): Code => plus(localGet(pointer), localGet(offset));
  const combineAt = (access: Access): Code =>
    concat(
      at(target),
      concat(at(x), access.load(0), localGet(xFactors), f32x4.mul),
      concat(at(y), access.load(0), localGet(yFactors), f32x4.mul, f32x4.add),
      access.store(0),
    );
  const splat = (bits: number, local: number): Code =>
    concat(localGet(bits), f32ReinterpretI32, f32x4.splat, localSet(local));
  const combineRow = concat(
    countFromZero(offset, localGet(vectorEnd), 16, combineAt(fourLanes)),
    countUp(offset, localGet(width), 4, combineAt(firstLane)),
    concat(increase(x, localGet(xLine)), increase(y, localGet(yLine))),
    increase(target, localGet(targetLine)),
  );
  return {
    parameters: 10,
    locals: [i32, i32, i32, i32, v128, v128],
    body: concat(
      concat(splat(xFactor, xFactors), splat(yFactor, yFactors)),
      assign(width, times(localGet(columns), i32Const(4))),
      assign(vectorEnd, concat(localGet(width), i32Const(-16), i32And)),
      countFromZero(i, localGet(rows), 1, combineRow),
    ),
  };
}
