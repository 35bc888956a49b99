import { constraints } from "@tensorflow/tfjs-layers";
import type { OptimizerSpec } from "@gradstep/core";
import { fromKeras, fromOptax, type KerasConstraint } from "@gradstep/core/interop";
import type { libraries } from "../pages/counterparts.js";

/** What another library has for a stage. */
export interface StageCounterpart {
  readonly library: keyof typeof libraries;
  /** The call or arguments there, with the library's defaults where it has some. */
  readonly there: string;
  /** The settings of the stage that make it the same. */
  readonly settings: Readonly<Record<string, number | string>>;
  /** The chain with it that gradstep reads from the library's own configuration; undefined if it reads none. */
  readonly read?: () => OptimizerSpec;
  /** A constraint of TensorFlow.js, which can be run here. */
  readonly constraint?: () => ReturnType<typeof constraints.nonNeg>;
  /** Where the two differ. */
  readonly difference?: string;
}

const argument = (config: Readonly<Record<string, unknown>>) => (): OptimizerSpec =>
  fromKeras({ class_name: "SGD", config });
const constraint =
  (name: string, config: KerasConstraint["config"] = {}) =>
  (): OptimizerSpec =>
    fromKeras({ class_name: "SGD", config: {} }, { constraint: { class_name: name, config } });
const transformation =
  (name: string, options: Readonly<Record<string, unknown>> = {}) =>
  (): OptimizerSpec =>
    fromOptax(name, options);

