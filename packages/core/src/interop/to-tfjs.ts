import { checkIsConfig, optimizerByName } from "../by-name.js";
import { GradstepError, list, show } from "../errors.js";
import type { OptimizerConfig } from "../optimizer/optimizer.js";
import { hasEffect } from "./option-effect.js";
import { ignored } from "./option-map.js";
import { tfjsOptimizers } from "./tfjs-optimizers.js";
import { fromTfjs } from "./tfjs.js";

type Settings = OptimizerConfig["settings"];

/** An optimizer of TF.js: `fromTfjs(name, options)` makes the same of it here. */
export interface TfjsConfig {
  /** The function in `tf.train`. */
  readonly name: string;
  /** All its arguments, by TF.js's names. */
  readonly options: Readonly<Record<string, number | boolean>>;
}

/**
 * The optimizer of TF.js that does what one of gradstep does: the reverse of `fromTfjs`.
 *
 * Options without an effect may have any value, such as `nesterov` where the momentum is 0, and so may `averageForm`,
 * which changes nothing but how results are rounded.
 *
 * @param config what `optimizer.config()` returned
 * @throws {GradstepError} `UNSUPPORTED`, with everything that TF.js cannot do, and as `optimizerByName` does
 */
export function toTfjs(config: OptimizerConfig): TfjsConfig {
  checkIsConfig(config);
  checkHasRule(config.name);
  // Settings may be outside of the ranges here: TF.js has none.
  const spec = optimizerByName({ ...config, settings: {} });
  const settings = { ...spec.hyperparameters, ...spec.options, ...config.settings } as Settings;
  const name = nameOf({ ...config, settings });
  const misfits = unsupportedOptions(config);
  const options: Record<string, number | boolean> = {};
  for (const [key, mapping] of Object.entries(tfjsOptimizers[name].options)) {
    if (mapping === ignored || !("to" in mapping)) continue;
    const value = settings[mapping.to];
    if (typeof value === "number" || typeof value === "boolean") options[key] = value;
    else misfits.push(`${mapping.to} follows a schedule, and is a number in TF.js`);
  }
  const back = fromTfjs(name, booleansOf(options));
  const own: Settings = { ...back.hyperparameters, ...back.options, ...translated(name, options) };
  for (const [key, value] of Object.entries(own))
    if (
      typeof settings[key] !== "object" &&
      settings[key] !== value &&
      hasEffect(key, settings, [settings])
    )
      misfits.push(`${key} is ${show(settings[key])}, and ${show(value)} in TF.js`);
  if (misfits.length > 0)
    throw new GradstepError(
      `tf.train.${name} cannot do what this optimizer does: ${misfits.join("; ")}. Train with fromTfjs("${name}", { … }), which has TF.js's forms.`,
      { code: "UNSUPPORTED" },
    );
  return { name, options };
}

/** @throws {GradstepError} `UNSUPPORTED` */
function checkHasRule(rule: string): void {
  const known = new Set(Object.values(tfjsOptimizers).map((one) => one.rule));
  if (known.has(rule)) return;
  throw new GradstepError(
    `TF.js has no optimizer that does what ${show(rule)} does; expected one of ${list(known)}, without stages.`,
    { code: "UNSUPPORTED" },
  );
}

function nameOf({ name: rule, settings, structural = [] }: OptimizerConfig): string {
  if (rule !== "sgd")
    return Object.keys(tfjsOptimizers).find((name) => tfjsOptimizers[name].rule === rule)!;
  const hasMomentum = settings.momentum !== 0 || structural.includes("momentum");
  return hasMomentum ? "momentum" : "sgd";
}

function unsupportedOptions({ groups = [], ...config }: Partial<OptimizerConfig>): string[] {
  const misfits: string[] = [];
  groups.forEach((group, i) => {
    const names = Object.keys(group).filter((key) => key !== "match");
    if (names.length > 0)
      misfits.push(`group ${i} has ${list(names)}; TF.js has no parameter groups`);
  });
  if ((config.accumulate ?? 1) > 1) misfits.push(`accumulate is ${config.accumulate}`);
  for (const key of ["nonFinite", "lossScale"] as const)
    if (config[key] !== undefined) misfits.push(`${key} is ${show(config[key])}`);
  return misfits;
}

/** The values may be outside of the ranges that gradstep's rules have: TF.js has none. */
function booleansOf(options: TfjsConfig["options"]): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(options).filter(
      (entry): entry is [string, boolean] => typeof entry[1] === "boolean",
    ),
  );
}

/** The options by gradstep's names. */
function translated(name: string, options: TfjsConfig["options"]): Settings {
  const map = tfjsOptimizers[name].options;
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [(map[key] as { to: string }).to, value]),
  );
}
