import type { RowValues, Tensor, Update } from "../../backend/backend.js";
import { GradstepError } from "../../errors.js";
import { ownTensor, type ParameterRecord } from "../parameters/parameter-record.js";
import { checkRowValues } from "../../backend/row-value-checks.js";
import { checkHasRows, isRowValues, rowCount } from "../rows/row-checks.js";
import type { SparseInputs } from "../sparse/sparse-inputs.js";
import { unknownParameters } from "./gradient-table-checks.js";
import { checkStepOptions, type StepOptions } from "./step-options.js";

/** The masks of a step. */
export class StepMasks {
  readonly #records: readonly ParameterRecord[];
  readonly #byName: ReadonlyMap<string, ParameterRecord>;
  readonly #taken: readonly ParameterRecord[];
  readonly #sparse: SparseInputs;
  #isUsed = false;

  /**
   * @param records all of the optimizer
   * @param taken those with a gradient in the current step
   */
  constructor(
    records: readonly ParameterRecord[],
    byName: ReadonlyMap<string, ParameterRecord>,
    taken: readonly ParameterRecord[],
    sparse: SparseInputs,
  ) {
    this.#records = records;
    this.#byName = byName;
    this.#taken = taken;
    this.#sparse = sparse;
  }

  /** Whether the options of the last step had masks. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /**
   * Puts masks into the updates of the first `count` records that are taken, and removes those of the step before.
   * @throws {GradstepError} as `optimizer.step` does for its options; then no update has changed
   */
  place(count: number, options: StepOptions = {}): void {
    checkStepOptions(options);
    const { rows, unselectedRows = "keep" } = options;
    if (rows !== undefined) this.#check(rows, count);
    const named = rows === undefined || isRowValues(rows) ? undefined : rows;
    for (let i = 0; i < this.#records.length; i += 1) {
      const { update, rowLimit } = this.#records[i];
      update.mask = this.#sparse.isLazy(this.#records[i]) ? undefined : rowLimit?.mask;
      update.unselectedRows = "keep";
    }
    for (let i = 0; i < count; i += 1) {
      const { name, update } = this.#taken[i];
      const mask = named === undefined ? (rows as RowValues | undefined) : named[name];
      if (mask === undefined) continue;
      update.mask = safeMask(mask, ownTensor(update));
      update.unselectedRows = unselectedRows;
    }
    this.#isUsed = rows !== undefined;
  }

  /** Puts another mask into an update. */
  select(update: Update, mask: RowValues): void {
    update.mask = mask;
    update.unselectedRows = "keep";
    this.#isUsed = true;
  }

  #check(rows: RowValues | Readonly<Record<string, RowValues>>, count: number): void {
    const unknown = isRowValues(rows)
      ? []
      : Object.keys(rows).filter((name) => !this.#byName.has(name));
    if (unknown.length > 0) throw unknownParameters("mask", unknown, this.#byName.keys());
    for (let i = 0; i < count; i += 1) {
      const { name, update } = this.#taken[i];
      const mask = isRowValues(rows) ? rows : rows[name];
      if (mask === undefined) continue;
      if (this.#sparse.isLazy(this.#taken[i])) throw maskOfSparse(name);
      const { backend } = update.parameter;
      checkHasRows(backend);
      checkRowValues(`The mask of "${name}"`, mask, rowCount(name, update.parameter), backend);
    }
  }
}

function maskOfSparse(name: string): GradstepError {
  return new GradstepError(
    `Got a mask for "${name}", whose gradient is sparse and selects rows itself (sparse: "lazy"); leave "${name}" out of the masks: { rows: { … } }.`,
    { code: "INVALID_GRADIENT" },
  );
}

/** The mask; copied if it is in the backend's memory, which may grow for gradients and detach the mask. */
function safeMask(mask: RowValues | undefined, { memory }: Tensor): RowValues | undefined {
  return ArrayBuffer.isView(mask) && mask.buffer === memory.buffer ? mask.slice() : mask;
}
