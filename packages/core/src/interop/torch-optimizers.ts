import { torchMuonOptions } from "./muon.js";
import { ignored, type OptionMap } from "./option-map.js";

/** The options of every optimizer. */
export const commonTorchOptions: OptionMap = {
  lr: { to: "learningRate" },
  weight_decay: { to: "weightDecay" },
  maximize: { to: "maximize" },
  // How PyTorch computes, not what.
  foreach: ignored,
  fused: ignored,
  capturable: ignored,
  differentiable: ignored,
  // What PyTorch and its schedulers store in a parameter group. The current values are in lr, betas and momentum.
  params: ignored,
  param_names: ignored,
  initial_lr: ignored,
  max_lr: ignored,
  min_lr: ignored,
  max_momentum: ignored,
  base_momentum: ignored,
  swa_lr: ignored,
  // A label that trainers give a group of their own, as those of Gaussian splats do.
  name: ignored,
};

const eps = { eps: { to: "epsilon" } } as const;
const betas = { ...eps, betas: { to: "betas" } } as const;
const decoupled = { decoupled_weight_decay: { to: "decoupled" } } as const;

export interface TorchOptimizer {
  readonly rule: string;
  /** The options it has in addition to the common ones. */
  readonly options: OptionMap;
  /** PyTorch's defaults, under PyTorch's names. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The options of the rule that select PyTorch's formulas. */
  readonly form: Readonly<Record<string, string>>;
}

const adamDefaults = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 } as const;

/** `torch.optim`, as of PyTorch 2.13. */
export const torchOptimizers: Readonly<Record<string, TorchOptimizer>> = {
  SGD: {
    rule: "sgd",
    options: {
      momentum: { to: "momentum" },
      dampening: { to: "dampening" },
      nesterov: { to: "nesterov" },
    },
    defaults: { lr: 1e-3 },
    form: { momentumForm: "torch" },
  },
  Adagrad: {
    rule: "adagrad",
    options: {
      ...eps,
      lr_decay: { to: "learningRateDecay" },
      initial_accumulator_value: { to: "initialAccumulatorValue" },
    },
    defaults: { lr: 0.01, eps: 1e-10, initial_accumulator_value: 0 },
    form: { epsilonMode: "outside" },
  },
  RMSprop: {
    rule: "rmsprop",
    options: {
      ...eps,
      alpha: { to: "rho" },
      momentum: { to: "momentum" },
      centered: { to: "centered" },
    },
    defaults: { lr: 0.01, alpha: 0.99, eps: 1e-8 },
    form: { epsilonMode: "outside", momentumForm: "torch", averageForm: "sum" },
  },
  Adam: {
    rule: "adam",
    options: { ...betas, ...decoupled, amsgrad: { to: "amsgrad" } },
    defaults: adamDefaults,
    form: { epsilonMode: "paper", averageForm: "sum" },
  },
  AdamW: {
    rule: "adamw",
    options: { ...betas, ...decoupled, amsgrad: { to: "amsgrad" } },
    defaults: { ...adamDefaults, weight_decay: 0.01, decoupled_weight_decay: true },
    form: { epsilonMode: "paper", averageForm: "sum" },
  },
  Adamax: {
    rule: "adamax",
    options: betas,
    defaults: { ...adamDefaults, lr: 2e-3 },
    form: { epsilonMode: "inside" },
  },
  Adadelta: {
    rule: "adadelta",
    options: { ...eps, rho: { to: "rho" } },
    defaults: { lr: 1, rho: 0.9, eps: 1e-6 },
    form: { averageForm: "sum" },
  },
  Adafactor: {
    rule: "adafactor",
    options: {
      eps: { to: "epsilons" },
      beta2_decay: { to: "beta2Decay" },
      d: { to: "clipThreshold" },
    },
    defaults: { lr: 0.01, eps: [null, 1e-3] },
    form: { epsilonMode: "minimum", weightDecayMode: "decoupled" },
  },
  RAdam: {
    rule: "radam",
    options: { ...betas, ...decoupled },
    defaults: adamDefaults,
    form: { epsilonMode: "uncorrected", averageForm: "sum" },
  },
  Muon: {
    rule: "muon",
    options: torchMuonOptions,
    defaults: { lr: 1e-3, weight_decay: 0.1, eps: 1e-7, adjust_lr_fn: null },
    form: { momentumForm: "torch", weightDecayMode: "decoupled" },
  },
  NAdam: {
    rule: "nadam",
    options: { ...betas, ...decoupled, momentum_decay: { to: "momentumDecay" } },
    defaults: { ...adamDefaults, lr: 2e-3, momentum_decay: 4e-3 },
    form: { productIn: "f32", averageForm: "sum" },
  },
};
