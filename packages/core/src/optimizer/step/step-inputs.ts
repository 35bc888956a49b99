import type { Tensor, Update, Values } from "../../backend/backend.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { didYouMean } from "../../did-you-mean.js";
import { GradstepError, list, show } from "../../errors.js";
import { clearValues } from "../../packing/row-values.js";
import { ownTensor } from "../parameters/parameter-record.js";
import { checkGradient, type Gradients } from "./gradients.js";
import { resized } from "../rows/row-checks.js";
import { checkSparseGradient, isSparseGradient } from "../sparse/sparse-gradient.js";
import { checkRowStepMask, divideUpdate, indicesOnDevice } from "../sparse/row-step-updates.js";
import { SparseInputs } from "../sparse/sparse-inputs.js";
import { StepMasks } from "./step-masks.js";
import type { StepOptions } from "./step-options.js";

/** The gradients and masks of a step. Everything is checked before an update changes. */
export class StepInputs {
  /** The updates of the current step, in the order of the records. Only the first ones are valid. */
  readonly updates: Update[];
  readonly #records: readonly ParameterRecord[];
  readonly #byName: ReadonlyMap<string, ParameterRecord>;
  /** The records of these updates. */
  readonly taken: ParameterRecord[] = [];
  /** The records whose gradients are typed arrays, and those arrays; the first `#arrayCount` are valid. */
  readonly #unstaged: ParameterRecord[] = [];
  readonly #arrays: Values[] = [];
  #arrayCount = 0;
  /** Whether gradients are cleared when they were read. */
  #clears = false;
  /** Tensors that the host clears when the step was taken; the first `#clearedCount` are valid. */
  readonly #cleared: Tensor[] = [];
  #clearedCount = 0;
  readonly #sparse = new SparseInputs();
  /** The records whose rows count their own steps. */
  readonly #countingRows: ParameterRecord[] = [];
  readonly #masks: StepMasks;
  /** Number of updates of the last step if it can be repeated, otherwise 0. */
  #repeatable = 0;
  /** Names and gradients of the last step, noted at the first repetition: the next one compares only these. */
  readonly #names: string[] = [];
  readonly #gradients: Tensor[] = [];
  #isNoted = false;

  readonly #runs: readonly KernelRun[];

  /**
   * @param records may grow later, as may `byName`
   * @param runs where the updates of a step are placed
   */
  constructor(
    records: readonly ParameterRecord[],
    byName: ReadonlyMap<string, ParameterRecord>,
    runs: readonly KernelRun[],
  ) {
    this.#records = records;
    this.#byName = byName;
    this.#runs = runs;
    this.updates = runs.length === 1 ? runs[0].updates : [];
    this.#masks = new StepMasks(records, byName, this.taken, this.#sparse);
  }

