import { checkCount } from "../check-count.js";
import { checkChoice } from "../../argument-checks/check-choice.js";
import { didYouMean } from "../../argument-checks/did-you-mean.js";
import { GradstepError, list } from "../../errors.js";
import { checkHyperparameter } from "../../rule/hyperparameter.js";
import { checkHyperparameterValue } from "../../rule/hyperparameter-value.js";
import type { Schedule } from "../../schedules/schedule.js";
import { denseSteps, type CheckedSparseOptions } from "../sparse/check-sparse-options.js";
import { StepScalars } from "../step/step-scalars.js";
import type { StepRate } from "../step/step-options.js";
import { checkMatch, isMatch, listedNames } from "./group-match.js";
import type { Match, MatchedParameter } from "../../rule/rule.js";
import { checkTakesRateTensors } from "./rate-tensor-check.js";
import type { RuleContext } from "./rule-context.js";

const rateName = "learningRate";

/** The inputs of a group. */
interface GroupInit {
  readonly context: RuleContext;
  /** What messages call it. */
  readonly label: string;
  /** Hyperparameters of this group; all of them if there is no group of defaults. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Its parameters; the group of defaults has those that match no other. */
  readonly match?: Match;
  /** The group of the hyperparameters that this one does not override. */
  readonly defaults?: Group;
  /** Whether it holds only the hyperparameters of a group's own rule. */
  readonly isHidden?: boolean;
}

/** Some parameters, with their hyperparameters, the scalars computed from them, and a count of steps. */
export class Group {
  /** Names of the parameters in it. */
  readonly parameters: string[] = [];
  readonly isHidden: boolean;
  readonly scalars: StepScalars;
  /** Steps taken. */
  iterations = 0;
  /** The learning rate of the current step if its options give one. */
  stepRate: StepRate | undefined;
  /** By how much each scalar grows per unit of the learning rate, if the rate of the step is a tensor. */
  readonly slopes: Float64Array;
  /** What its steps do with sparse gradients. */
  sparseOptions: CheckedSparseOptions = denseSteps;
  readonly #label: string;
  readonly context: RuleContext;
  readonly defaults: Group | undefined;
  readonly #match: Match | undefined;
  readonly #overrides = new Map<string, number | Schedule>();
  /** Whether a value in `#overrides` is a schedule. */
  #hasSchedule = false;
  /** The value in `#overrides`, without the look-up. */
  #every = 1;
  #frozen = false;
  /** Whether scalars were found to be linear functions of the learning rate. */
  #takesRateTensors = false;

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  constructor({ context, label, overrides, match, defaults, isHidden = false }: GroupInit) {
    this.isHidden = isHidden;
    this.context = context;
    this.#label = label;
    this.defaults = defaults;
    this.#match = defaults === undefined ? undefined : checkMatch(label, match);
    for (const [name, value] of Object.entries(overrides))
      if (value !== undefined) this.set(name, value);
    this.scalars = new StepScalars(context.variant, this, context.clock);
    this.slopes = new Float64Array(this.scalars.values.length);
  }

  /** Whether a parameter belongs to this group. */
  matches(parameter: MatchedParameter): boolean {
    return this.#match !== undefined && isMatch(this.#match, parameter);
  }

  /** Whether its hyperparameters are not those of the optimizer. */
  get hasOwnRule(): boolean {
    return this.defaults === undefined || this.defaults.isHidden;
  }

  /** The names in `match`; empty for a pattern or a function. */
  get names(): readonly string[] {
    return this.#match === undefined ? [] : listedNames(this.#match);
  }

  /**
   * The value of a hyperparameter in this group, for the next step.
   * @throws {GradstepError} `INVALID_HYPERPARAMETER` if a schedule leaves the range of its hyperparameter
   */
  get(name: string): number {
    const value = this.#overrides.get(name);
    if (typeof value === "number") return value;
    if (value === undefined) return this.defaults!.get(name);
    const { iterations, callsPerStep } = this.context.clock;
    return this.#checkNumber(name, value.valueAt((iterations + 1) * callsPerStep - 1));
  }

  get isScheduled(): boolean {
    return this.#hasSchedule || (this.defaults?.isScheduled ?? false);
  }

  /** The group is updated every `every` optimizer steps. */
  get every(): number {
    return this.#every;
  }

  /** Whether the group stays as it is. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is true or false */
  set frozen(value: unknown) {
    this.#frozen = checkChoice(this.#label, "frozen", value, [true, false]);
  }

