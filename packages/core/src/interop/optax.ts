import { aliases, specOfAlias } from "./optax-aliases.js";
import { chained, type Options } from "./optax-chain.js";
import { afterRule, beforeRate, beforeRule, cores, scales } from "./optax-transformations.js";
import { checkIsObject, ignored, lookUp, translate, type OptionMap } from "./option-map.js";
import { GradstepError, show } from "../errors.js";
import { completeStepControl } from "../optimizer/step-control/complete-step-control.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { withSchedules } from "../schedules/from-data.js";

/** What wraps an optimizer: it stands before all parts. */
export const wrappers: Readonly<Record<string, OptionMap>> = {
  multi_steps: {
    every_k_schedule: { to: "accumulate" },
    use_grad_mean: { only: [true], why: "Gradients are averaged." },
  },
  // Optax takes the step after that many in a row, and NaN is everywhere; here it is skipped, too.
  apply_if_finite: { max_consecutive_errors: ignored },
};

/**
 * The spec of an Optax alias: `fromOptax("adamw", { learning_rate: 1e-3, weight_decay: 0.1 })`, with Optax's defaults.
 * The same gradients give Optax's numbers, including its place of ε, `eps_root`, AMSGrad of the corrected average, and
 * what happens when the square of a gradient overflows.
 *
 * `optax.chain` is a name with `+`, and the options of all parts: `fromOptax("clip_by_global_norm+adam", { max_norm: 1,
 * learning_rate: 1e-3 })`. In their order, the parts are
 * - `multi_steps` (`every_k_schedule`) and `apply_if_finite`, which skips steps however many follow one another;
 * - `clip`, `clip_by_global_norm`, `centralize`, `adaptive_grad_clip`, and then `add_decayed_weights`;
 * - an alias, or what it is made of: `scale_by_adam`, `scale_by_rms`, `trace`, …, with `add_decayed_weights`,
 *   `clip_by_block_rms` or `scale_by_trust_ratio` after it;
 * - `scale_by_learning_rate`, `scale` or `scale_by_schedule`, whose `step_size_fn` is a schedule of ours or a function;
 * - `keep_params_nonnegative`.
 *
 * `inject_hyperparams` stands before the part whose hyperparameters Optax keeps in its state. It changes nothing here,
 * where hyperparameters can always be set. A schedule can also be given as its data.
 *
 * @throws {GradstepError} `UNSUPPORTED`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_CHAIN`
 */
export function fromOptax(name: string, options: Options = {}): OptimizerSpec {
  const named = optaxParts(name);
  const owner = `Optax's ${name}`;
  checkIsObject(owner, options);
  const injected = named.findIndex((part, i) => part === injection && !canBeInjected(named[i + 1]));
  if (injected >= 0) {
    throw new GradstepError(
      `${owner}: ${injection} stands before ${named[injected + 1] ?? "nothing"}; expected an optimizer, scale_by_… or trace after it.`,
      { code: "INVALID_CHAIN" },
    );
  }
  const names = named.filter((part) => part !== injection);
  return specOf(owner, names, withSchedules(options));
}

/** Makes the optimizer of the part after it keep its hyperparameters in its state. */
export const injection = "inject_hyperparams";

function canBeInjected(part: string | undefined): boolean {
  return part !== undefined && [aliases, cores, scales].some((table) => Object.hasOwn(table, part));
}

/** The parts of the name of a chain. @throws {GradstepError} `UNSUPPORTED` for a value that is not text */
export function optaxParts(name: string): readonly string[] {
  if (typeof name !== "string")
    throw new GradstepError(
      `Got ${show(name)} as an optimizer of Optax; expected its name, such as "adamw".`,
      { code: "UNSUPPORTED" },
    );
  // MultiSteps is often named with its number: multi_steps4.
  return name.split("+").map((part) => part.replace(/^multi_steps\d+$/, "multi_steps"));
}

/** The names of the options of a part of a chain. @throws {GradstepError} `UNSUPPORTED` */
export function optaxOptionNames(part: string): readonly string[] {
  return Object.keys(optionsOf(part));
}

function specOf(owner: string, names: readonly string[], options: Options): OptimizerSpec {
  if (names.length === 1) return specOfAlias(names[0], options);
  const maps = names.map(optionsOf);
  translate(owner, options, Object.assign({}, ...maps) as OptionMap);
  const ownOptions = (map: OptionMap): Options =>
    Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(map, key)));
  const given = names.map((part, i) => ({
    part,
    options: ownOptions(maps[i]),
    settings: translate(owner, ownOptions(maps[i]), maps[i]),
  }));
  const wrapping = given.slice(
    0,
    given.findIndex(({ part }) => !Object.hasOwn(wrappers, part)),
  );
  if (wrapping[0]?.part === "apply_if_finite" && wrapping.length > 1) {
    throw new GradstepError(
      `${owner}: apply_if_finite looks at each gradient there; expected multi_steps before it, so that the mean is what is looked at.`,
      { code: "UNSUPPORTED" },
    );
  }
  const spec = chained(owner, given.slice(wrapping.length));
  if (wrapping.length === 0) return spec;
  const control: Record<string, unknown> = Object.assign(
    {},
    ...wrapping.map(({ settings }) => settings),
  );
  if (names.includes("apply_if_finite")) control.nonFinite = "skip";
  if (names.includes("multi_steps") && control.accumulate === undefined) {
    throw new GradstepError(`${owner}: every_k_schedule is missing; expected a number of steps.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  }
  completeStepControl(control);
  return { ...spec, control };
}

/** The options of a part. @throws {GradstepError} `UNSUPPORTED` */
export function optionsOf(part: string): OptionMap {
  const isIn = (table: object): boolean => typeof part === "string" && Object.hasOwn(table, part);
  if (isIn(wrappers)) return wrappers[part];
  const core = isIn(cores) ? cores[part] : undefined;
  if (core === undefined)
    return lookUp("Optax", part, {
      ...aliases,
      ...beforeRule,
      ...beforeRate,
      ...afterRule,
      ...scales,
    }).options;
  const { options } = aliases[core.alias];
  return Object.fromEntries(
    Object.entries(core.options).map(([key, inAlias]) => [key, options[inAlias]]),
  );
}
