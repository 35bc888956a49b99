import type { StageSpec } from "../rule/stage-factory.js";
import { adaptiveGradientClip } from "../stages/adaptive-gradient-clip.js";
import { centralizeGradients } from "../stages/centralize-gradients.js";
import { clipByGlobalNorm } from "../stages/clip-by-global-norm.js";
import { clipByValue } from "../stages/clip-by-value.js";
import { clipUpdateByRms } from "../stages/clip-update-by-rms.js";
import { decoupledWeightDecay } from "../stages/decoupled-weight-decay.js";
import { nonNegativeWeights } from "../stages/non-negative-weights.js";
import { trustRatio } from "../stages/trust-ratio.js";
import type { OptionMap } from "./option-map.js";

/** A transformation that is a stage, where it stands in its list below. */
export interface OptaxTransformation {
  /** Its name here. */
  readonly stage: string;
  readonly options: OptionMap;
  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  readonly make: (settings: Readonly<Record<string, never>>) => StageSpec;
}

/** What becomes a stage on the gradient before the rule, with Optax's numbers for tensors of up to three dimensions. */
export const beforeRule: Readonly<Record<string, OptaxTransformation>> = {
  clip: { stage: "clip-by-value", options: { max_delta: { to: "clipValue" } }, make: clipByValue },
  clip_by_global_norm: {
    stage: "clip-by-global-norm",
    options: { max_norm: { to: "globalClipNorm" } },
    make: clipByGlobalNorm,
  },
  centralize: {
    stage: "centralize-gradients",
    options: {},
    make: () => centralizeGradients({ centralizeAxis: "row" }),
  },
  adaptive_grad_clip: {
    stage: "adaptive-gradient-clip",
    options: {
      clipping: { to: "agcClipping" },
      eps: { to: "agcEpsilon" },
      axis: { only: [null], why: "Norms go over the first dimension." },
    },
    make: adaptiveGradientClip,
  },
};

/** What becomes a stage on the update, between a transformation without a learning rate and the learning rate. */
export const beforeRate: Readonly<Record<string, OptaxTransformation>> = {
  add_decayed_weights: {
    stage: "decoupled-weight-decay",
    options: {
      weight_decay: { to: "weightDecay" },
      mask: { only: [null], why: "Use groups with a rule of their own." },
    },
    make: ({ weightDecay = 0 }) => decoupledWeightDecay({ decoupledWeightDecay: weightDecay }),
  },
  clip_by_block_rms: {
    stage: "clip-update-by-rms",
    options: { threshold: { to: "clipUpdateRms" } },
    make: clipUpdateByRms,
  },
  scale_by_trust_ratio: {
    stage: "trust-ratio",
    options: {
      min_norm: { only: [0], why: "Norms have no lower limit here." },
      trust_coefficient: { to: "trustRatioCoefficient" },
      eps: { to: "trustRatioEpsilon" },
    },
    make: trustRatio,
  },
};

/** What becomes a stage on the parameter. */
export const afterRule: Readonly<Record<string, OptaxTransformation>> = {
  keep_params_nonnegative: {
    stage: "non-negative-weights",
    options: {},
    make: () => nonNegativeWeights(),
  },
};

/** Transformations that multiply the update; the option with the factor, and its sign. */
export const scales: Readonly<
  Record<string, { readonly options: OptionMap; readonly sign: 1 | -1 }>
> = {
  scale: { options: { step_size: { to: "factor" } }, sign: 1 },
  scale_by_schedule: { options: { step_size_fn: { to: "factor" } }, sign: 1 },
  scale_by_learning_rate: {
    options: {
      learning_rate: { to: "factor" },
      flip_sign: { only: [true], why: "Use scale to leave the sign as it is." },
    },
    sign: -1,
  },
};

/** An alias without its learning rate. */
export interface OptaxCore {
  readonly alias: string;
  /** Its options, and their names in the alias. */
  readonly options: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, number | boolean>>;
}

const same = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, name]));
const adam = same("b1", "b2", "eps", "eps_root", "mu_dtype");
const rms = same("decay", "eps", "initial_scale", "eps_in_sqrt", "bias_correction");

/** The transformations at the heart of aliases. */
export const cores: Readonly<Record<string, OptaxCore>> = {
  identity: { alias: "sgd", options: {} },
  trace: {
    alias: "sgd",
    options: { decay: "momentum", ...same("nesterov", "accumulator_dtype") },
  },
  scale_by_adam: { alias: "adam", options: { ...adam, nesterov: "nesterov" } },
  scale_by_amsgrad: { alias: "amsgrad", options: adam },
  scale_by_adamax: { alias: "adamax", options: same("b1", "b2", "eps") },
  scale_by_radam: {
    alias: "radam",
    options: same("b1", "b2", "eps", "eps_root", "threshold", "nesterov"),
  },
  scale_by_belief: { alias: "adabelief", options: same("b1", "b2", "eps", "eps_root", "nesterov") },
  scale_by_yogi: { alias: "yogi", options: same("b1", "b2", "eps") },
  scale_by_lion: {
    alias: "lion",
    options: same("b1", "b2", "mu_dtype"),
    settings: { weightDecay: 0 },
  },
  scale_by_rms: { alias: "rmsprop", options: rms },
  scale_by_stddev: { alias: "rmsprop", options: rms, settings: { centered: true } },
  scale_by_rss: { alias: "adagrad", options: same("initial_accumulator_value", "eps") },
};
