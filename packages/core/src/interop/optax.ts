import { aliases, specOfAlias } from "./optax-aliases.js";
import {
  afterRule,
  beforeRate,
  beforeRule,
  cores,
  scales,
  type OptaxTransformation,
} from "./optax-transformations.js";
import { checkIsObject, ignored, lookUp, translate, type OptionMap } from "./option-map.js";
import { GradstepError, show } from "../errors.js";
import { completeStepControl } from "../optimizer/step-control/complete-step-control.js";
import { chain } from "../rule/chain.js";
import type { OptimizerSpec } from "../rule/rule.js";
import type { StageSpec } from "../rule/stage-factory.js";
import { withSchedules } from "../schedules/from-data.js";
import { isSchedule, type Schedule } from "../schedules/schedule.js";

type Options = Readonly<Record<string, unknown>>;
type Rate = number | Schedule | ((step: number) => number);

/** What wraps an optimizer: it stands before all parts. */
export const wrappers: Readonly<Record<string, OptionMap>> = {
  multi_steps: {
    every_k_schedule: { to: "accumulate" },
    use_grad_mean: { only: [true], why: "Gradients are averaged." },
  },
  // Optax takes the step after that many in a row, and NaN is everywhere; here it is skipped, too.
  apply_if_finite: { max_consecutive_errors: ignored },
};

/** Rules whose update is not proportional to the learning rate of the step, so that it cannot be scaled by it. */
const unscaled = ["lars", "muon", "prodigy", "schedule-free-sgd", "schedule-free-adamw"];

/**
 * The spec of an Optax alias: `fromOptax("adamw", { learning_rate: 1e-3, weight_decay: 0.1 })`, with Optax's defaults.
 * The same gradients give Optax's numbers, including its place of ε, `eps_root`, AMSGrad of the corrected average, and
 * what happens when the square of a gradient overflows.
 *
 * `optax.chain` is a name with `+`, and the options of all parts: `fromOptax("clip_by_global_norm+adam", { max_norm: 1,
 * learning_rate: 1e-3 })`. In their order, the parts are
 * - `multi_steps` (`every_k_schedule`) and `apply_if_finite`, which skips steps however many follow one another;
 * - `clip`, `clip_by_global_norm`, `centralize`, `adaptive_grad_clip`, and then `add_decayed_weights`;
 * - an alias, or what it is made of: `scale_by_adam`, `scale_by_rms`, `trace`, …, with `add_decayed_weights`,
 *   `clip_by_block_rms` or `scale_by_trust_ratio` after it;
 * - `scale_by_learning_rate`, `scale` or `scale_by_schedule`, whose `step_size_fn` is a schedule of ours or a function;
 * - `keep_params_nonnegative`.
 *
 * `inject_hyperparams` stands before the part whose hyperparameters Optax keeps in its state. It changes nothing here,
 * where hyperparameters can always be set. A schedule can also be given as its data.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_CHAIN`
 */
export function fromOptax(name: string, options: Options = {}): OptimizerSpec {
  const named = optaxParts(name);
  const owner = `Optax's ${name}`;
  checkIsObject(owner, options);
  const injected = named.findIndex((part, i) => part === injection && !canBeInjected(named[i + 1]));
  if (injected >= 0) {
    throw new GradstepError(
      `${owner}: ${injection} stands before ${named[injected + 1] ?? "nothing"}; expected an optimizer, scale_by_… or trace after it.`,
      { code: "INVALID_CHAIN" },
    );
  }
  const names = named.filter((part) => part !== injection);
  return specOf(owner, names, withSchedules(options));
}

/** Makes the optimizer of the part after it keep its hyperparameters in its state. */
export const injection = "inject_hyperparams";

function canBeInjected(part: string | undefined): boolean {
  return part !== undefined && [aliases, cores, scales].some((table) => Object.hasOwn(table, part));
}

