import type { StepControlOptions } from "../rule/step-control-options.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { GradstepError, show } from "../errors.js";
import { ignored, translate, type OptionMap } from "./option-map.js";

/** Options of all Keras optimizers that say when a call becomes a step. */
export const stepControlOptions: OptionMap = {
  loss_scale_factor: { to: "loss_scale_factor" },
  gradient_accumulation_steps: { to: "gradient_accumulation_steps" },
};

/**
 * When calls become steps, as Keras has it: schedules count calls, and a step with a gradient that is not finite is taken.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function stepControlFromKeras(
  owner: string,
  settings: Readonly<Record<string, unknown>>,
): StepControlOptions {
  const { loss_scale_factor: scale, gradient_accumulation_steps: steps } = settings;
  const isAccumulating = steps !== undefined && steps !== null && steps !== 1;
  if (isAccumulating && settings.use_ema === true)
    throw new GradstepError(
      `${owner}: use_ema is true and gradient_accumulation_steps is ${show(steps)}. Keras then averages the weights at each call, also where they did not change; use chain(${owner.includes("AdamW") ? "adamw" : "adam"}(…), ema(…)) with accumulate, which averages them at each step.`,
      { code: "UNSUPPORTED" },
    );
  return {
    ...(isAccumulating && { accumulate: steps as number, schedulesCount: "calls" as const }),
    ...(scale !== undefined &&
      scale !== null && { lossScale: scale, nonFinite: "propagate" as const }),
  };
}

/** The options of Keras's `LossScaleOptimizer` around another optimizer. */
const wrapperOptions: OptionMap = {
  inner_optimizer: ignored,
  initial_scale: { to: "initial" },
  dynamic_growth_steps: { to: "growthInterval" },
  name: ignored,
};

/** Options that `LossScaleOptimizer` prints, and hands on to the optimizer that it wraps. */
const innerOptions = [
  "learning_rate",
  "weight_decay",
  "clipnorm",
  "clipvalue",
  "global_clipnorm",
  "use_ema",
  "ema_momentum",
  "ema_overwrite_frequency",
  "loss_scale_factor",
  "gradient_accumulation_steps",
];

/**
 * The spec of what `LossScaleOptimizer` wraps, with its dynamic loss scale.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function withDynamicLossScale(
  inner: OptimizerSpec,
  config: Readonly<Record<string, unknown>>,
): OptimizerSpec {
  const { accumulate = 1, lossScale: scale } = inner.control ?? {};
  if (accumulate > 1 || scale !== undefined)
    throw new GradstepError(
      `Keras's LossScaleOptimizer: its inner_optimizer has ${accumulate > 1 ? "gradient_accumulation_steps. Keras then leaves out single calls that are not finite" : "a loss_scale_factor. Keras then divides by both scales"}; expected null. Use ${accumulate > 1 ? "accumulate and lossScale, which leave out whole steps" : "one scale"}.`,
      { code: "UNSUPPORTED" },
    );
  const handedOn: OptionMap = Object.fromEntries(
    innerOptions.map((name) => [name, ignored] as const),
  );
  const lossScale = translate("Keras's LossScaleOptimizer", config, {
    ...wrapperOptions,
    ...handedOn,
  });
  const { nonFinite: _, ...control } = inner.control ?? {};
  return { ...inner, control: { ...control, lossScale } };
}