const counterparts: Readonly<Record<string, readonly StageCounterpart[]>> = {
  "adaptive-gradient-clip": [
    {
      library: "optax",
      there: "optax.adaptive_grad_clip(clipping=0.01, eps=1e-3)",
      settings: {},
      read: transformation("adaptive_grad_clip+sgd", {
        clipping: 0.01,
        eps: 1e-3,
        learning_rate: 1,
      }),
    },
  ],
  "cautious-update": [
    {
      library: "optax",
      there: "optax.contrib.cautious(optimizer, eps=1e-8)",
      settings: {},
      difference:
        "In Optax's main branch. The share of the updated elements has no lower limit of 1/1000 there.",
    },
  ],
  "cautious-weight-decay": [],
  "centralize-gradients": [
    {
      library: "optax",
      there: "optax.centralize()",
      settings: { centralizeAxis: "row" },
      read: transformation("centralize+sgd", { learning_rate: 1 }),
    },
  ],
  "clamp-weights": [
    {
      library: "torch",
      there: "parameter.clamp_(min=0, max=1)",
      settings: {},
      difference: "To be called after each step.",
    },
    {
      library: "optax",
      there: "optax.projections.projection_box(params, lower=0, upper=1)",
      settings: {},
      difference: "To be called after each step.",
    },
    {
      library: "tfjs",
      there: "variable.assign(tf.clipByValue(variable, 0, 1))",
      settings: {},
      difference: "To be called after each step.",
    },
  ],
  "clip-by-global-norm": [
    {
      library: "keras",
      there: "SGD(global_clipnorm=1)",
      settings: { globalClipNorm: 1 },
      read: argument({ global_clipnorm: 1 }),
    },
    {
      library: "torch",
      there: "torch.nn.utils.clip_grad_norm_(parameters, max_norm=1)",
      settings: { globalClipNorm: 1 },
      difference: "PyTorch adds 1e-6 to the norm.",
    },
    {
      library: "optax",
      there: "optax.clip_by_global_norm(max_norm=1)",
      settings: { globalClipNorm: 1 },
      read: transformation("clip_by_global_norm+sgd", { max_norm: 1, learning_rate: 1 }),
    },
  ],
  "clip-by-norm": [
    {
      library: "keras",
      there: "SGD(clipnorm=1)",
      settings: { clipNorm: 1 },
      read: argument({ clipnorm: 1 }),
    },
    {
      library: "torch",
      there: "torch.nn.utils.clip_grad_norm_(parameter, max_norm=1)",
      settings: { clipNorm: 1 },
      difference: "To be called for each parameter; PyTorch adds 1e-6 to the norm.",
    },
  ],
  "clip-by-value": [
    {
      library: "keras",
      there: "SGD(clipvalue=1)",
      settings: { clipValue: 1 },
      read: argument({ clipvalue: 1 }),
    },
    {
      library: "torch",
      there: "torch.nn.utils.clip_grad_value_(parameters, clip_value=1)",
      settings: { clipValue: 1 },
    },
    {
      library: "optax",
      there: "optax.clip(max_delta=1)",
      settings: { clipValue: 1 },
      read: transformation("clip+sgd", { max_delta: 1, learning_rate: 1 }),
    },
    {
      library: "tfjs",
      there: "tf.clipByValue(gradient, -1, 1)",
      settings: { clipValue: 1 },
      difference: "To be called before each step.",
    },
  ],
  "clip-update-by-rms": [
    {
      library: "optax",
      there: "optax.clip_by_block_rms(threshold=1)",
      settings: { clipUpdateRms: 1 },
      read: transformation("scale_by_adam+clip_by_block_rms+scale", {
        threshold: 1,
        step_size: -1,
      }),
    },
  ],
  "decoupled-weight-decay": [
    {
      library: "optax",
      there: "optax.add_decayed_weights(weight_decay=0)",
      settings: { decoupledWeightDecay: 0 },
      read: transformation("scale_by_adam+add_decayed_weights+scale", {
        weight_decay: 0,
        step_size: -1,
      }),
    },
  ],
  ema: [
    {
      library: "keras",
      there: "SGD(use_ema=True, ema_momentum=0.99, ema_overwrite_frequency=None)",
      settings: { emaMomentum: 0.99, emaOverwrite: 0 },
      read: argument({ use_ema: true, ema_momentum: 0.99, ema_overwrite_frequency: null }),
    },
    {
      library: "torch",
      there:
        "torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay=0.999))",
      settings: { emaMomentum: 0.999 },
      difference: "To be updated after each step.",
    },
    {
      library: "optax",
      there: "optax.incremental_update(params, average, step_size=0.01)",
      settings: { emaMomentum: 0.99 },
      difference: "To be called after each step; `step_size` is 1 − `emaMomentum`.",
    },
  ],
  lookahead: [
    {
      library: "optax",
      there: "optax.lookahead(optimizer, sync_period=5, slow_step_size=0.5)",
      settings: { lookaheadSteps: 5, lookaheadStepSize: 0.5 },
      difference: "Parameters are pairs of fast and slow weights there.",
    },
  ],
  "max-norm": [
    {
      library: "keras",
      there: "MaxNorm(max_value=2, axis=0)",
      settings: { maxNorm: 2, maxNormAxis: "column" },
      read: constraint("MaxNorm", { max_value: 2, axis: 0 }),
    },
    {
      library: "keras",
      there: "MinMaxNorm(min_value=0, max_value=1, rate=1, axis=0)",
      settings: { minNorm: 0, maxNorm: 1, normRate: 1, maxNormAxis: "column" },
      read: constraint("MinMaxNorm", { min_value: 0, max_value: 1, rate: 1, axis: 0 }),
    },
    {
      library: "torch",
      there: "torch.renorm(parameter, p=2, dim=1, maxnorm=2)",
      settings: { maxNorm: 2 },
      difference:
        "To be assigned after each step. It leaves norms below the limit as they are; Keras's form divides them by 1 + 1e-7 / norm.",
    },
    {
      library: "tfjs",
      there: "tf.constraints.maxNorm({ maxValue: 2, axis: 0 })",
      settings: { maxNorm: 2, maxNormAxis: "column" },
      constraint: () => constraints.maxNorm({ maxValue: 2, axis: 0 }),
    },
    {
      library: "tfjs",
      there: "tf.constraints.minMaxNorm({ minValue: 0, maxValue: 1, rate: 1, axis: 0 })",
      settings: { minNorm: 0, maxNorm: 1, normRate: 1, maxNormAxis: "column" },
      constraint: () => constraints.minMaxNorm({ minValue: 0, maxValue: 1, rate: 1, axis: 0 }),
    },
  ],
  "non-negative-weights": [
    { library: "keras", there: "NonNeg()", settings: {}, read: constraint("NonNeg") },
    {
      library: "torch",
      there: "parameter.clamp_(min=0)",
      settings: {},
      difference: "To be called after each step.",
    },
    {
      library: "optax",
      there: "optax.keep_params_nonnegative()",
      settings: {},
      read: transformation("sgd+keep_params_nonnegative", { learning_rate: 1 }),
    },
    {
      library: "tfjs",
      there: "tf.constraints.nonNeg()",
      settings: {},
      constraint: () => constraints.nonNeg(),
    },
  ],
  "stable-update": [],
  "trust-ratio": [
    {
      library: "optax",
      there: "optax.scale_by_trust_ratio(min_norm=0, trust_coefficient=1, eps=0)",
      settings: { trustRatioCoefficient: 1, trustRatioEpsilon: 0 },
      read: transformation("scale_by_adam+scale_by_trust_ratio+scale", {
        min_norm: 0,
        trust_coefficient: 1,
        // Adam's ε has the same name.
        step_size: -1,
      }),
    },
  ],
  "unit-norm": [
    {
      library: "keras",
      there: "UnitNorm(axis=0)",
      settings: { unitNormAxis: "column" },
      read: constraint("UnitNorm", { axis: 0 }),
    },
    {
      library: "tfjs",
      there: "tf.constraints.unitNorm({ axis: 0 })",
      settings: { unitNormAxis: "column" },
      constraint: () => constraints.unitNorm({ axis: 0 }),
    },
  ],
};

/** What Keras, PyTorch, Optax and TensorFlow.js have for a stage. @throws for a stage that is not listed */
export function stageCounterpartsOf(stage: string): readonly StageCounterpart[] {
  if (!Object.hasOwn(counterparts, stage)) throw new Error(`${stage} is not listed; add it.`);
  return counterparts[stage];
}
