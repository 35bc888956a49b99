import type { RowList, Update } from "../backend/backend.js";

/** Goes through the rows that an update changes, some at a time. */
export class UpdatedRows {
  /** The rows of the parameter; the first `count` are valid. */
  rows = new Uint32Array(0);
  /** For each of them, the row of the gradient. */
  gradientRows = new Uint32Array(0);
  count = 0;
  #rowCount = 0;
  #mask: Uint32Array | undefined;
  #list: RowList | undefined;
  #selects = true;
  #next = 0;

  /**
   * @param mask that of the update, as an array
   * @param selects whether to go through the rows that are selected, or through the others
   */
  begin(update: Update, mask: Uint32Array | undefined, selects: boolean): void {
    this.#rowCount = update.parameter.shape[0] ?? 1;
    this.#mask = mask;
    this.#list = update.rows as RowList | undefined;
    this.#selects = selects;
    this.#next = this.#list?.start ?? 0;
  }

  /** Finds the next rows, `most` at most. Returns false if there are no more. */
  next(most: number): boolean {
    if (this.rows.length < most) {
      this.rows = new Uint32Array(most);
      this.gradientRows = new Uint32Array(most);
    }
    this.count = 0;
    if (this.#list !== undefined) this.#takeListed(this.#list, most);
    else this.#takeMasked(most);
    return this.count > 0;
  }

  #takeListed({ indices, gradientRows, end }: RowList, most: number): void {
    const start = this.#next;
    const stop = Math.min(end, start + most);
    for (let i = start; i < stop; i += 1) {
      this.rows[i - start] = indices[i];
      this.gradientRows[i - start] = gradientRows[i];
    }
    this.count = stop - start;
    this.#next = stop;
  }

  #takeMasked(most: number): void {
    const { rows, gradientRows } = this;
    const mask = this.#mask;
    let row = this.#next;
    let count = 0;
    for (; row < this.#rowCount && count < most; row += 1) {
      if (mask !== undefined && (mask[row] !== 0) !== this.#selects) continue;
      rows[count] = row;
      gradientRows[count] = row;
      count += 1;
    }
    this.count = count;
    this.#next = row;
  }
}
