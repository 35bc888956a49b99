import type { Backend, StepSignals, Tensor } from "../../backend/backend.js";
import { isRawMemory } from "../../backend/raw-memory.js";
import { isTensor } from "../../backend/is-tensor.js";
import { GradstepError, list } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import type { Group } from "../groups/group.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { unknownParameters } from "./gradient-table-checks.js";
import { checkScaleNumber, checkSignal, hostValueOf } from "./signal-checks.js";
import type { StepOptions, StepRate } from "./step-options.js";

type MutableSignals = { -readonly [K in keyof StepSignals]: StepSignals[K] };

const none = new Float64Array(0);

/**
 * The scale, the skip flag and the learning rates of a step. They go to the device if the kernels take them; elsewhere
 * the host reads them.
 */
export class SignalInputs {
  readonly #records: readonly ParameterRecord[];
  readonly #groups: readonly Group[];
  /** Per group, reused. */
  readonly #signals = new Map<Group, MutableSignals>();
  readonly #byName: ReadonlyMap<string, ParameterRecord>;
  /** The records that are part of the step, in the order of all; reused. */
  readonly #parts: ParameterRecord[] = [];
  /** The scale alone. */
  readonly #scale: MutableSignals = signalsOf(none);
  #isUsed = false;
  #skips = false;
  #factor = 1;
  #isSkipped = false;

  /** @param records all of the optimizer; they may grow later, as may `byName` */
  constructor(
    records: readonly ParameterRecord[],
    byName: ReadonlyMap<string, ParameterRecord>,
    groups: readonly Group[],
  ) {
    this.#records = records;
    this.#byName = byName;
    this.#groups = groups;
  }

  /** Whether the last step had some. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Whether it has `skip`. */
  get skips(): boolean {
    return this.#skips;
  }

