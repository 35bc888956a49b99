import {
  assign,
  countFromZero,
  countUp,
  increase,
  minus,
  plus,
  smaller,
  times,
} from "./address-arithmetic.js";
import {
  call,
  end,
  f32x4,
  fourLanes,
  i32Const,
  i32Eqz,
  ifThen,
  loadSplat,
  localGet,
  localSet,
} from "./instruction-set.js";
import { concat, i32, v128, type Code, type WasmFunction } from "./module-encoder.js";
import { packPanels } from "./panel-packing.js";

/** The elements of a product that are computed together: 8 sums, so that no addition waits for the one before. */
const tileRows = 4;
const tileColumns = 8;

/** Terms per block of a sum: a panel of columns stays in the L1 cache. */
const blockLength = 256;
/** Rows per block: their panels stay in the L2 cache. */
const blockRows = 128;

/** Rows and columns of the target of a product are multiples of these; so are those of all others here. */
export const tileMultiple: number = Math.max(tileRows, tileColumns);

/** Bytes of memory in which a product of so many columns packs its operands. */
export function packedBytes(columns: number): number {
  return 4 * blockLength * (blockRows + Math.ceil(columns / tileColumns) * tileColumns);
}

/**
 * Adds the function `(left, leftAlong, leftAcross, right, rightAlong, rightAcross, target, stride, rows, columns, length,
 * isSymmetric, packed)`: target = left · right, where each element is a sum from +0 over k = 0, 1, …, `length` − 1.
 *
 * `along` is the distance in bytes from an element to the one of k + 1; `across` that from a row to the next (left), or
 * from a column to the next (right), so that an operand can be read as its transpose. Lines of the target are `stride`
 * bytes apart. Its last tiles are stored as a whole; elements outside the product are 0. If `isSymmetric`, the target
 * lacks the tiles that lie below the diagonal. `packed` is the address of `packedBytes(columns)`.
 *
 * @returns its index
 */
export function addProduct(functions: WasmFunction[]): number {
  const packRows = functions.push(packPanels(tileRows)) - 1;
  const packColumns = functions.push(packPanels(tileColumns)) - 1;
  const tile = functions.push(multiplyTile()) - 1;
  const [left, leftAlong, leftAcross, right, rightAlong, rightAcross] = [0, 1, 2, 3, 4, 5];
  const [target, stride, rows, columns, length, isSymmetric, packed] = [6, 7, 8, 9, 10, 11, 12];
  const [k, terms, top, height, i, limit, j, rowPanels, columnPanel] = [
    13, 14, 15, 16, 17, 18, 19, 20, 21,
  ];
  const panelBytes = (width: number): Code => times(localGet(terms), i32Const(4 * width));

  const packBlockOfColumns = concat(
    plus(localGet(right), times(localGet(k), localGet(rightAlong))),
    concat(localGet(rightAlong), localGet(rightAcross)),
    concat(localGet(packed), localGet(columns), localGet(terms), call(packColumns)),
  );
  const packBlockOfRows = concat(
    plus(
      localGet(left),
      times(localGet(k), localGet(leftAlong)),
      times(localGet(top), localGet(leftAcross)),
    ),
    concat(localGet(leftAlong), localGet(leftAcross)),
    concat(localGet(rowPanels), localGet(height), localGet(terms), call(packRows)),
  );
  const multiplyOneTile = concat(
    plus(localGet(rowPanels), times(minus(localGet(i), localGet(top)), panelBytes(1))),
    localGet(columnPanel),
    plus(localGet(target), times(localGet(i), localGet(stride)), times(localGet(j), i32Const(4))),
    concat(localGet(stride), localGet(terms), localGet(k), i32Eqz, call(tile)),
  );
  const multiplyTiles = countFromZero(
    j,
    localGet(columns),
    tileColumns,
    concat(
      assign(i, localGet(top)),
      assign(limit, plus(localGet(top), localGet(height))),
      concat(localGet(isSymmetric), ifThen),
      assign(limit, smaller(localGet(limit), plus(localGet(j), i32Const(tileColumns)))),
      end,
      countUp(i, localGet(limit), tileRows, multiplyOneTile),
      increase(columnPanel, panelBytes(tileColumns)),
    ),
  );
  const body = countFromZero(
    k,
    localGet(length),
    blockLength,
    concat(
      assign(terms, smaller(minus(localGet(length), localGet(k)), i32Const(blockLength))),
      packBlockOfColumns,
      countFromZero(
        top,
        localGet(rows),
        blockRows,
        concat(
          assign(height, smaller(minus(localGet(rows), localGet(top)), i32Const(blockRows))),
          packBlockOfRows,
          assign(columnPanel, localGet(packed)),
          multiplyTiles,
        ),
      ),
    ),
  );
  const index = functions.push({
    parameters: 13,
    locals: Array<number>(9).fill(i32),
    body: concat(
      assign(rowPanels, localGet(packed)),
      increase(packed, i32Const(4 * blockLength * blockRows)),
      body,
    ),
  });
  return index - 1;
}

/**
 * The function `(left, right, target, stride, terms, isFirst)`: adds the product of a panel of rows and a panel of columns
 * to a tile, or starts from +0 if `isFirst`.
 */
function multiplyTile(): WasmFunction {
  const [left, right, target, stride, terms, isFirst] = [0, 1, 2, 3, 4, 5];
  const vectors = tileColumns / 4;
  const line = (row: number): number => 6 + row;
  const limit = 6 + tileRows;
  const sum = (row: number, vector: number): number => limit + 1 + row * vectors + vector;
  const column = (vector: number): number => sum(tileRows, vector);
  const factor = sum(tileRows + 1, 0);
  const forEach = (count: number, code: (i: number) => Code): Code =>
    concat(...Array.from({ length: count }, (_, i) => code(i)));
  const forEachVector = (code: (row: number, vector: number) => Code): Code =>
    forEach(tileRows, (row) => forEach(vectors, (vector) => code(row, vector)));
  // Not unrolled: V8 then keeps all locals in registers.
  const addTerm = concat(
    forEach(vectors, (vector) =>
      concat(localGet(right), fourLanes.load(16 * vector), localSet(column(vector))),
    ),
    forEach(tileRows, (row) =>
      concat(
        concat(localGet(left), loadSplat(4 * row), localSet(factor)),
        forEach(vectors, (vector) =>
          concat(
            concat(localGet(sum(row, vector)), localGet(factor), localGet(column(vector))),
            concat(f32x4.mul, f32x4.add, localSet(sum(row, vector))),
          ),
        ),
      ),
    ),
    increase(right, i32Const(4 * tileColumns)),
  );
  return {
    parameters: 6,
    locals: [
      ...Array<number>(tileRows + 1).fill(i32),
      ...Array<number>((tileRows + 1) * vectors + 1).fill(v128),
    ],
    body: concat(
      assign(line(0), localGet(target)),
      forEach(tileRows - 1, (row) =>
        assign(line(row + 1), plus(localGet(line(row)), localGet(stride))),
      ),
      concat(localGet(isFirst), i32Eqz, ifThen),
      forEachVector((row, vector) =>
        concat(localGet(line(row)), fourLanes.load(16 * vector), localSet(sum(row, vector))),
      ),
      end,
      assign(limit, plus(localGet(left), times(localGet(terms), i32Const(4 * tileRows)))),
      countUp(left, localGet(limit), 4 * tileRows, addTerm),
      forEachVector((row, vector) =>
        concat(localGet(line(row)), localGet(sum(row, vector)), fourLanes.store(16 * vector)),
      ),
    ),
  };
}
