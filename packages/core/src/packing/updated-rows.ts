import type { RowList, Update } from "../backend/backend.js";

/** Goes through the rows that an update changes, some at a time. */
export class UpdatedRows {
  /** The rows of the parameter; the first `count` are valid. */
  rows = new Uint32Array(0);
  /** For each of them, the row of the gradient. */
  gradientRows = new Uint32Array(0);
  count = 0;
  /** Whether they are selected; the others are updated by a gradient of 0. */
  areSelected = true;
  /** Whether their parameters change. */
  storeParameters = true;
  #rowCount = 0;
  #mask: Uint32Array | undefined;
  #list: RowList | undefined;
  #next = 0;

  /** Begins with the rows that are selected. @param mask that of the update, as an array */
  beginSelected(update: Update, mask: Uint32Array | undefined): void {
    this.areSelected = true;
    this.storeParameters = true;
    this.#rowCount = update.parameter.shape[0] ?? 1;
    this.#mask = mask;
    this.#list = update.rows as RowList | undefined;
    this.#next = this.#list?.start ?? 0;
  }

  /** Then begins with the rows that are not. Returns false if these stay as they are. */
  beginUnselected({ unselectedRows }: Update): boolean {
    this.areSelected = false;
    this.storeParameters = unselectedRows === "zero";
    this.#next = this.#list?.start ?? 0;
    return this.#mask !== undefined && unselectedRows !== "keep";
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
      if (mask !== undefined && (mask[row] !== 0) !== this.areSelected) continue;
      rows[count] = row;
      gradientRows[count] = row;
      count += 1;
    }
    this.count = count;
    this.#next = row;
  }
}