  /**
   * Takes the inputs of the step with this number; returns the number of its updates. Gradients that are typed arrays
   * become part of their updates in `stage`.
   *
   * @throws {GradstepError} as `optimizer.step` does
   */
  take(gradients: Gradients, options: StepOptions | undefined, iteration: number): number {
    checkIsTable(gradients);
    this.forget();
    this.#clearedCount = 0;
    let count = this.#takeInOrder(gradients, iteration);
    if (count < 0) count = this.#takeByName(gradients, iteration);
    if (count === 0) this.#checkIsSkipped(gradients, iteration);
    if (options !== undefined || this.#masks.isUsed) this.#masks.place(count, options);
    if (options?.clear === true || this.#clears) this.#markClears(count, options?.clear === true);
    this.#takeRowSteps(count);
    this.#distribute(count);
    return count;
  }

  /**
   * Lets the host clear the tensors in `clear`, because no kernel of the step reads them, or only one of arithmetic.
   * @param isStaged whether typed arrays have been put into their updates
   */
  clearOnHost(count: number, isStaged: boolean): void {
    this.#clearedCount = 0;
    if (!this.#clears) return;
    const arrays = isStaged ? 0 : this.#arrayCount;
    for (let i = 0; i < arrays; i += 1) this.#unstaged[i].update.clearsGradient = false;
    for (let i = 0; i < count; i += 1) {
      const update = this.updates[i];
      if (!update.clearsGradient) continue;
      update.clearsGradient = false;
      this.#cleared[this.#clearedCount] = update.gradient;
      this.#clearedCount += 1;
    }
  }

  /** Notes whether kernels clear the gradients. @throws {GradstepError} `UNSUPPORTED` */
  #markClears(count: number, clears: boolean): void {
    if (clears) this.#checkClears(count);
    for (const { update } of this.#records) update.clearsGradient = false;
    for (let i = 0; i < count; i += 1) this.updates[i].clearsGradient = clears;
    this.#clears = clears;
  }

  #checkClears(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const { name, update } = this.taken[i];
      if (this.#sparse.has(this.taken[i])) {
        throw new GradstepError(
          `Got clear for a step with a sparse gradient of "${name}"; expected dense gradients. Clear its values when you write the next.`,
          { code: "UNSUPPORTED" },
        );
      }
      const { backend } = update.parameter;
      if (
        backend.takesLayouts !== true &&
        !this.#unstaged.slice(0, this.#arrayCount).includes(this.taken[i])
      ) {
        throw new GradstepError(
          `Backend ${backend.name} does not clear gradients; expected a step without clear. Write zeros to them.`,
          { code: "UNSUPPORTED" },
        );
      }
    }
  }

  /** Notes whose rows count their own steps. @throws {GradstepError} `UNSUPPORTED` for masks that rule this out */
  #takeRowSteps(count: number): void {
    if (this.#countingRows.length > 0) this.#countingRows.length = 0;
    for (let i = 0; i < count; i += 1) {
      const record = this.taken[i];
      if (record.rowSteps === undefined) continue;
      checkRowStepMask(record.name, record.update);
      if (this.#sparse.hasIndexTensor(record)) throw indicesOnDevice(record.name);
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

  /**
   * Checks gradients as `take` does, and takes nothing.
   * @param needed the parameter that must have one
   * @throws {GradstepError} as `optimizer.step` does
   */
  check(gradients: Gradients, needed: string): void {
    checkIsTable(gradients);
    if ((gradients[needed] ?? undefined) === undefined)
      throw new GradstepError(`Got no gradient for "${needed}"; expected one.`, {
        code: "INVALID_GRADIENT",
      });
    for (const [name, gradient] of Object.entries(gradients)) {
      const record = this.#byName.get(name);
      if (record === undefined) throw unknownParameters([name], [...this.#byName.keys()]);
      if (gradient === undefined || gradient === null) continue;
      if (isSparseGradient(gradient)) checkSparseGradient(name, gradient, record.update.parameter);
      else checkGradient(name, gradient, record.update.parameter);
    }
  }

  /** To be called when a kernel has run the first `count` updates. After a run that throws, the step is not repeated. */
  markRun(count: number): void {
    const isPlain = this.#sparse.count === 0 && this.#countingRows.length === 0;
    if (this.#arrayCount === 0 && isPlain && !this.#masks.isUsed) this.#repeatable = count;
  }

  /** To be called when the last step cannot be repeated, because updates were replaced or removed. */
  forget(): void {
    this.#repeatable = 0;
    this.#isNoted = false;
  }

  /** Whether the gradients are the tensors of the last run, under the same names and in the order of the parameters. */
  isRepeat(gradients: Gradients): boolean {
    const names = this.#names;
    const tensors = this.#gradients;
    const isNoted = this.#isNoted;
    let count = 0;
    for (const name in gradients) {
      if (count === this.#repeatable) return false;
      if (!isNoted) {
        names[count] = this.taken[count].name;
        tensors[count] = this.updates[count].gradient;
      }
      if (names[count] !== name || tensors[count] !== gradients[name]) return false;
      count += 1;
    }
    if (count === 0 || count < this.#repeatable) return false;
    this.#isNoted = true;
    return true;
  }

  /** Whether a record has a sparse gradient that selects the rows to be updated. */
  readonly isLazy = (record: ParameterRecord): boolean => this.#sparse.isLazy(record);

  /**
   * Puts the typed arrays and sparse gradients into their updates.
   * @param staged returns the tensor through which an array enters
   * @param isAccumulated whether the gradients are only added to others
   */
  stage(staged: (record: ParameterRecord, values: Values) => Tensor, isAccumulated: boolean): void {
    if (this.#arrayCount === 0) {
      this.#sparse.stage(staged, isAccumulated);
      return;
    }
    const { buffer } = ownTensor(this.#unstaged[0].update).memory;
    const count = this.#arrayCount;
    // Arrays in the backend's memory come first: staging the others may make it grow, which detaches them.
    let inside = 0;
    for (let i = 0; i < count; i += 1) {
      if (this.#arrays[i].buffer !== buffer) continue;
      this.#stageOne(i, staged);
      inside += 1;
    }
    this.#sparse.stage(staged, isAccumulated);
    for (let i = 0; i < count; i += 1)
      if (inside === 0 || this.#arrays[i].buffer !== buffer) this.#stageOne(i, staged);
  }

  /** Divides the updates of parameters whose rows count their own steps, after `stage`. */
  divideByRowSteps(): void {
    for (let i = 0; i < this.#countingRows.length; i += 1) divideUpdate(this.#countingRows[i]);
  }

  /** Clears the gradients that no kernel clears, when they have been read. */
  clear(): void {
    if (!this.#clears) return;
    for (let i = 0; i < this.#arrayCount; i += 1) this.#arrays[i].fill(0);
    for (let i = 0; i < this.#clearedCount; i += 1) clearValues(this.#cleared[i]);
  }

  /** To be called when the step was taken, or left out. */
  commit(): void {
    this.clear();
    for (let i = 0; i < this.#countingRows.length; i += 1) this.#countingRows[i].rowSteps!.commit();
  }

  #stageOne(index: number, staged: (record: ParameterRecord, values: Values) => Tensor): void {
    const record = this.#unstaged[index];
    record.update.gradient = staged(record, this.#arrays[index]);
    // The array itself is cleared, which may not be what the kernel reads.
    record.update.clearsGradient = false;
  }

  /** For gradients in the order of the parameters, whose properties are found ten times as fast; otherwise −1. */
  #takeInOrder(gradients: Gradients, iteration: number): number {
    const records = this.#records;
    let count = 0;
    let next = 0;
    this.#arrayCount = 0;
    this.#sparse.clear();
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
    this.#arrayCount = 0;
    this.#sparse.clear();
    for (let i = 0; i < this.#records.length; i += 1) {
      const record = this.#records[i];
      const { name } = record;
      if (this.#takeOne(record, gradients[name], count, iteration)) count += 1;
      if (name in gradients) known += 1;
    }
    let given = 0;
    for (const _ in gradients) given += 1;
    if (given !== known) {
      const unknown = Object.keys(gradients).filter((name) => !this.#byName.has(name));
      // What has properties, but none of its own, is no object with gradients: a GPUBuffer, for example.
      if (unknown.length === 0) throw notATable(gradients);
      throw unknownParameters(unknown, [...this.#byName.keys()]);
    }
    return count;
  }

  /** Checks a gradient and puts its update at this index. False without a gradient, and if the group skips the step. */
  #takeOne(
    record: ParameterRecord,
    gradient: Gradients[string],
    index: number,
    iteration: number,
  ): boolean {
    if (gradient === undefined || gradient === null || !record.group.isDue(iteration)) return false;
    const { name, update } = record;
    if (update.parameter.size !== record.size) throw resized(record);
    const isSparse = isSparseGradient(gradient);
    if (isSparse) checkSparseGradient(name, gradient, update.parameter);
    else checkGradient(name, gradient, update.parameter);
    this.taken[index] = record;
    this.updates[index] = update;
    if (isSparse) this.#sparse.add(record, gradient);
    else if (ArrayBuffer.isView(gradient)) {
      this.#unstaged[this.#arrayCount] = record;
      this.#arrays[this.#arrayCount] = gradient;
      this.#arrayCount += 1;
    } else update.gradient = gradient;
    return true;
  }

  /** A step without updates is a mistake, unless groups skip it. @throws {GradstepError} `INVALID_GRADIENT` */
  #checkIsSkipped(gradients: Gradients, iteration: number): void {
    const isGiven = ({ name }: ParameterRecord): boolean =>
      (gradients[name] ?? undefined) !== undefined;
    const isSkipped = ({ group }: ParameterRecord): boolean => !group.isDue(iteration);
    const records = this.#records;
    if (records.some(isGiven) || (records.length > 0 && records.every(isSkipped))) return;
    throw new GradstepError(
      records.length === 0
        ? "The optimizer has no parameters yet; add some with optimizer.add()."
        : `Got no gradient; expected one for at least one of ${list(this.#byName.keys())}.`,
      { code: "INVALID_GRADIENT" },
    );
  }
}

/** @throws {GradstepError} `INVALID_GRADIENT` */
function checkIsTable(gradients: Gradients): void {
  if (gradients === null || typeof gradients !== "object") throw notATable(gradients);
}

function notATable(gradients: unknown): GradstepError {
  return new GradstepError(
    `Got ${show(gradients)} as gradients; expected arrays or tensors by parameter name.`,
    { code: "INVALID_GRADIENT" },
  );
}

function unknownParameters(unknown: readonly string[], known: readonly string[]): GradstepError {
  return new GradstepError(
    `Got a gradient for ${list(unknown)}; the optimizer has ${list(known)}. Add parameters with optimizer.add().${didYouMean(unknown[0], known)}`,
    { code: "UNKNOWN_PARAMETER" },
  );
}
