import { checkIsObject, lookUp, translate, withoutPair, type OptionMap } from "./option-map.js";
import { torchMuonSettings } from "./muon.js";
import { commonTorchOptions, torchOptimizers } from "./torch-optimizers.js";
import { scheduledByTorch, type TorchScheduler } from "./torch-schedulers.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { checkSwitch } from "../argument-checks/check-switch.js";
import { GradstepError, show } from "../errors.js";
import type { GroupOptions } from "../rule/rule.js";
import { rules } from "../rules/index.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { isArray } from "../argument-checks/is-array.js";

type Options = Readonly<Record<string, unknown>>;

/** Options of `fromTorch`. */
export interface TorchOptions {
  /**
   * A scheduler of `torch.optim.lr_scheduler` that is stepped after each step of the optimizer: its class and the arguments
   * of its constructor, `{ name: "StepLR", step_size: 30 }`. With `SequentialLR`, `schedulers` is a list of such objects.
   */
  readonly scheduler?: TorchScheduler | undefined;
}

/**
 * The spec of a PyTorch optimizer: `fromTorch("AdamW", { lr: 1e-3, weight_decay: 0.1 })`, with PyTorch's defaults. The
 * same gradients give PyTorch's numbers, including its L2 `weight_decay`, `maximize`, its place of ε, and what happens
 * when the square of a gradient overflows.
 *
 * Options can be what PyTorch prints: a parameter group of `optimizer.state_dict()["param_groups"]`, or that list. The
 * first group then applies to all parameters that no other group names. PyTorch prints the names of parameters only if
 * the optimizer was made with `named_parameters()`; otherwise add them to the other groups as `parameters`.
 *
 * A scheduler makes the learning rate a schedule, of each group by its own rate, and momentum, where PyTorch cycles it:
 * `fromTorch("SGD", { lr: 0.1, momentum: 0.9 }, { scheduler: { name: "StepLR", step_size: 30 } })`.
 *
 * A group that differs in an option such as `maximize`, `amsgrad` or `nesterov` has a rule of its own. It does not follow
 * `optimizer.learningRate`; set the rate of `optimizer.groups[i]`.
 *
 * Groups can also be written as `{ lr: 0.01, groups: [{ parameters: ["kernel"], lr: 0.05 }] }`.
 *
 * PyTorch counts steps per parameter and skips those without a gradient; `optimizer.step` counts them per group. So bias
 * correction differs for a parameter without a gradient in some steps: take these with `torchStep`, or put a parameter whose
 * first gradient comes late into a group with `frozen: true` until then, which counts no steps.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function fromTorch(
  name: string,
  options: Options | readonly Options[] = {},
  keywords: TorchOptions = {},
): OptimizerSpec {
  checkOptions("fromTorch", keywords, ["scheduler"]);
  const { rule: ruleName, options: own, defaults, form } = lookUp("PyTorch", name, torchOptimizers);
  const owner = `PyTorch's ${name}`;
  const map = { ...commonTorchOptions, ...own };
  const { groups, ...whole } = isArray(options)
    ? fromParameterGroups(owner, options)
    : withGroups(owner, options);
  const constants = { ...settingsOf(owner, defaults, map), ...settingsOf(owner, whole, map) };
  const { scheduler } = keywords;
  const base =
    scheduler === undefined
      ? constants
      : withScheduler(owner, scheduler, { ...constants, initialRate: whole.initial_lr }, own);
  const rule = rules.find((one) => one.name === ruleName)!;
  const spec = rule.specify({ weightDecayMode: "l2", ...base, ...form });
  const { momentum = 0, dampening = 0 } = spec.hyperparameters;
  if (name === "SGD" && spec.options.nesterov === true && (momentum === 0 || dampening !== 0)) {
    throw new GradstepError(
      `${owner}: nesterov needs momentum above 0 and dampening 0, in PyTorch and here.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return {
    ...spec,
    groups: groups.map((group, i) => {
      const label = `${owner}, group ${i}`;
      const own = groupOptions(label, group, map, spec);
      if (scheduler === undefined) return own;
      const { momentum: _, beta1: __, ...others } = own;
      const initialRate = group.initial_lr ?? own.learningRate;
      const scheduled = scheduledByTorch(scheduler, initialRate ?? constants.learningRate);
      return {
        // A scheduler that cycles the momentum sets that of all groups.
        ...(scheduled.momentum === undefined ? own : others),
        ...(initialRate === undefined ? {} : { learningRate: scheduled.learningRate }),
      };
    }),
  };
}

/** Settings with the schedules of a scheduler, in place of the rate with which it starts. */
function withScheduler(
  owner: string,
  scheduler: TorchScheduler,
  { initialRate, ...settings }: Options,
  options: OptionMap,
): Options {
  const { learningRate, momentum } = scheduledByTorch(
    scheduler,
    initialRate ?? settings.learningRate,
  );
  if (momentum === undefined) return { ...settings, learningRate };
  const name = "momentum" in options ? "momentum" : "betas" in options ? "beta1" : undefined;
  if (name === undefined) {
    throw new GradstepError(
      `${owner} has neither momentum nor betas for ${scheduler.name} to cycle; expected cycle_momentum: false.`,
      { code: "UNSUPPORTED" },
    );
  }
  return { ...settings, learningRate, [name]: momentum };
}

