import { checkSwitch } from "../argument-checks/check-switch.js";
import { isArray } from "../argument-checks/is-array.js";
import { GradstepError, show } from "../errors.js";
import { clipByGlobalNorm } from "../stages/clip-by-global-norm.js";
import { clipByNorm } from "../stages/clip-by-norm.js";
import { clipByValue } from "../stages/clip-by-value.js";
import { ema } from "../stages/ema.js";
import { maxNorm } from "../stages/max-norm.js";
import { nonNegativeWeights } from "../stages/non-negative-weights.js";
import { unitNorm } from "../stages/unit-norm.js";
import { chain } from "../rule/chain.js";
import { checkIsSpec, type OptimizerSpec } from "../rule/rule.js";
import type { StageSpec } from "../rule/stage-factory.js";
import { checkIsObject, ignored, lookUp, translate, type OptionMap } from "./option-map.js";

/** The options of all Keras optimizers that stand for stages. */
export const stageOptions: OptionMap = {
  clipnorm: { to: "clipnorm" },
  clipvalue: { to: "clipvalue" },
  global_clipnorm: { to: "global_clipnorm" },
  use_ema: { to: "use_ema" },
  ema_momentum: { to: "ema_momentum" },
  ema_overwrite_frequency: { to: "ema_overwrite_frequency" },
};

/** Clipping and the average of the weights, as arguments that all Keras optimizers have. */
export interface KerasStageArguments {
  /** The greatest norm of the gradient of each parameter. At most one of the three is given. */
  readonly clipnorm?: number | null;
  /** The greatest absolute value of a gradient. */
  readonly clipvalue?: number | null;
  /** The greatest norm of all gradients together. */
  readonly global_clipnorm?: number | null;
  /** Whether an average of the weights is kept: see `optimizer.swap()`. */
  readonly use_ema?: boolean;
  /** 0.99 if left out. */
  readonly ema_momentum?: number;
  /** After how many steps the average replaces the weights; never if null or left out. */
  readonly ema_overwrite_frequency?: number | null;
}

/** The names of these arguments. */
export const kerasStageArgumentNames: readonly (keyof KerasStageArguments)[] =
  /* @__PURE__ */ Object.keys(stageOptions) as (keyof KerasStageArguments)[];

/**
 * A spec that also clips gradients and averages weights, as these arguments say.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, also for more than one way to clip
 */
export function withKerasStages(spec: OptimizerSpec, keywords: KerasStageArguments): OptimizerSpec {
  checkIsSpec("the rule of withKerasStages", spec);
  const owner = spec.rule.name;
  checkIsObject(owner, keywords);
  const [before, after] = [clipFromKeras(owner, keywords), emaFromKeras(owner, keywords)];
  return before.length + after.length === 0 ? spec : chain(...before, spec, ...after);
}

/** What `keras.constraints.serialize(constraint)` returns. */
export interface KerasConstraint {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Ignored. */
  readonly module?: unknown;
  /** Ignored. */
  readonly registered_name?: unknown;
}

const clips = [
  ["clipnorm", (value: number) => clipByNorm({ clipNorm: value })],
  ["global_clipnorm", (value: number) => clipByGlobalNorm({ globalClipNorm: value })],
  ["clipvalue", (value: number) => clipByValue({ clipValue: value })],
] as const;

/** The stage that clips gradients; none if no option says so. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function clipFromKeras(
  owner: string,
  options: Readonly<Record<string, unknown>>,
): readonly StageSpec[] {
  const given = clips.filter(([name]) => (options[name] ?? null) !== null);
  if (given.length > 1) {
    throw new GradstepError(
      `${owner}: got ${given.map(([name]) => name).join(" and ")}; expected one of them, as in Keras.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  // Keras does not clip to 0.
  return given.flatMap(([name, make]) =>
    options[name] === 0 ? [] : [make(options[name] as number)],
  );
}

/** The stage that averages weights, if `use_ema` is true. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function emaFromKeras(
  owner: string,
  options: Readonly<Record<string, unknown>>,
): readonly StageSpec[] {
  const { use_ema: isUsed } = options;
  checkSwitch(owner, "use_ema", isUsed);
  if (isUsed !== true) return [];
  // Their values are checked by the stage.
  const { ema_momentum: emaMomentum, ema_overwrite_frequency: emaOverwrite } = options as Readonly<
    Record<string, never>
  >;
  return [ema({ emaMomentum, emaOverwrite: emaOverwrite ?? 0 })];
}

const axis = { axis: { to: "axis" } } as const;

const constraints: Readonly<
  Record<
    string,
    { options: OptionMap; make: (settings: Readonly<Record<string, never>>) => StageSpec }
  >
> = {
  NonNeg: { options: {}, make: () => nonNegativeWeights() },
  UnitNorm: {
    options: axis,
    make: (settings) => unitNorm({ unitNormAxis: axisOf("UnitNorm", settings.axis) }),
  },
  MaxNorm: {
    options: { ...axis, max_value: { to: "maxNorm" } },
    make: ({ axis: along, ...rest }) => maxNorm({ ...rest, maxNormAxis: axisOf("MaxNorm", along) }),
  },
  MinMaxNorm: {
    options: {
      ...axis,
      min_value: { to: "minNorm" },
      max_value: { to: "maxNorm" },
      rate: { to: "normRate" },
    },
    make: ({ axis: along, ...rest }) =>
      maxNorm({ maxNorm: 1, ...rest, maxNormAxis: axisOf("MinMaxNorm", along) }),
  },
};

/**
 * The stage of a constraint.
 * @throws {GradstepError} `UNSUPPORTED` (a class without a counterpart, or an axis that is neither that of columns nor that
 * of rows), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function constraintFromKeras(constraint: KerasConstraint): StageSpec {
  checkIsObject("Keras's constraint", constraint);
  const { class_name: className, config } = constraint;
  const { options, make } = lookUp("Keras", className, constraints);
  const owner = `Keras's ${className}`;
  translate(owner, constraint, {
    class_name: ignored,
    config: ignored,
    module: ignored,
    registered_name: ignored,
  });
  return make(translate(owner, config, options) as Readonly<Record<string, never>>);
}

/** The dimensions that a norm covers: the first, which gives one norm per column, or all others, which gives one per row. */
function axisOf(constraint: string, given: unknown = 0): "column" | "row" {
  const axes: unknown = isArray(given) ? given : [given];
  const text = JSON.stringify(axes);
  if (text === "[0]") return "column";
  if (text === "[1]" || text === "[1,2]" || text === "[1,2,3]") return "row";
  throw new GradstepError(
    `Keras's ${constraint}: axis is ${show(given)}; expected 0, the first dimension, or 1, [1, 2] or [1, 2, 3], all others. Norms over other dimensions cannot be expressed.`,
    { code: "UNSUPPORTED" },
  );
}
