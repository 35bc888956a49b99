import type { Update } from "../../backend/backend.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterRecord, Staging } from "../parameters/parameter-record.js";
import { resized } from "../rows/row-checks.js";
import { checkRowStepMask, divideUpdate, indicesOnDevice } from "../sparse/row-step-updates.js";
import { checkSparseGradient, isSparseGradient } from "../sparse/sparse-gradient.js";
import type { StepWindow } from "../guarded/row-scalar-sets.js";
import { SparseInputs, type GradientReader } from "../sparse/sparse-inputs.js";
import { ArrayInputs } from "./array-inputs.js";
import { GradientClearing } from "./gradient-clearing.js";
import { checkIsSkipped, checkIsTable, unknownNames } from "./gradient-table-checks.js";
import { checkGradient, type Gradients } from "./gradients.js";
import { StepMasks } from "./step-masks.js";
import type { StepOptions } from "./step-options.js";
import { StepRepetition } from "./step-repetition.js";

const noSteps: readonly number[] = [];

/** The gradients and masks of a step. Everything is checked before an update changes. */
export class StepInputs {
  /** The updates of the current step, in the order of the records. Only the first ones are valid. */
  readonly updates: Update[];
  /** The records of these updates. */
  readonly taken: ParameterRecord[] = [];
  readonly repetition: StepRepetition;
  readonly #records: readonly ParameterRecord[];
  readonly #byName: ReadonlyMap<string, ParameterRecord>;
  readonly #runs: readonly KernelRun[];
  readonly #arrays = new ArrayInputs();
  readonly #sparse = new SparseInputs();
  readonly #masks: StepMasks;
  readonly #clearing: GradientClearing;
  #others = noSteps;
  /** The records whose rows count their own steps. */
  readonly #countingRows: ParameterRecord[] = [];
  /** Those whose updates were divided in this step. */
  readonly #divided: ParameterRecord[] = [];