  /** Whether the group is updated in every step of the optimizer. */
  get isAlwaysDue(): boolean {
    return this.#every === 1 && !this.#frozen;
  }

  /** Whether the group is updated at the optimizer's step of this number; 1 is the first. */
  isDue(iteration: number): boolean {
    return this.isAlwaysDue || (!this.#frozen && iteration % this.#every === 0);
  }

  /** Computes the scalars of the next step. */
  prepare(): void {
    const { scalars, slopes } = this;
    const t = this.iterations + 1;
    if (typeof this.stepRate !== "object") {
      this.computeScalars(scalars, t);
      return;
    }
    scalars.computeFor(t, rateName, 1);
    slopes.set(scalars.values);
    scalars.computeFor(t, rateName, 0);
    for (let i = 0; i < slopes.length; i += 1) slopes[i] -= scalars.values[i];
  }

  /** Computes the scalars of step `t` of some rows, with the learning rate of the current step. */
  computeScalars(scalars: StepScalars, t: number): void {
    if (typeof this.stepRate === "number") scalars.computeFor(t, rateName, this.stepRate);
    else scalars.compute(t);
  }

  /** Whether the group has a learning rate of its own, which setting that of the optimizer does not change. */
  get hasOwnRate(): boolean {
    return this.defaults !== undefined && (this.hasOwnRule || this.#overrides.has(rateName));
  }

  /**
   * Checks a learning rate for one step.
   * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNSUPPORTED` for a tensor, if scalars are not linear in the rate
   */
  checkStepRate(rate: StepRate): void {
    if (typeof rate === "number") {
      this.#checkNumber(rateName, rate);
      return;
    }
    if (this.#takesRateTensors) return;
    checkTakesRateTensors(this.#label, this.context.variant);
    this.#takesRateTensors = true;
  }

  /** To be called when that step was taken. */
  commit(): void {
    this.scalars.commit();
    this.iterations += 1;
  }

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  set(name: string, value: unknown): void {
    this.#overrides.set(name, this.check(name, value));
    this.#changed();
  }

  /** The value that `set` would store. @throws as `set` does */
  check(name: string, value: unknown): number | Schedule {
    const { rule } = this.context.spec;
    if (name === "every" && this.defaults !== undefined)
      return checkCount(`${this.#label}: every`, value);
    if (!Object.hasOwn(rule.hyperparameters, name)) {
      const isOption = Object.hasOwn(rule.options, name);
      throw new GradstepError(
        `${this.#label}: "${name}" is not a hyperparameter of ${rule.name}; it has ${list(Object.keys(rule.hyperparameters))}.` +
          (isOption
            ? ` An option is chosen for the whole optimizer: ${rule.name}({ ${name}: … }).`
            : didYouMean(name, Object.keys(rule.hyperparameters))),
        { code: "UNKNOWN_OPTION" },
      );
    }
    const checked = checkHyperparameterValue(this.#label, name, value, rule.hyperparameters[name]);
    return typeof checked === "number" ? this.#checkNumber(name, checked) : checked;
  }

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  #checkNumber(name: string, value: number): number {
    const { mustBeZero, spec } = this.context;
    const { rule } = spec;
    const checked = checkHyperparameter(this.#label, name, value, rule.hyperparameters[name]);
    if (checked !== 0 && mustBeZero.includes(name)) {
      throw new GradstepError(
        `${this.#label}: ${name} is ${checked}; expected 0, because the optimizer was made with ${name} 0 and has no state for it. ` +
          `Make it with ${rule.name}({ ${name}: ${checked} }).`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    return checked;
  }

  /** As `overrides`, with all hyperparameters of the group's own rule. */
  ownHyperparameters(): Record<string, number | Schedule> {
    return { ...(this.hasOwnRule ? this.defaults?.overrides() : undefined), ...this.overrides() };
  }

  /** The hyperparameters that this group overrides, and `every`. */
  overrides(): Record<string, number | Schedule> {
    return Object.fromEntries(this.#overrides);
  }

  /** Replaces all overrides. They must have been checked. */
  replace(overrides: Readonly<Record<string, number | Schedule>>): void {
    this.#overrides.clear();
    for (const [name, value] of Object.entries(overrides)) this.#overrides.set(name, value);
    this.#changed();
  }

  #changed(): void {
    this.#every = (this.#overrides.get("every") as number | undefined) ?? 1;
    this.#hasSchedule = [...this.#overrides.values()].some((value) => typeof value !== "number");
    this.context.clock.changes += 1;
  }
}
