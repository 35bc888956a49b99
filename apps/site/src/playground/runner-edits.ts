import type { Rule } from "@gradstep/core";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import { partByName } from "./optimizer-spec.js";
import { ruleTextOf } from "./rule-text-of.js";
import type { OwnRules, Runner, RunnerPart } from "./runner.js";

/** Learning rates with which a rule gets somewhere in a few hundred steps, where 0.05 is not one. */
const rates: Readonly<Record<string, number>> = {
  adadelta: 30,
  adagrad: 0.5,
  ftrl: 0.5,
  lars: 1,
  lion: 0.02,
  prodigy: 1,
  "schedule-free-sgd": 0.001,
  sgd: 0.001,
};

/** A runner of a rule with a learning rate that fits the map. */
export function newRunner(rule: Rule): Runner {
  const learningRate = rates[rule.name] ?? 0.05;
  return { parts: [{ name: rule.name, settings: { learningRate } }] };
}

/** A runner with a setting of a part changed; a setting that is the default is left out. */
export function withSetting(
  runner: Runner,
  part: number,
  rule: Rule,
  name: string,
  value: SettingValue,
): Runner {
  const initial = rule.hyperparameters[name]?.default ?? rule.options[name]?.[0];
  return withPart(runner, part, (one) => {
    const { [name]: _before, ...others } = one.settings;
    return { ...one, settings: value === initial ? others : { ...others, [name]: value } };
  });
}

/** A runner with another rule, which keeps the settings that the new rule has, too. */
export function withRule(runner: Runner, part: number, rule: Rule): Runner {
  return withPart(runner, part, ({ settings }) => ({
    name: rule.name,
    settings: keptSettings(settings, rule),
  }));
}

/** The settings that a rule takes. */
export function keptSettings(
  settings: RunnerPart["settings"],
  rule: Rule,
): Record<string, SettingValue> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => {
      if (!Object.hasOwn(rule.hyperparameters, name) && !Object.hasOwn(rule.options, name))
        return false;
      if (typeof value === "object") return true;
      try {
        rule.specify({ [name]: value });
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/** A runner with a stage more, where its kind belongs: gradient, rule, update, parameter. */
export function withStage(runner: Runner, stage: string, ownRules: OwnRules): Runner {
  const rankOf = (name: string): number => {
    const { stage: found } = partByName(name, ownRules);
    return found === undefined ? 1 : { g: 0, u: 2, p: 3 }[found.updated];
  };
  const parts = [...runner.parts];
  const next = parts.findIndex(({ name }) => rankOf(name) > rankOf(stage));
  parts.splice(next < 0 ? parts.length : next, 0, { name: stage, settings: {} });
  return { ...runner, parts };
}

export function withoutPart(runner: Runner, part: number): Runner {
  return { ...runner, parts: runner.parts.filter((_, i) => i !== part) };
}

function withPart(runner: Runner, part: number, change: (part: RunnerPart) => RunnerPart): Runner {
  return { ...runner, parts: runner.parts.map((one, i) => (i === part ? change(one) : one)) };
}

/** A rule of the visitor's own with the text of a runner's rule, and a runner with it instead. */
export function withOwnRule(
  runner: Runner,
  part: number,
  ownRules: OwnRules,
): { readonly name: string; readonly text: string; readonly runner: Runner } {
  const { name: before, settings } = runner.parts[part];
  const { rule } = partByName(before, ownRules);
  const name = freeName(before.startsWith("my-") ? before : `my-${before}`, ownRules);
  const text = Object.hasOwn(ownRules, before) ? ownRules[before] : ruleTextOf(rule, settings);
  // Numbers are in the text; schedules stay in the runner.
  const schedules = Object.entries(settings).filter(([, value]) => typeof value === "object");
  const own = { name, settings: Object.fromEntries(schedules) };
  return { name, text, runner: withPart(runner, part, () => own) };
}

function freeName(base: string, ownRules: OwnRules): string {
  const stem = base.replace(/-\d+$/, "");
  if (!Object.hasOwn(ownRules, stem)) return stem;
  let number = 2;
  while (Object.hasOwn(ownRules, `${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}
