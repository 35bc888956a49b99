import { checkIsConfig, optimizerByName } from "../by-name.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError, list, show } from "../errors.js";
import type { GroupOptions } from "../rule/rule.js";
import type { OptimizerConfig } from "../optimizer/optimizer.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { isSchedule, type Schedule } from "../schedules/schedule.js";
import { hasEffect } from "./option-effect.js";
import { ignored, type OptionMap } from "./option-map.js";
import { formOf, momentumCycle } from "./to-torch-scheduler.js";
import { commonTorchOptions, torchOptimizers } from "./torch-optimizers.js";
import type { TorchScheduler } from "./torch-schedulers.js";
import { fromTorch } from "./torch.js";

type Values = Readonly<Record<string, number | Schedule>>;
type Choices = OptimizerSpec["options"];

/** An optimizer of PyTorch: `fromTorch(name, paramGroups, { scheduler })` makes the same of it here. */
export interface TorchConfig {
  /** The class in `torch.optim`. */
  readonly name: string;
  /**
   * What PyTorch has in `optimizer.param_groups`, all options in each. The first is for the parameters that are not in
   * `param_names` of the others.
   */
  readonly paramGroups: readonly Readonly<Record<string, unknown>>[];
  /** To be stepped after each step of the optimizer. Left out if there is none. */
  readonly scheduler?: TorchScheduler;
}

/** Options of `toTorch`. */
export interface ToTorchOptions {
  /** The number of steps taken, which the current learning rate depends on if it is scheduled. 0 if left out. */
  readonly iterations?: number | undefined;
}

/**
 * The optimizer of PyTorch that does what one of gradstep does: the reverse of `fromTorch`.
 *
 * Options without an effect may have any value, such as `weightDecayMode` where no weight decays. So may those that
 * change nothing but how results are rounded (`averageForm`, `productIn`). When steps are taken (`accumulate`,
 * `nonFinite`, `lossScale`) is left to the training loop, as in PyTorch.
 *
 * @param config what `optimizer.config()` returned
 * @throws {GradstepError} `UNSUPPORTED`, with everything that PyTorch cannot do
 */
export function toTorch(config: OptimizerConfig, options: ToTorchOptions = {}): TorchConfig {
  checkOptions("toTorch", options, ["iterations"]);
  const { iterations = 0 } = options;
  checkIsConfig(config);
  const name = className(config.name);
  const spec = optimizerByName(config);
  const map: OptionMap = { ...commonTorchOptions, ...torchOptimizers[name].options };
  const misfits: string[] = [];
  if (config.rowSteps === true) misfits.push("rowSteps: PyTorch does not count the steps of rows");
  if (config.schedulesCount === "calls" && (config.accumulate ?? 1) > 1)
    misfits.push('schedulesCount is "calls"; schedulers of PyTorch count steps');
  const groups = groupsOf(spec, misfits);
  const schedulers = groups.map((group) => schedulerOf(group, misfits));
  const [scheduler] = schedulers;
  const distinct = new Set(schedulers.map((one) => comparable(one?.scheduler)));
  if (distinct.size > 1)
    misfits.push("the learning rates of groups follow schedules that one scheduler cannot set");
  const allValues = groups.map(({ values }) => values);
  const paramGroups = groups.map((group, i) => {
    const numbers = currentValues(group, iterations, misfits);
    const own = torchOptions(map, numbers, group.choices);
    // SGD refuses it where it has no effect.
    if (name === "SGD" && !hasEffect("nesterov", group.choices, allValues)) own.nesterov = false;
    const wanted = { numbers, choices: group.choices, values: group.values };
    for (const difference of differences(name, own, wanted)) misfits.push(group.label + difference);
    const initialRate = schedulers[i]?.initialRate;
    return {
      ...(i === 0 ? {} : { param_names: group.match }),
      ...own,
      ...(initialRate === undefined ? {} : { initial_lr: initialRate }),
    };
  });
  if (misfits.length > 0) {
    throw new GradstepError(
      `PyTorch's ${name} cannot do what this optimizer does: ${[...new Set(misfits)].join("; ")}. Train with what fromTorch("${name}", { … }) returns, which has PyTorch's forms.`,
      { code: "UNSUPPORTED" },
    );
  }
  return { name, paramGroups, ...(scheduler && { scheduler: scheduler.scheduler }) };
}

/** @throws {GradstepError} `UNSUPPORTED` */
function className(rule: string): string {
  const found = Object.keys(torchOptimizers).find((name) => torchOptimizers[name].rule === rule);
  if (found !== undefined) return found;
  const parts = rule.split("+");
  const known = [...new Set(Object.values(torchOptimizers).map((one) => one.rule))];
  throw new GradstepError(
    parts.length > 1
      ? `The optimizers of PyTorch have no stages, and the rule is ${show(rule)}; expected one of ${list(known)}. In PyTorch, the training loop does what stages do, such as torch.nn.utils.clip_grad_norm_.`
      : `PyTorch has no optimizer that does what ${show(rule)} does; expected one of ${list(known)}.`,
    { code: "UNSUPPORTED" },
  );
}

