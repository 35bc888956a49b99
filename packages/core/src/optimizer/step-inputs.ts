import type { RowValues, Tensor, Update, Values } from "../backend/backend.js";
import type { ParameterRecord } from "./parameter-record.js";
import { GradstepError, list, show } from "../errors.js";
import { checkGradient, type Gradients } from "./gradients.js";
import { checkHasRows, checkRowValues, isRowValues, resized, rowCount } from "./row-values.js";
import { checkStepOptions, type StepOptions } from "./step-options.js";

/** What a step is given, gradients and masks: all is checked before anything is handed to an update. */
export class StepInputs {
  /** The updates of the present step, in front, in the order of the entries. */
  readonly updates: Update[] = [];
  readonly #entries: readonly ParameterRecord[];
  readonly #byName: ReadonlyMap<string, ParameterRecord>;
  /** The entries of the present step, in front. */
  readonly #taken: ParameterRecord[] = [];
  /** Those of them whose gradients are typed arrays, and those arrays, in front. */
  readonly #unstaged: ParameterRecord[] = [];
  readonly #arrays: Values[] = [];
  #arrayCount = 0;
  /** Whether an update has a mask. */
  #isMasked = false;
  /** How many updates the last step had, if it was run and can be repeated; otherwise 0. */
  #repeatable = 0;
  /** Names and gradients of the last step, once it was repeated: all that the next repetition looks at. */
  readonly #names: string[] = [];
  readonly #gradients: Tensor[] = [];
  #isNoted = false;

  /** @param entries and their names; there may come more. */
  constructor(entries: readonly ParameterRecord[], byName: ReadonlyMap<string, ParameterRecord>) {
    this.#entries = entries;
    this.#byName = byName;
  }

