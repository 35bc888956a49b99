/** Rows and columns of a tile: its six sums are in registers while k counts up, which destructuring would prevent. */
const tileRows = 3;
const tileColumns = 2;

/**
 * Multiplies matrices: an element of the product is the sum over k = 0, 1, … of `left[k][i] · right[k][j]`, beginning
 * with 0. Both operands are given with k as the index of their rows, the left one thus transposed.
 */
export class MatrixProduct {
  readonly #multiplyTile: MultiplyTile;
  readonly #round: (value: number) => number;
  #rowPanels = new Float64Array(0);
  #columnPanel = new Float64Array(0);

  /** @param round what is done to each product and each sum: `Math.fround`, or nothing */
  constructor(round: (value: number) => number) {
    this.#multiplyTile = round === Math.fround ? multiplyTileRounded : multiplyTile;
    this.#round = round;
  }

  /**
   * The product of a matrix and itself is symmetric: one half of it is copied from the other.
   *
   * @param target row-major, `rows` × `columns`
   * @param length the number of terms in a sum
   */
  multiply(
    left: Float64Array,
    right: Float64Array,
    target: Float64Array,
    rows: number,
    columns: number,
    length: number,
  ): void {
    const isSymmetric = left === right;
    const tiledRows = rows - (rows % tileRows);
    const tiledColumns = columns - (columns % tileColumns);
    const panelLength = tileRows * length;
    if (this.#rowPanels.length < tiledRows * length)
      this.#rowPanels = new Float64Array(tiledRows * length);
    if (this.#columnPanel.length < tileColumns * length)
      this.#columnPanel = new Float64Array(tileColumns * length);
    for (let i = 0; i < tiledRows; i += tileRows)
      pack(left, i, rows, this.#rowPanels, i * length, tileRows, length);
    for (let j = 0; j < tiledColumns; j += tileColumns) {
      pack(right, j, columns, this.#columnPanel, 0, tileColumns, length);
      const end = isSymmetric ? Math.min(tiledRows, j + tileColumns) : tiledRows;
      for (let i = 0, panel = 0; i < end; i += tileRows, panel += panelLength)
        this.#multiplyTile(
          this.#rowPanels,
          panel,
          this.#columnPanel,
          length,
          target,
          i * columns + j,
          columns,
        );
    }
    for (let i = 0; i < rows; i += 1) {
      for (let j = i < tiledRows ? tiledColumns : 0; j < columns; j += 1)
        target[i * columns + j] = this.#element(left, i, rows, right, j, columns, length);
    }
    if (isSymmetric) mirror(target, rows);
  }

  #element(
    left: Float64Array,
    i: number,
    rows: number,
    right: Float64Array,
    j: number,
    columns: number,
    length: number,
  ): number {
    const round = this.#round;
    let sum = 0;
    for (let k = 0; k < length; k += 1)
      sum = round(sum + round(left[k * rows + i] * right[k * columns + j]));
    return sum;
  }
}

/** Copies `width` columns of a matrix, from column `first` on, so that they are consecutive for each k. */
function pack(
  matrix: Float64Array,
  first: number,
  columns: number,
  panels: Float64Array,
  start: number,
  width: number,
  length: number,
): void {
  for (let k = 0; k < length; k += 1)
    for (let i = 0; i < width; i += 1)
      panels[start + k * width + i] = matrix[k * columns + first + i];
}

/** Copies the elements above the diagonal to below it. */
function mirror(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i += 1)
    for (let j = 0; j < i; j += 1) matrix[i * size + j] = matrix[j * size + i];
}

type MultiplyTile = (
  left: Float64Array,
  panel: number,
  right: Float64Array,
  length: number,
  target: Float64Array,
  at: number,
  columns: number,
) => void;

const multiplyTile: MultiplyTile = (left, panel, right, length, target, at, columns) => {
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  for (let k = 0, i = panel, j = 0; k < length; k += 1, i += tileRows, j += tileColumns) {
    const l0 = left[i];
    const l1 = left[i + 1];
    const l2 = left[i + 2];
    const r0 = right[j];
    const r1 = right[j + 1];
    s00 += l0 * r0;
    s01 += l0 * r1;
    s10 += l1 * r0;
    s11 += l1 * r1;
    s20 += l2 * r0;
    s21 += l2 * r1;
  }
  target[at] = s00;
  target[at + 1] = s01;
  target[at + columns] = s10;
  target[at + columns + 1] = s11;
  target[at + 2 * columns] = s20;
  target[at + 2 * columns + 1] = s21;
};

const multiplyTileRounded: MultiplyTile = (left, panel, right, length, target, at, columns) => {
  const { fround } = Math;
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  for (let k = 0, i = panel, j = 0; k < length; k += 1, i += tileRows, j += tileColumns) {
    const l0 = left[i];
    const l1 = left[i + 1];
    const l2 = left[i + 2];
    const r0 = right[j];
    const r1 = right[j + 1];
    s00 = fround(s00 + fround(l0 * r0));
    s01 = fround(s01 + fround(l0 * r1));
    s10 = fround(s10 + fround(l1 * r0));
    s11 = fround(s11 + fround(l1 * r1));
    s20 = fround(s20 + fround(l2 * r0));
    s21 = fround(s21 + fround(l2 * r1));
  }
  target[at] = s00;
  target[at + 1] = s01;
  target[at + columns] = s10;
  target[at + columns + 1] = s11;
  target[at + 2 * columns] = s20;
  target[at + 2 * columns + 1] = s21;
};
