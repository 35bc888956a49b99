import { ignored, lookUp, translate, type Dictionary } from "./dictionary.js";
import { GradstepError, show } from "../errors.js";
import type { GroupOptions } from "../optimizer/group-options.js";
import { rules } from "../rules/index.js";
import type { OptimizerSpec } from "../rule/spec.js";

/** How PyTorch computes, not what: of no influence on the numbers. */
const common: Dictionary = {
  lr: { to: "learningRate" },
  weight_decay: { to: "weightDecay" },
  maximize: { to: "maximize" },
  foreach: ignored,
  fused: ignored,
  capturable: ignored,
  differentiable: ignored,
};

const eps = { eps: { to: "epsilon" } } as const;
const betas = { ...eps, betas: { to: "betas" } } as const;
const decoupled = { decoupled_weight_decay: { to: "decoupled" } } as const;

interface TorchOptimizer {
  readonly rule: string;
  readonly own: Dictionary;
  /** PyTorch's defaults, in its names. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What makes the rule here compute PyTorch's form. */
  readonly form: Readonly<Record<string, string>>;
}

const adamDefaults = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 } as const;

/** `torch.optim`, as of PyTorch 2.13. */
const optimizers: Readonly<Record<string, TorchOptimizer>> = {
  SGD: {
    rule: "sgd",
    own: {
      momentum: { to: "momentum" },
      dampening: { to: "dampening" },
      nesterov: { to: "nesterov" },
    },
    defaults: { lr: 1e-3 },
    form: { momentumForm: "torch" },
  },
  Adagrad: {
    rule: "adagrad",
    own: {
      ...eps,
      lr_decay: { to: "learningRateDecay" },
      initial_accumulator_value: { to: "initialAccumulatorValue" },
    },
    defaults: { lr: 0.01, eps: 1e-10, initial_accumulator_value: 0 },
    form: { epsilonMode: "outside" },
  },
  RMSprop: {
    rule: "rmsprop",
    own: {
      ...eps,
      alpha: { to: "rho" },
      momentum: { to: "momentum" },
      centered: { to: "centered" },
    },
    defaults: { lr: 0.01, alpha: 0.99, eps: 1e-8 },
    form: { epsilonMode: "outside", momentumForm: "torch" },
  },
  Adam: {
    rule: "adam",
    own: { ...betas, ...decoupled, amsgrad: { to: "amsgrad" } },
    defaults: adamDefaults,
    form: { epsilonMode: "paper" },
  },
  AdamW: {
    rule: "adamw",
    own: { ...betas, amsgrad: { to: "amsgrad" } },
    defaults: { ...adamDefaults, weight_decay: 0.01 },
    form: { epsilonMode: "paper" },
  },
  Adamax: {
    rule: "adamax",
    own: betas,
    defaults: { ...adamDefaults, lr: 2e-3 },
    form: { epsilonMode: "inside" },
  },
  NAdam: {
    rule: "nadam",
    own: { ...betas, ...decoupled, momentum_decay: { to: "momentumDecay" } },
    defaults: { ...adamDefaults, lr: 2e-3, momentum_decay: 4e-3 },
    form: { productIn: "f32" },
  },
};

/**
 * The spec of a PyTorch optimizer: `fromTorch("AdamW", { lr: 1e-3, weight_decay: 0.1 })`, with PyTorch's defaults. The
 * same gradients give PyTorch's numbers; its L2 `weight_decay`, `maximize` and place of ε are included.
 *
 * Parameter groups are written as `{ groups: [{ parameters: ["kernel"], lr: 0.05 }, …], lr: 0.01 }`: names in place of
 * tensors, and the options of the whole beside them.
 *
 * One difference remains: PyTorch counts steps for each parameter, and leaves the count where a gradient is None.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function fromTorch(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): OptimizerSpec {
  const optimizer = lookUp("PyTorch", name, optimizers);
  const owner = `PyTorch's ${name}`;
  const dictionary = { ...common, ...optimizer.own };
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw new GradstepError(`${owner}: got ${show(options)}; expected an object of options.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  const { groups = [], ...settings } = options;
  if (!Array.isArray(groups)) {
    throw new GradstepError(
      `${owner}: groups is ${show(groups)}; expected a list of { parameters, … }.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const isAdamW = name === "AdamW";
  const { decoupled: isDecoupled = isAdamW, ...base } = unpackBetas(
    owner,
    translate(owner, { ...optimizer.defaults, ...settings }, dictionary),
  );
  if (typeof isDecoupled !== "boolean") {
    throw new GradstepError(
      `${owner}: decoupled_weight_decay is ${show(isDecoupled)}; expected true or false.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const rule = rules.find((one) => one.name === optimizer.rule)!;
  const spec = rule.specify({
    ...base,
    ...optimizer.form,
    weightDecayMode: isDecoupled ? "decoupled" : "l2",
  });
  const { momentum = 0, dampening = 0 } = spec.hyperparameters;
  if (base.nesterov === true && (momentum === 0 || dampening !== 0)) {
    throw new GradstepError(
      `${owner}: nesterov needs momentum above 0 and dampening 0, in PyTorch and here.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return {
    ...spec,
    groups: groups.map((group, i) => torchGroup(`${owner}, group ${i}`, group, dictionary)),
  };
}

function torchGroup(owner: string, group: unknown, dictionary: Dictionary): GroupOptions {
  const { parameters, ...settings } = (group ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(parameters) || !parameters.every((name) => typeof name === "string")) {
    throw new GradstepError(
      `${owner}: parameters is ${show(parameters)}; expected a list of names.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  // What is no hyperparameter here is refused by createOptimizer, with the group's index.
  return { match: parameters, ...unpackBetas(owner, translate(owner, settings, dictionary)) };
}

function unpackBetas(
  owner: string,
  { betas: pair, ...rest }: Record<string, unknown>,
): Record<string, unknown> {
  if (pair === undefined) return rest;
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw new GradstepError(
      `${owner}: betas is ${show(pair)}; expected two numbers, such as [0.9, 0.999].`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return { ...rest, beta1: pair[0], beta2: pair[1] };
}