  /**
   * @param records may grow later, as may `byName`
   * @param runs where the updates of a step are placed
   */
  constructor(
    records: readonly ParameterRecord[],
    byName: ReadonlyMap<string, ParameterRecord>,
    runs: readonly KernelRun[],
  ) {
    const { taken } = this;
    const arrays = this.#arrays;
    const sparse = this.#sparse;
    this.#records = records;
    this.#byName = byName;
    this.#runs = runs;
    this.updates = runs.length === 1 ? runs[0].updates : [];
    this.repetition = new StepRepetition(taken, this.updates);
    this.#masks = new StepMasks(records, byName, taken, sparse);
    this.#clearing = new GradientClearing({
      records,
      taken,
      updates: this.updates,
      arrays,
      sparse,
    });
  }

  /**
   * Takes the inputs of the step with this number; returns the number of its updates. Gradients that are typed arrays
   * become part of their updates in `stage`.
   *
   * @param others other steps that it may turn out to be: a group takes part if it does in any of them
   * @throws {GradstepError} as `optimizer.step` does
   */
  take(
    gradients: Gradients,
    options: StepOptions | undefined,
    iteration: number,
    others: readonly number[] = noSteps,
  ): number {
    checkIsTable(gradients);
    this.#others = others;
    this.repetition.forget();
    let count = this.#takeInOrder(gradients, iteration);
    if (count < 0) count = this.#takeByName(gradients, iteration);
    if (count === 0) checkIsSkipped(gradients, this.#records, iteration);
    if (options !== undefined || this.#masks.isUsed) this.#masks.place(count, options);
    this.#clearing.mark(count, options?.clear === true);
    this.#takeRows(count);
    this.#distribute(count);
    return count;
  }

  /** Lets the host clear the first `count` gradients, because no kernel of the step reads them, or only one of arithmetic. */
  clearOnHost(count: number): void {
    this.#clearing.moveToHost(count);
  }

  /** Whether a record has a sparse gradient that selects the rows to be updated. */
  readonly isLazy = (record: ParameterRecord): boolean => this.#sparse.isLazy(record);

  /** Puts the typed arrays and sparse gradients into their updates. */
  stage(staging: Staging, reader: GradientReader): void {
    this.#arrays.stageInside(staging);
    this.#sparse.stage(staging, reader);
    this.#arrays.stageOutside(staging);
  }

  /** Selects the rows of the first `count` updates that sparse gradients selected when their accumulators took them. */
  selectAccumulated(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const { update, accumulator } = this.taken[i];
      if (accumulator!.rows !== undefined) this.#masks.select(update, accumulator!.rows);
    }
  }

  /** To be called before the inputs of a call are taken, for each step that it may make. */
  begin(): void {
    this.#divided.length = 0;
  }

  /** Divides the updates of parameters whose rows count their own steps, after `stage`. @param window as in `divideUpdate` */
  divideByRowSteps(window?: StepWindow): void {
    for (let i = 0; i < this.#countingRows.length; i += 1) {
      divideUpdate(this.#countingRows[i], window);
      this.#divided.push(this.#countingRows[i]);
    }
  }

  /** To be called when a kernel has run the first `count` updates: the next step can repeat them if they are plain tensors. */
  markRun(count: number): void {
    const isPlain = this.#sparse.count === 0 && this.#countingRows.length === 0;
    const hasOptions = this.#masks.isUsed || this.#clearing.isUsed;
    if (this.#arrays.count === 0 && isPlain && !hasOptions) this.repetition.allow(count);
  }

  /** Clears the gradients that no kernel clears, when they have been read. */
  clear(): void {
    this.#clearing.clearOnHost();
  }

  /** To be called when the step was taken, or left out. */
  commit(): void {
    this.clear();
    for (let i = 0; i < this.#divided.length; i += 1) this.#divided[i].rowSteps!.commit();
  }

  /** For gradients in the order of the parameters, whose properties are found ten times as fast; otherwise −1. */
  #takeInOrder(gradients: Gradients, iteration: number): number {
    const records = this.#records;
    let count = 0;
    let next = 0;
    this.#arrays.begin();
    this.#sparse.begin();
    for (const name in gradients) {
      while (next < records.length && records[next].name !== name) next += 1;
      if (next === records.length) return -1;
      if (this.#takeOne(records[next], gradients[name], count, iteration)) count += 1;
      next += 1;
    }
    return count;
  }

  #takeByName(gradients: Gradients, iteration: number): number {
    let count = 0;
    let known = 0;
    this.#arrays.begin();
    this.#sparse.begin();
    for (let i = 0; i < this.#records.length; i += 1) {
      const record = this.#records[i];
      const { name } = record;
      if (this.#takeOne(record, gradients[name], count, iteration)) count += 1;
      if (name in gradients) known += 1;
    }
    let given = 0;
    for (const _ in gradients) given += 1;
    if (given !== known) throw unknownNames(gradients, this.#byName);
    return count;
  }

  /** Checks a gradient and puts its update at this index. False without a gradient, and if the group skips the step. */
  #takeOne(
    record: ParameterRecord,
    gradient: Gradients[string],
    index: number,
    iteration: number,
  ): boolean {
    if (gradient === undefined || gradient === null) return false;
    const { name, update, group } = record;
    if (!group.isDue(iteration) && !this.#others.some((t) => group.isDue(t))) return false;
    if (update.parameter.size !== record.size) throw resized(record);
    const isSparse = isSparseGradient(gradient);
    if (isSparse) checkSparseGradient(name, gradient, update.parameter);
    else checkGradient(name, gradient, update.parameter);
    this.taken[index] = record;
    this.updates[index] = update;
    if (isSparse) this.#sparse.add(record, gradient);
    else if (ArrayBuffer.isView(gradient)) this.#arrays.add(record, gradient);
    else update.gradient = gradient;
    return true;
  }

  /**
   * Notes whose rows count their own steps.
   * @throws {GradstepError} `UNSUPPORTED` for masks that rule this out; what a kernel would throw in the step
   */
  #takeRows(count: number): void {
    if (this.#countingRows.length > 0) this.#countingRows.length = 0;
    for (let i = 0; i < count; i += 1) {
      const record = this.taken[i];
      const { run, update, rowSteps, name } = record;
      const selectsRows = update.mask !== undefined || this.isLazy(record);
      // If one of several kernels refuses its updates, or the one of a sum, nothing has run or been added.
      if (selectsRows || this.#runs.length > 1) run.kernel!.check?.(update, selectsRows);
      if (rowSteps === undefined) continue;
      checkRowStepMask(name, update);
      if (this.#sparse.hasIndexTensor(record)) throw indicesOnDevice(name);
      this.#countingRows.push(record);
    }
  }

  /** Places the updates in the runs of their rules. */
  #distribute(count: number): void {
    const runs = this.#runs;
    if (runs.length === 1) {
      runs[0].count = count;
      return;
    }
    for (let i = 0; i < runs.length; i += 1) runs[i].count = 0;
    for (let i = 0; i < count; i += 1) {
      const { run } = this.taken[i];
      run.updates[run.count] = this.updates[i];
      run.count += 1;
    }
  }
}