  /**
   * Takes what a step of this number is given; returns the number of its updates. Gradients that are typed arrays are
   * not in their updates before `stage`.
   *
   * @throws {GradstepError} as `optimizer.step` does
   */
  take(gradients: Gradients, options: StepOptions | undefined, iteration: number): number {
    if (gradients === null || typeof gradients !== "object") {
      throw new GradstepError(
        `Got ${show(gradients)} as gradients; expected arrays or tensors by parameter name.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    this.forget();
    let count = this.#takeInOrder(gradients, iteration);
    if (count < 0) count = this.#takeByName(gradients, iteration);
    if (count === 0) this.#checkResting(gradients, iteration);
    if (options !== undefined || this.#isMasked) this.#mask(count, options);
    return count;
  }

  /** Says that a kernel has run what was taken, these first updates. A run that throws is not one to be repeated. */
  ran(count: number): void {
    if (this.#arrayCount === 0 && !this.#isMasked) this.#repeatable = count;
  }

  /** Says that the last step is not one to be repeated: there are other updates, or none. */
  forget(): void {
    this.#repeatable = 0;
    this.#isNoted = false;
  }

  /** Whether gradients are the tensors of the last run, by the same names in the order of the parameters. */
  isRepeat(gradients: Gradients): boolean {
    const names = this.#names;
    const tensors = this.#gradients;
    const isNoted = this.#isNoted;
    let count = 0;
    for (const name in gradients) {
      if (count === this.#repeatable) return false;
      if (!isNoted) {
        names[count] = this.#taken[count].name;
        tensors[count] = this.updates[count].gradient;
      }
      if (names[count] !== name || tensors[count] !== gradients[name]) return false;
      count += 1;
    }
    if (count === 0 || count < this.#repeatable) return false;
    this.#isNoted = true;
    return true;
  }

  /** Hands the typed arrays over, through what gives a tensor for one. */
  stage(staged: (entry: ParameterRecord, values: Values) => Tensor): void {
    if (this.#arrayCount === 0) return;
    const { buffer } = this.#unstaged[0].update.parameter.memory;
    const count = this.#arrayCount;
    // Those in the backend's own memory first: room for the others may make it grow, which detaches them.
    let inside = 0;
    for (let i = 0; i < count; i += 1) {
      if (this.#arrays[i].buffer !== buffer) continue;
      this.#stageOne(i, staged);
      inside += 1;
    }
    for (let i = 0; i < count; i += 1)
      if (inside === 0 || this.#arrays[i].buffer !== buffer) this.#stageOne(i, staged);
  }

  #stageOne(place: number, staged: (entry: ParameterRecord, values: Values) => Tensor): void {
    const entry = this.#unstaged[place];
    entry.update.gradient = staged(entry, this.#arrays[place]);
  }

  /** As most gradients come, in the order of the parameters: a property is found ten times as fast. −1 for any other. */
  #takeInOrder(gradients: Gradients, iteration: number): number {
    const entries = this.#entries;
    let count = 0;
    let next = 0;
    this.#arrayCount = 0;
    for (const name in gradients) {
      while (next < entries.length && entries[next].name !== name) next += 1;
      if (next === entries.length) return -1;
      if (this.#takeOne(entries[next], gradients[name], count, iteration)) count += 1;
      next += 1;
    }
    return count;
  }

  #takeByName(gradients: Gradients, iteration: number): number {
    let count = 0;
    let known = 0;
    this.#arrayCount = 0;
    for (let i = 0; i < this.#entries.length; i += 1) {
      const entry = this.#entries[i];
      const { name } = entry;
      if (this.#takeOne(entry, gradients[name], count, iteration)) count += 1;
      if (name in gradients) known += 1;
    }
    let given = 0;
    for (const _ in gradients) given += 1;
    if (given !== known) {
      const unknown = Object.keys(gradients).filter((name) => !this.#byName.has(name));
      throw new GradstepError(
        `Got a gradient for ${list(unknown)}; the optimizer has ${list(this.#byName.keys())}. Add parameters with optimizer.add().`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    return count;
  }

  /** Checks a gradient and puts its update in this place. False where there is none, or it is not the group's turn. */
  #takeOne(
    entry: ParameterRecord,
    gradient: Gradients[string],
    place: number,
    iteration: number,
  ): boolean {
    if (gradient === undefined || gradient === null || !entry.group.isDue(iteration)) return false;
    const { name, update } = entry;
    if (update.parameter.size !== entry.size) throw resized(entry);
    checkGradient(name, gradient, update.parameter);
    this.#taken[place] = entry;
    this.updates[place] = update;
    if (ArrayBuffer.isView(gradient)) {
      this.#unstaged[this.#arrayCount] = entry;
      this.#arrays[this.#arrayCount] = gradient;
      this.#arrayCount += 1;
    } else update.gradient = gradient;
    return true;
  }

  /** A step without a gradient is a mistake, unless it is no group's turn, or of none that has one. */
  #checkResting(gradients: Gradients, iteration: number): void {
    const isGiven = ({ name }: ParameterRecord): boolean =>
      (gradients[name] ?? undefined) !== undefined;
    const isResting = ({ group }: ParameterRecord): boolean => !group.isDue(iteration);
    const entries = this.#entries;
    if (entries.some(isGiven) || (entries.length > 0 && entries.every(isResting))) return;
    throw new GradstepError(
      `Got no gradient for any of ${list(this.#byName.keys())}; expected at least one.`,
      { code: "INVALID_GRADIENT" },
    );
  }

  #mask(count: number, options: StepOptions = {}): void {
    checkStepOptions(options);
    const { rows, unselectedRows = "keep" } = options;
    if (rows !== undefined) this.#checkMasks(rows, count);
    const named = rows === undefined || isRowValues(rows) ? undefined : rows;
    for (let i = 0; i < this.#entries.length; i += 1) this.#entries[i].update.mask = undefined;
    for (let i = 0; i < count; i += 1) {
      const { name, update } = this.#taken[i];
      const mask = named === undefined ? (rows as RowValues | undefined) : named[name];
      update.mask = outside(mask, update.parameter);
      update.unselectedRows = unselectedRows;
    }
    this.#isMasked = rows !== undefined;
  }

  #checkMasks(rows: RowValues | Readonly<Record<string, RowValues>>, count: number): void {
    const unknown = isRowValues(rows)
      ? []
      : Object.keys(rows).filter((name) => !this.#byName.has(name));
    if (unknown.length > 0) {
      throw new GradstepError(
        `Got a mask for ${list(unknown)}; the optimizer has ${list(this.#byName.keys())}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    for (let i = 0; i < count; i += 1) {
      const { name, update } = this.#taken[i];
      const mask = isRowValues(rows) ? rows : rows[name];
      if (mask === undefined) continue;
      const { backend } = update.parameter;
      checkHasRows(backend);
      checkRowValues(`The mask of "${name}"`, mask, rowCount(name, update.parameter), backend);
    }
  }
}

/**
 * Checks that a step can be encoded: what an array holds when the work is done is nobody's promise.
 * @throws {GradstepError} `INVALID_GRADIENT`, `INVALID_MEMORY`
 */
export function checkEncodable(gradients: Gradients, options: StepOptions | undefined): void {
  for (const [name, gradient] of Object.entries(gradients ?? {})) {
    if (ArrayBuffer.isView(gradient))
      throw new GradstepError(
        `Gradient "${name}" is ${show(gradient)}; expected a tensor, since arrays are not read when the work is done. Write it to optimizer.gradient("${name}").`,
        { code: "INVALID_GRADIENT" },
      );
  }
  const masks = options?.rows ?? {};
  for (const mask of isRowValues(masks) ? [masks] : Object.values(masks)) {
    if (ArrayBuffer.isView(mask))
      throw new GradstepError(
        `A mask is ${show(mask)}; expected a tensor, since arrays are not read when the work is done. Wrap a buffer as u32.`,
        { code: "INVALID_MEMORY" },
      );
  }
}

/** The mask, or a copy of one in the parameter's own memory: room for gradients may make that grow and detach it. */
function outside(mask: RowValues | undefined, { memory }: Tensor): RowValues | undefined {
  return ArrayBuffer.isView(mask) && mask.buffer === memory.buffer ? mask.slice() : mask;
}
