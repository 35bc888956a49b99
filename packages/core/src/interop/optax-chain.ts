import { aliases, specOfAlias } from "./optax-aliases.js";
import {
  afterRule,
  beforeRate,
  beforeRule,
  cores,
  scales,
  type OptaxTransformation,
} from "./optax-transformations.js";
import { GradstepError } from "../errors.js";
import { chain } from "../rule/chain.js";
import type { OptimizerSpec } from "../rule/rule.js";
import type { StageSpec } from "../rule/stage-factory.js";
import { isSchedule, type Schedule } from "../schedules/schedule.js";

type Rate = number | Schedule | ((step: number) => number);

/** Options of Optax, or settings of ours. */
export type Options = Readonly<Record<string, unknown>>;

/** Rules whose update is not proportional to the learning rate of the step, so that it cannot be scaled by it. */
const unscaled = ["lars", "muon", "prodigy", "schedule-free-sgd", "schedule-free-adamw"];

/** A part of a chain with its options, under Optax's names and under ours. */
export interface Part {
  readonly part: string;
  readonly options: Options;
  readonly settings: Options;
}

/**
 * The spec of the parts of a chain, without what wraps it.
 * @throws {GradstepError} `INVALID_CHAIN`, `UNSUPPORTED`, `INVALID_HYPERPARAMETER`
 */
export function chained(owner: string, parts: readonly Part[]): OptimizerSpec {
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