/** A group with all its hyperparameters. */
interface CompleteGroup {
  /** For messages. */
  readonly label: string;
  readonly match: GroupOptions["match"];
  readonly values: Values;
  readonly choices: Choices;
}

/** The optimizer's own group and the others, without those of another rule. */
function groupsOf(spec: OptimizerSpec, misfits: string[]): readonly CompleteGroup[] {
  const { hyperparameters, options: choices } = spec;
  const groups: CompleteGroup[] = [{ label: "", match: [], values: hyperparameters, choices }];
  spec.groups.forEach((group: GroupOptions, i) => {
    const label = `group ${i}: `;
    const { match, rule, every = 1, frozen: _, sparse: __, rowSteps, ...own } = group;
    if (every !== 1) misfits.push(`${label}every is ${every}; PyTorch updates all groups together`);
    if (rowSteps === true)
      misfits.push(`${label}rowSteps: PyTorch does not count the steps of rows`);
    const defaults = rule ?? spec;
    if (defaults.rule.name === spec.rule.name)
      groups.push({
        label,
        match,
        values: { ...defaults.hyperparameters, ...(own as Values) },
        choices: defaults.options,
      });
    else
      misfits.push(
        `${label}the rule ${defaults.rule.name}; make an optimizer of PyTorch for each rule`,
      );
  });
  return groups;
}

/** The values of the next step. */
function currentValues(
  { label, values }: CompleteGroup,
  iterations: number,
  misfits: string[],
): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [key, value] of Object.entries(values)) {
    if (isSchedule(value) && !["learningRate", "momentum", "beta1"].includes(key))
      misfits.push(
        `${label}${key} follows a schedule; schedulers of PyTorch set the learning rate and the momentum`,
      );
    numbers[key] = isSchedule(value) ? value.valueAt(iterations) : value;
  }
  return numbers;
}

/** The options of PyTorch that are made of several of ours, by what `fromTorch` translates them to. */
const combined: Readonly<
  Record<string, (values: Readonly<Record<string, number>>, choices: Choices) => unknown>
> = {
  betas: ({ beta1, beta2 }) => [beta1, beta2],
  epsilons: ({ epsilon1, epsilon2 }) => [epsilon1, epsilon2],
  decoupled: (_, { weightDecayMode }) => weightDecayMode === "decoupled",
  coefficients: ({ muonA, muonB, muonC }) => [muonA, muonB, muonC],
  adjust: (_, { adjust }) => (adjust === "rms" ? "match_rms_adamw" : "original"),
};

function torchOptions(
  map: OptionMap,
  values: Readonly<Record<string, number>>,
  choices: Choices,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [key, mapping] of Object.entries(map)) {
    if (mapping === ignored || !("to" in mapping)) continue;
    const { to } = mapping;
    options[key] = Object.hasOwn(combined, to)
      ? combined[to](values, choices)
      : (values[to] ?? choices[to]);
  }
  return options;
}

/** What PyTorch's options of a group are to stand for. */
interface Wanted {
  /** The hyperparameters of the next step. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly choices: Choices;
  /** The hyperparameters as numbers or schedules. */
  readonly values: Values;
}

/** What `fromTorch` makes otherwise of these options. */
function differences(
  name: string,
  group: Readonly<Record<string, unknown>>,
  { numbers, choices, values }: Wanted,
): string[] {
  let back: OptimizerSpec;
  try {
    const isPlain = numbers.momentum === 0 && group.nesterov === true;
    back = fromTorch(name, isPlain ? { ...group, nesterov: false } : group);
  } catch (error) {
    if (error instanceof GradstepError) return [error.message.replace(/\.$/, "")];
    throw error;
  }
  const wanted: Readonly<Record<string, unknown>> = { ...numbers, ...choices };
  const got: Readonly<Record<string, unknown>> = { ...back.hyperparameters, ...back.options };
  return Object.keys(got)
    .filter((key) => got[key] !== wanted[key] && hasEffect(key, choices, [values]))
    .map((key) => `${key} is ${show(wanted[key])}, and ${show(got[key])} in PyTorch`);
}

/** The scheduler of a group; undefined if its learning rate is a number. */
function schedulerOf(
  { label, values: { learningRate, momentum, beta1 } }: CompleteGroup,
  misfits: string[],
): { readonly scheduler: TorchScheduler; readonly initialRate: number } | undefined {
  const fail = (key: string, why: string): undefined => {
    misfits.push(`${label}${key}: ${why}`);
  };
  const cycled = momentum ?? beta1;
  const cycle = isSchedule(cycled) ? momentumCycle(cycled, learningRate) : {};
  if (typeof cycle === "string") return fail(momentum === undefined ? "beta1" : "momentum", cycle);
  if (!isSchedule(learningRate)) return undefined;
  const form = formOf(learningRate);
  if (typeof form === "string") return fail("learningRate", form);
  const scheduler = form.scheduler(form.initialRate);
  if (typeof scheduler === "string") return fail("learningRate", scheduler);
  return { scheduler: { ...scheduler, ...cycle }, initialRate: form.initialRate };
}

/** Equal for schedulers that differ by roundings. */
function comparable(scheduler: TorchScheduler | undefined): string {
  return JSON.stringify(scheduler ?? null, (_, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(12)) : value,
  );
}