/** The parts of the name of a chain. @throws {GradstepError} `UNSUPPORTED` for a value that is not text */
export function optaxParts(name: string): readonly string[] {
  if (typeof name !== "string")
    throw new GradstepError(
      `Got ${show(name)} as an optimizer of Optax; expected its name, such as "adamw".`,
      { code: "UNSUPPORTED" },
    );
  // MultiSteps is often named with its number: multi_steps4.
  return name.split("+").map((part) => part.replace(/^multi_steps\d+$/, "multi_steps"));
}

/** The names of the options of a part of a chain. @throws {GradstepError} `UNSUPPORTED` */
export function optaxOptionNames(part: string): readonly string[] {
  return Object.keys(optionsOf(part));
}

function specOf(owner: string, names: readonly string[], options: Options): OptimizerSpec {
  if (names.length === 1) return specOfAlias(names[0], options);
  const maps = names.map(optionsOf);
  translate(owner, options, Object.assign({}, ...maps) as OptionMap);
  const ownOptions = (map: OptionMap): Options =>
    Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(map, key)));
  const given = names.map((part, i) => ({
    part,
    options: ownOptions(maps[i]),
    settings: translate(owner, ownOptions(maps[i]), maps[i]),
  }));
  const wrapping = given.slice(
    0,
    given.findIndex(({ part }) => !Object.hasOwn(wrappers, part)),
  );
  if (wrapping[0]?.part === "apply_if_finite" && wrapping.length > 1) {
    throw new GradstepError(
      `${owner}: apply_if_finite looks at each gradient there; expected multi_steps before it, so that the mean is what is looked at.`,
      { code: "UNSUPPORTED" },
    );
  }
  const spec = chained(owner, given.slice(wrapping.length));
  if (wrapping.length === 0) return spec;
  const control: Record<string, unknown> = Object.assign(
    {},
    ...wrapping.map(({ settings }) => settings),
  );
  if (names.includes("apply_if_finite")) control.nonFinite = "skip";
  if (names.includes("multi_steps") && control.accumulate === undefined) {
    throw new GradstepError(`${owner}: every_k_schedule is missing; expected a number of steps.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  }
  completeStepControl(control);
  return { ...spec, control };
}

/** The options of a part. @throws {GradstepError} `UNSUPPORTED` */
export function optionsOf(part: string): OptionMap {
  const isIn = (table: object): boolean => typeof part === "string" && Object.hasOwn(table, part);
  if (isIn(wrappers)) return wrappers[part];
  const core = isIn(cores) ? cores[part] : undefined;
  if (core === undefined)
    return lookUp("Optax", part, {
      ...aliases,
      ...beforeRule,
      ...beforeRate,
      ...afterRule,
      ...scales,
    }).options;
  const { options } = aliases[core.alias];
  return Object.fromEntries(
    Object.entries(core.options).map(([key, inAlias]) => [key, options[inAlias]]),
  );
}

/** A part of a chain with its options, under Optax's names and under ours. */
interface Part {
  readonly part: string;
  readonly options: Options;
  readonly settings: Options;
}

/** @throws {GradstepError} `INVALID_CHAIN`, `UNSUPPORTED`, `INVALID_HYPERPARAMETER` */
function chained(owner: string, parts: readonly Part[]): OptimizerSpec {
  const isRule = ({ part }: Part): boolean =>
    Object.hasOwn(aliases, part) || Object.hasOwn(cores, part);
  const at = parts.findIndex(isRule);
  if (at < 0 || parts.filter(isRule).length > 1) {
    throw new GradstepError(
      `${owner}: expected exactly one optimizer among the parts, such as adam or scale_by_adam.`,
      { code: "INVALID_CHAIN" },
    );
  }
  const isCore = Object.hasOwn(cores, parts[at].part);
  const hasDecay = parts[at - 1]?.part === "add_decayed_weights";
  const before = stagesOf(owner, parts.slice(0, hasDecay ? at - 1 : at), beforeRule);
  const after = parts.slice(at + 1);
  const firstScale = after.findIndex(({ part }) => Object.hasOwn(scales, part));
  const isEnd = ({ part }: Part): boolean => Object.hasOwn(afterRule, part);
  const rateAt = firstScale < 0 ? after.length - after.filter(isEnd).length : firstScale;
  const onUpdate = stagesOf(owner, after.slice(0, rateAt), isCore ? beforeRate : {});
  const last = after.slice(rateAt);
  const factors = last.filter(({ part }) => Object.hasOwn(scales, part));
  const onParameter = stagesOf(
    owner,
    last.filter((one) => !factors.includes(one)),
    afterRule,
  );
  const decay = hasDecay ? parts[at - 1].settings.weightDecay : undefined;
  return chainOf(before, ruleOf(owner, parts[at], factors, decay), [...onUpdate, ...onParameter]);
}

function chainOf(
  before: readonly StageSpec[],
  rule: OptimizerSpec,
  after: readonly StageSpec[],
): OptimizerSpec {
  return before.length + after.length === 0 ? rule : chain(...before, rule, ...after);
}

/** The stages of parts that stand where only these can. @throws {GradstepError} `INVALID_CHAIN` */
function stagesOf(
  owner: string,
  parts: readonly Part[],
  table: Readonly<Record<string, OptaxTransformation>>,
): StageSpec[] {
  return parts.map(({ part, settings }) => {
    if (Object.hasOwn(table, part)) return table[part].make(settings as never);
    throw new GradstepError(
      `${owner}: ${part} cannot stand there; expected gradient transformations, add_decayed_weights, an optimizer or scale_by_…, what changes its update, scales, and keep_params_nonnegative, in this order.`,
      { code: "INVALID_CHAIN" },
    );
  });
}

/**
 * The rule of an alias, or of what it is made of.
 * @param factors what multiplies its update
 * @param decay what multiplies the parameters that are added to the gradient
 */
function ruleOf(
  owner: string,
  { part, options }: Part,
  factors: readonly Part[],
  decay: unknown,
): OptimizerSpec {
  const core = Object.hasOwn(cores, part) ? cores[part] : undefined;
  const l2 = decay === undefined ? {} : { weightDecay: decay, weightDecayMode: "l2" };
  const rates = factors.flatMap((one) => [scales[one.part].sign, one.settings.factor as Rate]);
  if (core !== undefined) {
    if (factors.length === 0)
      throw new GradstepError(
        `${owner}: ${part} has no learning rate; expected scale_by_learning_rate, scale or scale_by_schedule after it.`,
        { code: "INVALID_CHAIN" },
      );
    const renamed = Object.entries(options).map(([key, value]) => [core.options[key], value]);
    return specOfAlias(core.alias, Object.fromEntries(renamed) as Options, {
      ...core.settings,
      ...l2,
      learningRate: product([-1, ...rates]),
    });
  }
  const spec = specOfAlias(part, options);
  const hasOwnDecay = spec.groups.length > 0 || (spec.hyperparameters.weightDecay ?? 0) !== 0;
  if (decay !== undefined && hasOwnDecay)
    throw new GradstepError(
      `${owner}: ${part} has a weight decay of its own; expected one without, such as adam in place of adamw.`,
      { code: "UNSUPPORTED" },
    );
  const { momentum = 0, learningRate } = spec.hyperparameters;
  const isUnscaled = unscaled.includes(spec.rule.name) || (part === "rmsprop" && momentum !== 0);
  if (factors.length > 0 && isUnscaled)
    throw new GradstepError(
      `${owner}: the update of ${part} is not proportional to its learning rate, so it cannot be scaled by it; leave the scale out.`,
      { code: "UNSUPPORTED" },
    );
  const rate = factors.length === 0 ? {} : { learningRate: product([learningRate, ...rates]) };
  return specOfAlias(part, options, { ...l2, ...rate });
}

/** A number, or what follows the schedules among the factors. */
function product(factors: readonly Rate[]): Rate {
  const constant = factors.reduce<number>(
    (value, one) => (typeof one === "number" ? value * one : value),
    1,
  );
  const varying = factors.filter((one) => typeof one !== "number");
  if (varying.length === 0) return constant;
  if (varying.length === 1 && constant === 1) return varying[0];
  return function scaled(step: number): number {
    return varying.reduce<number>(
      (value, one) => value * (isSchedule(one) ? one.valueAt(step) : one(step)),
      constant,
    );
  };
}