  /** Whether the device has a learning rate. */
  get hasRates(): boolean {
    for (let i = 0; i < this.#groups.length; i += 1)
      if (typeof this.#groups[i].stepRate === "object") return true;
    return false;
  }

  /** The factor by which the host multiplies the gradients. */
  get factor(): number {
    return this.#factor;
  }

  /** Whether the host leaves the step out. */
  get isSkipped(): boolean {
    return this.#isSkipped;
  }

  /**
   * Takes those of a step, after its gradients.
   * @param taken the records with a gradient, in the order of all; the first `count`
   * @throws {GradstepError} as `optimizer.step` does for these options; then nothing has changed
   */
  take(options: StepOptions | undefined, taken: readonly ParameterRecord[], count: number): void {
    if (this.#isUsed) this.#forget();
    if (options === undefined) return;
    const { scale, skip, learningRate } = options;
    if (scale === undefined && skip === undefined && learningRate === undefined) return;
    if (this.#records.length === 0) return;
    const { backend } = this.#records[0].update.parameter;
    this.#collectParts(taken, count);
    if (typeof scale === "number") checkScaleNumber(scale);
    else if (scale !== undefined) checkSignal("scale", scale, "f32", backend);
    if (skip !== undefined) checkSignal("skip", skip, "u32", backend);
    this.#isUsed = true;
    this.#skips = skip !== undefined;
    try {
      if (learningRate !== undefined) this.#takeRates(learningRate);
      if (backend.takesSignals === true) this.#place(scale ?? 1, skip);
      else this.#read(scale ?? 1, skip);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /**
   * Hands the scale over to kernels that run before the rule, so that the rule does not scale once more.
   * @returns what those kernels get
   */
  moveScale(): StepSignals | undefined {
    if (this.#scale.scale === 1) return undefined;
    for (const { group, update } of this.#records) {
      if (update.signals === undefined) continue;
      const signals = this.#signals.get(group)!;
      signals.scale = 1;
      if (!isNeeded(signals)) update.signals = undefined;
    }
    return this.#scale;
  }

  /** Those of the call, and those whose gradients of earlier calls are part of the step. */
  #collectParts(taken: readonly ParameterRecord[], count: number): void {
    let next = 0;
    let length = 0;
    for (const record of this.#records) {
      const isTaken = next < count && taken[next] === record;
      if (isTaken) next += 1;
      if (!isTaken && record.accumulator?.isUsed !== true) continue;
      this.#parts[length] = record;
      length += 1;
    }
    this.#parts.length = length;
  }

  #forget(): void {
    for (const group of this.#groups) group.stepRate = undefined;
    for (const { update } of this.#records) update.signals = undefined;
    this.#scale.scale = 1;
    this.#skips = false;
    this.#factor = 1;
    this.#isSkipped = false;
    this.#isUsed = false;
  }

  /** For backends whose kernels take them. */
  #place(scale: number | Tensor, skip: Tensor | undefined): void {
    this.#scale.scale = scale;
    for (const { name, group, update, rowSteps } of this.#parts) {
      if (rowSteps !== undefined && typeof group.stepRate === "object") throw ofCountingRows(name);
      const signals = this.#signalsOf(group);
      const rate = group.stepRate;
      signals.scale = scale;
      signals.skip = skip;
      signals.learningRate = typeof rate === "object" ? rate : undefined;
      if (isNeeded(signals)) update.signals = signals;
    }
  }

  #signalsOf(group: Group): MutableSignals {
    let signals = this.#signals.get(group);
    if (signals === undefined) {
      signals = signalsOf(group.slopes);
      this.#signals.set(group, signals);
    }
    return signals;
  }

  /** For other backends. @throws {GradstepError} `UNSUPPORTED`, `INVALID_HYPERPARAMETER` */
  #read(scale: number | Tensor, skip: Tensor | undefined): void {
    this.#factor = typeof scale === "number" ? scale : hostValueOf("scale", scale);
    this.#isSkipped = skip !== undefined && hostValueOf("skip", skip) !== 0;
    for (const group of this.#groups) {
      if (typeof group.stepRate !== "object") continue;
      group.stepRate = hostValueOf("learningRate", group.stepRate);
      group.checkStepRate(group.stepRate);
    }
  }

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `UNKNOWN_PARAMETER`, and as `#takeRate` does */
  #takeRates(rates: NonNullable<StepOptions["learningRate"]>): void {
    const { backend } = this.#records[0].update.parameter;
    const parts = this.#parts;
    if (isOneRate(rates)) {
      if (parts.length > 0 && parts.every(({ group }) => group.hasOwnRate))
        throw withoutEffect(parts[0].name);
      for (const group of this.#groups)
        if (!group.hasOwnRate) takeRate("learningRate", group, rates, backend);
      return;
    }
    checkNames(rates, this.#byName);
    for (const { name, group } of this.#records)
      if (rates[name] !== undefined && group.stepRate === undefined)
        takeRate(`learningRate of "${name}"`, group, rates[name], backend);
    let next = 0;
    for (const record of this.#records) {
      const isPart = parts[next] === record;
      if (isPart) next += 1;
      const rate = rates[record.name];
      if (rate === undefined && !isPart) continue;
      if (record.group.stepRate !== rate) throw ofOneGroup(record);
    }
  }
}

/** Whether it is anything but an object of rates by name: one rate, or a value that is not a rate. */
function isOneRate(rates: unknown): rates is StepRate {
  return !hasNames(rates) || isTensor(rates) || isRawMemory(rates);
}

function signalsOf(slopes: Float64Array): MutableSignals {
  return { scale: 1, skip: undefined, learningRate: undefined, slopes };
}

function isNeeded({ scale, skip, learningRate }: StepSignals): boolean {
  return scale !== 1 || skip !== undefined || learningRate !== undefined;
}

/** @throws as `checkSignal` and `Group.checkStepRate` do */
function takeRate(what: string, group: Group, rate: StepRate, backend: Backend): void {
  if (typeof rate !== "number") checkSignal(what, rate, "f32", backend);
  // Where the host reads the tensor, its value is checked instead.
  if (typeof rate === "number" || backend.takesSignals === true) group.checkStepRate(rate);
  group.stepRate = rate;
}

/** @throws {GradstepError} `UNKNOWN_PARAMETER` */
function checkNames(rates: object, byName: ReadonlyMap<string, ParameterRecord>): void {
  for (const name in rates)
    if (!byName.has(name)) throw unknownParameters("learningRate", [name], byName.keys());
}

function ofOneGroup({ name, group }: ParameterRecord): GradstepError {
  return new GradstepError(
    `"${name}" has another learningRate than a parameter of its group; expected one rate for ${list(group.parameters)}. Make a group of "${name}": groups: [{ match: "${name}" }].`,
    { code: "UNKNOWN_OPTION" },
  );
}

function ofCountingRows(name: string): GradstepError {
  return new GradstepError(
    `Got a tensor as the learningRate of "${name}", whose rows count their own steps, on the host; expected a number. Read the tensor first.`,
    { code: "UNSUPPORTED" },
  );
}

function withoutEffect(name: string): GradstepError {
  return new GradstepError(
    `learningRate would have no effect, because the groups of all parameters of this step have a rate of their own; expected rates by the names of parameters: { learningRate: { ${name}: … } }.`,
    { code: "UNKNOWN_OPTION" },
  );
}
