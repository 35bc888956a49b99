import { checkIsConfig, optimizerByName } from "../by-name.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError, show } from "../errors.js";
import type { OptimizerConfig } from "../optimizer/optimizer.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { isSchedule, type Schedule } from "../schedules/schedule.js";
import { stages } from "../stages/index.js";
import { aliases } from "./optax-aliases.js";
import { optaxOptions } from "./optax-options.js";
import { afterRule, beforeRate, beforeRule, cores } from "./optax-transformations.js";
import { fromOptax } from "./optax.js";
import { hasEffect } from "./option-effect.js";

/** An optimizer of Optax: `fromOptax(name, options)` makes the same of it here. */
export interface OptaxConfig {
  /** An alias, or the parts of a chain joined by `+`. */
  readonly name: string;
  /** The arguments of all parts. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Options of `toOptax`. */
export interface ToOptaxOptions {
  /**
   * The name of the result, where several do the same, such as
   * `"scale_by_adam+add_decayed_weights+scale_by_learning_rate"` or `"inject_hyperparams+adam"`. Found if left out.
   */
  readonly name?: string | undefined;
}

/**
 * The optimizer of Optax that does what one of gradstep does: the reverse of `fromOptax`.
 *
 * Options without an effect may have any value, such as `weightDecayMode` where no weight decays. So may those that
 * change nothing but how results are rounded (`averageForm`), and `momentumForm` of `sgd` and `rmsprop` where the
 * learning rate is a number: then the velocities are multiples of one another.
 *
 * @param config what `optimizer.config()` returned
 * @throws {GradstepError} `UNSUPPORTED`, with everything that Optax cannot do
 */
export function toOptax(config: OptimizerConfig, options: ToOptaxOptions = {}): OptaxConfig {
  checkOptions("toOptax", options, ["name"]);
  checkIsConfig(config);
  const spec = withOwnValues(optimizerByName(config));
  const misfits = [...controlMisfits(config), ...groupMisfits(spec), ...scheduleMisfits(spec)];
  const names = options.name === undefined ? namesOf(spec, misfits) : [options.name];
  const found = names.map((name) => {
    const optax = { name, options: optaxOptions(name, spec) };
    const back = readBack(optax);
    if (typeof back === "string") return { optax, differences: [back] };
    // Without a part that Optax lacks, the name is not all of it.
    const ofRule = misfits.length === 0 ? ruleDifferences(spec, back) : [];
    return { optax, differences: [...ofRule, ...differences(spec, back)] };
  });
  const [best] = found.sort((a, b) => a.differences.length - b.differences.length);
  misfits.push(...(best?.differences ?? []));
  if (misfits.length === 0) return best.optax;
  const { name } = best?.optax ?? { name: "adamw" };
  throw new GradstepError(
    `Optax cannot do what this ${spec.rule.name} does: ${[...new Set(misfits)].join("; ")}. Train with what fromOptax("${name}", { … }) returns, which has Optax's forms.`,
    { code: "UNSUPPORTED" },
  );
}

function controlMisfits(config: OptimizerConfig): string[] {
  const { rowSteps, schedulesCount, accumulate = 1, nonFinite, lossScale } = config;
  const misfits: string[] = [];
  if (rowSteps === true) misfits.push("rowSteps: Optax does not count the steps of rows");
  if (schedulesCount === "calls" && accumulate > 1)
    misfits.push('schedulesCount is "calls"; the schedules of Optax count steps');
  if (nonFinite === "throw")
    misfits.push('nonFinite is "throw"; Optax can only skip such steps, with apply_if_finite');
  if (lossScale !== undefined && lossScale !== 1)
    misfits.push("lossScale: divide the gradients by it in the training loop");
  return misfits;
}

/** The hyperparameters of a group with a rule of its own, which may have been set since, as those of the rule. */
function withOwnValues(spec: OptimizerSpec): OptimizerSpec {
  const groups = spec.groups.map((group) => {
    const { rule } = group;
    if (rule === undefined) return group;
    const names = Object.keys(rule.hyperparameters);
    const [own, others] = [true, false].map((isOwn) =>
      Object.fromEntries(Object.entries(group).filter(([key]) => names.includes(key) === isOwn)),
    );
    const hyperparameters = { ...rule.hyperparameters, ...own } as typeof rule.hyperparameters;
    return { ...others, match: group.match, rule: { ...rule, hyperparameters } };
  });
  return { ...spec, groups };
}

/** Muon has its AdamW as the rule of a group; Optax's chains have no other groups. */
function groupMisfits({ rule, groups }: OptimizerSpec): string[] {
  const without: Readonly<Record<string, unknown>> = { every: 1, frozen: false };
  return groups.flatMap((group, i) => {
    const isMuon = rule.name === "muon" && groups.length === 1 && group.rule !== undefined;
    const others = Object.entries(group).filter(
      ([key, value]) => !["match", "rule", "sparse"].includes(key) && without[key] !== value,
    );
    if (isMuon && others.length === 0) return [];
    return [
      `group ${i}: a chain of Optax does the same to all parameters; make one optimizer per group, as for optax.multi_transform`,
    ];
  });
}

function scheduleMisfits({ hyperparameters, groups }: OptimizerSpec): string[] {
  const rules = groups.flatMap(({ rule }) => (rule === undefined ? [] : [rule.hyperparameters]));
  return [hyperparameters, ...rules].flatMap((values) =>
    Object.entries(values)
      .filter(([key, value]) => isSchedule(value) && key !== "learningRate")
      .map(([key]) => `${key} follows a schedule; only the learning rate of Optax's can`),
  );
}

/** The names that an optimizer can have in Optax, apart from its options. */
function namesOf(spec: OptimizerSpec, misfits: string[]): string[] {
  const { rule, hyperparameters, control } = spec;
  const parts = rule.name.split("+");
  const isStage = (part: string): boolean => stages.some(({ name }) => name === part);
  const at = parts.length === 1 ? 0 : parts.findIndex((part) => !isStage(part));
  const updated = (part: string): string => stages.find(({ name }) => name === part)!.updated;
  const toOptax = (part: string): string[] => {
    for (const table of [beforeRule, beforeRate, afterRule]) {
      const name = Object.keys(table).find((key) => table[key].stage === part);
      if (name !== undefined) return [name];
    }
    misfits.push(`the stage ${part}; Optax has no such transformation`);
    return [];
  };
  const before = parts.slice(0, at).flatMap(toOptax);
  const after = parts.slice(at + 1);
  const onUpdate = after.filter((part) => updated(part) === "u").flatMap(toOptax);
  const onParameter = after.filter((part) => updated(part) === "p").flatMap(toOptax);
  const wrapping = [
    ...((control?.accumulate ?? 1) > 1 ? ["multi_steps"] : []),
    ...(control?.nonFinite === "skip" ? ["apply_if_finite"] : []),
  ];
  const own = parts[at];
  const centers =
    onUpdate.length === 0
      ? Object.keys(aliases)
          .filter((name) => isSameRule(aliases[name].rule, own))
          .map((name) => [name])
      : Object.keys(cores)
          .filter((name) => isSameRule(aliases[cores[name].alias].rule, own))
          .map((name) => [name, ...onUpdate, "scale_by_learning_rate"]);
  if (centers.length === 0) misfits.push(`the rule ${show(own)}; Optax has no such optimizer`);
  const decay = hyperparameters.weightDecay === 0 ? [[]] : [[], ["add_decayed_weights"]];
  return centers.flatMap((center) =>
    decay.map((l2) => [...wrapping, ...before, ...l2, ...center, ...onParameter].join("+")),
  );
}

/** Adam with weight decay is AdamW. */
function isSameRule(one: string, other: string): boolean {
  return one.replace("adamw", "adam") === other.replace("adamw", "adam");
}

/** What `fromOptax` makes of it, or why it makes nothing. */
function readBack({ name, options }: OptaxConfig): OptimizerSpec | string {
  try {
    return fromOptax(name, options);
  } catch (error) {
    if (error instanceof GradstepError) return error.message.replace(/\.$/, "");
    throw error;
  }
}

function ruleDifferences({ rule }: OptimizerSpec, back: OptimizerSpec): string[] {
  return isSameRule(rule.name, back.rule.name)
    ? []
    : [`the rule is ${rule.name}, and ${back.rule.name} in Optax`];
}

/** What `fromOptax` makes otherwise, apart from the rule. */
function differences(spec: OptimizerSpec, back: OptimizerSpec): string[] {
  const found = settingDifferences(spec, back);
  const [own, other] = [spec, back].map(({ groups }) => groups[0]?.rule as OptimizerSpec);
  if (other !== undefined && own === undefined)
    found.push("no group with AdamW for all parameters that are not matrices");
  else if (other !== undefined)
    found.push(...settingDifferences(own, other).map((one) => `AdamW: ${one}`));
  return found;
}

function settingDifferences(spec: OptimizerSpec, back: OptimizerSpec): string[] {
  const wanted: Values = { ...spec.hyperparameters, ...spec.options };
  const got: Values = { ...back.hyperparameters, ...back.options };
  return Object.keys(wanted)
    .filter((key) => Object.hasOwn(got, key))
    .filter((key) => JSON.stringify(got[key]) !== JSON.stringify(wanted[key]))
    .filter((key) => hasEffect(key, spec.options, [spec.hyperparameters]))
    .filter((key) => key !== "momentumForm" || !hasScalableMomentum(spec))
    .map((key) => `${key} is ${shown(wanted[key])}, and ${shown(got[key])} in Optax`);
}

type Values = Readonly<Record<string, number | boolean | string | Schedule>>;

function shown(value: number | boolean | string | Schedule | undefined): string {
  return isSchedule(value) ? JSON.stringify(value) : show(value);
}

/** Whether the velocities of the two forms of momentum are multiples of one another. */
function hasScalableMomentum({ rule, hyperparameters }: OptimizerSpec): boolean {
  const isForm = rule.name.split("+").some((part) => part === "sgd" || part === "rmsprop");
  return isForm && typeof hyperparameters.learningRate === "number";
}
