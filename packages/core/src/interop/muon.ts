import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { adamw } from "../rules/adamw.js";
import { muon } from "../rules/muon.js";
import { withAdamw } from "../rules/muon-with-adamw.js";
import type { OptionMap } from "./option-map.js";

type Settings = Readonly<Record<string, unknown>>;

/** The options of Keras's Muon. Those that start with `adam` are for its AdamW. */
export const kerasMuonOptions: OptionMap = {
  momentum: { to: "momentum" },
  nesterov: { to: "nesterov" },
  ns_steps: { to: "nsSteps" },
  muon_a: { to: "muonA" },
  muon_b: { to: "muonB" },
  muon_c: { to: "muonC" },
  rms_rate: { to: "rmsRate" },
  epsilon: { to: "adamEpsilon" },
  adam_beta_1: { to: "adamBeta1" },
  adam_beta_2: { to: "adamBeta2" },
  adam_weight_decay: { to: "adamWeightDecay" },
  adam_lr_ratio: { to: "adamRateRatio" },
  exclude_layers: { to: "excludeLayers" },
  exclude_embeddings: { to: "excludeEmbeddings" },
};

/** Keras's Muon, with AdamW for what it excludes. @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
export function kerasMuon(owner: string, settings: Settings): OptimizerSpec {
  const {
    rmsRate = 0.2,
    adamEpsilon,
    adamBeta1,
    adamBeta2,
    adamWeightDecay = 0.004,
    adamRateRatio = 1,
    excludeLayers,
    excludeEmbeddings = true,
    ...own
  } = settings;
  const spec = muon.specify({
    weightDecay: 0.004,
    ...own,
    ...(rmsRate === null ? { adjust: "none" } : { rmsRate }),
  });
  const patterns = patternsOf(owner, excludeLayers);
  if (excludeEmbeddings === true) patterns.push(/embedding/i);
  const { learningRate } = spec.hyperparameters;
  const ratio = Number(adamRateRatio);
  if (typeof learningRate !== "number" && ratio !== 1) {
    throw new GradstepError(
      `${owner}: adam_lr_ratio is ${show(adamRateRatio)} and learning_rate a schedule; expected 1, or a number as learning_rate.`,
      { code: "UNSUPPORTED" },
    );
  }
  const rule = adamw.specify({
    learningRate: typeof learningRate === "number" ? learningRate * ratio : learningRate,
    // Keras decays with the rate of Muon.
    weightDecay: Number(adamWeightDecay) / ratio,
    epsilon: adamEpsilon,
    beta1: adamBeta1,
    beta2: adamBeta2,
  });
  return withAdamw(spec, rule, ({ name }) => patterns.some((one) => one.test(name)));
}

/** @throws {GradstepError} `UNKNOWN_OPTION` */
function patternsOf(owner: string, layers: unknown = []): RegExp[] {
  if (isArray(layers) && layers.every((one) => typeof one === "string"))
    return layers.map((one: string) => new RegExp(one));
  throw new GradstepError(
    `${owner}: exclude_layers is ${show(layers)}; expected a list of patterns, such as ["output"].`,
    { code: "UNKNOWN_OPTION" },
  );
}

/** The options of PyTorch's Muon. */
export const torchMuonOptions: OptionMap = {
  eps: { to: "epsilon" },
  momentum: { to: "momentum" },
  nesterov: { to: "nesterov" },
  ns_steps: { to: "nsSteps" },
  ns_coefficients: { to: "coefficients" },
  adjust_lr_fn: { to: "adjust" },
};

/** Settings of muon from PyTorch's, where the values differ. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function torchMuonSettings(owner: string, settings: Settings): Record<string, unknown> {
  const translated = withCoefficients(owner, settings);
  const { adjust } = translated;
  if (adjust === null) return { ...translated, adjust: "original" };
  if (adjust === "match_rms_adamw") return { ...translated, adjust: "rms", rmsRate: 0.2 };
  return translated;
}

/** The options of Optax's Muon. Those that start with `adam` are for its AdamW. */
export const optaxMuonOptions: OptionMap = {
  learning_rate: { to: "learningRate" },
  ns_coeffs: { to: "coefficients" },
  ns_steps: { to: "nsSteps" },
  beta: { to: "momentum" },
  eps: { to: "epsilon" },
  weight_decay: { to: "weightDecay" },
  weight_decay_mask: { only: [null], why: "Use groups." },
  mu_dtype: { only: [null], why: "State is f32." },
  nesterov: { to: "nesterov" },
  adaptive: { only: [false], why: "The update is not scaled by its dual norm here." },
  preconditioning: { only: ["frobenius"], why: "Matrices are divided by their Frobenius norm." },
  muon_weight_dimension_numbers: { only: [null], why: "Use groups with a rule of their own." },
  consistent_rms: { to: "rmsRate" },
  adam_b1: { to: "adamBeta1" },
  adam_b2: { to: "adamBeta2" },
  adam_eps_root: { to: "adamEpsilonRoot" },
  adam_weight_decay: { to: "adamWeightDecay" },
  adam_learning_rate: { to: "adamLearningRate" },
};

/** Optax's Muon, with its AdamW for everything but matrices. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function optaxMuon(owner: string, settings: Settings): OptimizerSpec {
  const {
    rmsRate = null,
    adamBeta1,
    adamBeta2,
    adamEpsilonRoot,
    adamWeightDecay,
    adamLearningRate,
    ...own
  } = withCoefficients(owner, settings);
  const adjust = rmsRate === null ? { adjust: "transposed" } : { adjust: "rms", rmsRate };
  const spec = muon.specify({ epsilon: 1e-8, ...own, ...adjust, momentumForm: "optax" });
  const { learningRate, epsilon } = spec.hyperparameters;
  const rule = adamw.specify({
    learningRate: adamLearningRate ?? learningRate,
    weightDecay: adamWeightDecay ?? 0,
    epsilon,
    epsilonRoot: adamEpsilonRoot,
    beta1: adamBeta1,
    beta2: adamBeta2,
    nesterov: spec.options.nesterov,
    epsilonMode: "paper",
    averageForm: "sum-of-squares",
  });
  return withAdamw(spec, rule, () => false);
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
function withCoefficients(owner: string, { coefficients, ...settings }: Settings): Settings {
  if (coefficients === undefined || coefficients === "standard") return settings;
  if (!isArray(coefficients) || coefficients.length !== 3) {
    throw new GradstepError(
      `${owner}: the coefficients are ${show(coefficients)}; expected three numbers, such as [3.4445, -4.775, 2.0315].`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const [muonA, muonB, muonC] = coefficients as unknown[];
  return { ...settings, muonA, muonB, muonC };
}