/** @throws {GradstepError} `UNKNOWN_OPTION` */
function withGroups(owner: string, options: Options): { groups: readonly Options[] } & Options {
  checkIsObject(owner, options);
  const { groups = [], ...whole } = options;
  if (!isArray(groups)) {
    throw new GradstepError(
      `${owner}: groups is ${show(groups)}; expected a list of { parameters, … }.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  return { ...whole, groups: groups as readonly Options[] };
}

/** PyTorch repeats every option in each group: only what differs from the first is the group's own. */
function fromParameterGroups(
  owner: string,
  [first, ...rest]: readonly Options[],
): { groups: readonly Options[] } & Options {
  checkIsObject(owner, first);
  const { parameters: _, param_names: __, ...whole } = first;
  const groups = rest.map((group) => {
    checkIsObject(owner, group);
    const own = Object.entries(group).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(whole[key]),
    );
    return Object.fromEntries(own);
  });
  return { ...whole, groups };
}

function groupOptions(
  owner: string,
  group: unknown,
  map: OptionMap,
  { rule, options, hyperparameters }: OptimizerSpec,
): GroupOptions {
  checkIsObject(owner, group);
  const { parameters, ...own } = group;
  const names = parameters ?? own.param_names;
  if (!isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new GradstepError(
      `${owner}: parameters is ${show(names)}; expected a list of names. PyTorch prints indices, as params, and names only if the optimizer has them: add parameters: ["…"].`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const settings = Object.entries(settingsOf(owner, own, map));
  const isChoice = ([key]: readonly [string, unknown]): boolean => Object.hasOwn(rule.options, key);
  const choices = Object.fromEntries(settings.filter(isChoice));
  const selected = {
    match: names,
    ...Object.fromEntries(settings.filter((one) => !isChoice(one))),
  };
  const differs = Object.entries(choices).some(([key, value]) => value !== options[key]);
  if (!differs) return selected;
  return { ...selected, rule: rule.specify({ ...hyperparameters, ...options, ...choices }) };
}

/** Options under the names they have here; what is left out is left out. */
function settingsOf(owner: string, options: Options, map: OptionMap): Record<string, unknown> {
  const {
    epsilons,
    decoupled: isDecoupled,
    ...settings
  } = withoutPair(owner, translate(owner, options, map));
  if (epsilons !== undefined) {
    if (!isArray(epsilons) || epsilons.length !== 2) {
      throw new GradstepError(
        `${owner}: eps is ${show(epsilons)}; expected two numbers, such as [null, 0.001].`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    const [first, second] = epsilons as unknown[];
    // PyTorch's default depends on the type: it is the distance from 1 to the next f32.
    settings.epsilon1 = first ?? 2 ** -23;
    settings.epsilon2 = second;
  }
  if (isDecoupled !== undefined) {
    checkSwitch(owner, "decoupled_weight_decay", isDecoupled);
    settings.weightDecayMode = isDecoupled === true ? "decoupled" : "l2";
  }
  return map.ns_steps === undefined ? settings : torchMuonSettings(owner, settings);
}
