import { didYouMean } from "./argument-checks/did-you-mean.js";
import { GradstepError, list, show } from "./errors.js";
import { hasNames } from "./argument-checks/has-names.js";
import { isArray } from "./argument-checks/is-array.js";
import { checkGroups } from "./optimizer/groups/check-groups.js";
import { propertyOf } from "./argument-checks/property-of.js";
import type { GroupOptions } from "./rule/rule.js";
import type { GroupConfig, OptimizerConfig } from "./optimizer/optimizer.js";
import { completeStepControl } from "./optimizer/step-control/complete-step-control.js";
import { checkSparseOptions, denseSteps } from "./optimizer/sparse/check-sparse-options.js";
import { rules } from "./rules/index.js";
import { chainedRule } from "./rule/chained-rule.js";
import { checkRule, variantOf, type OptimizerSpec, type Rule } from "./rule/rule.js";
import { sparseOptionNames } from "./rule/sparse-options.js";
import type { Link } from "./rule/stage-renaming.js";
import { stepControlNames } from "./rule/step-control-options.js";
import { withSchedules } from "./schedules/from-data.js";
import { stages } from "./stages/index.js";

/**
 * The spec of the built-in rule of this name: `optimizerByName("adam", { learningRate: 0.01 })` returns what
 * `adam({ learningRate: 0.01 })` returns. A chain is named by its parts: `"clip-by-global-norm+adam"`. Also takes what
 * `optimizer.config()` returned, groups included.
 *
 * @param ownRules rules and chains that are not built in, to be found by their names
 * @throws {GradstepError} `UNKNOWN_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_CHAIN`, `INVALID_RULE`
 */
export function optimizerByName(
  name: string | OptimizerConfig,
  settings: Readonly<Record<string, unknown>> = {},
  ownRules: readonly Rule[] = [],
): OptimizerSpec {
  if (name !== null && typeof name === "object") {
    checkIsConfig(name);
    const { name: rule, settings: configured, groups, structural, ...rest } = name;
    const known: readonly string[] = [...stepControlNames, ...sparseOptionNames];
    const unknown = Object.keys(rest).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw new GradstepError(
        `A configuration has no "${unknown}"; expected name, settings, groups, structural, ${list(known)}.`,
        { code: "UNKNOWN_OPTION" },
      );
    const spec = {
      ...optimizerByName(rule, withSchedules({ ...configured, ...settings }), ownRules),
      groups: checkGroups(groups).map((group) => withRule(group, ownRules)),
    };
    const { sparse, rowSteps, ...control } = rest;
    completeStepControl(control);
    const sparseOptions = { sparse, rowSteps };
    checkSparseOptions(rule, sparseOptions, denseSteps, variantOf(spec));
    return {
      ...spec,
      ...(structural === undefined ? {} : { structural }),
      ...(Object.keys(control).length === 0 ? {} : { control }),
      ...(sparse === undefined && rowSteps === undefined ? {} : { sparseOptions }),
    };
  }
  if (!isArray(ownRules))
    throw new GradstepError(
      `optimizerByName: got ${show(ownRules)} as your own rules; expected a list, such as [myRule].`,
      { code: "INVALID_RULE" },
    );
  for (const one of ownRules) checkRule("optimizerByName", one);
  const rule =
    ownRules.find((one) => one.name === name) ??
    builtInByName(typeof name === "string" ? name : show(name));
  return rule.specify(settings);
}

/**
 * @throws {GradstepError} `UNKNOWN_OPTION` for an optimizer, or what a rule returns, in place of a configuration;
 * `UNKNOWN_RULE` without a name
 */
export function checkIsConfig(config: OptimizerConfig): void {
  const hasOne = (key: string): boolean => propertyOf(config, key) !== undefined;
  if (config === null || typeof config !== "object" || hasOne("rule") || hasOne("step"))
    throw new GradstepError(
      `Got ${show(config)}; expected a configuration: what optimizer.config() returns.`,
      { code: "UNKNOWN_OPTION" },
    );
  const [name, settings] = [propertyOf(config, "name"), propertyOf(config, "settings")];
  if (typeof name !== "string")
    throw new GradstepError(
      `Got a configuration whose name is ${show(name)}; expected the name of a rule.`,
      { code: "UNKNOWN_RULE" },
    );
  if (settings !== undefined && !hasNames(settings))
    throw new GradstepError(
      `Got a configuration whose settings are ${show(settings)}; expected an object, such as { learningRate: 0.01 }.`,
      { code: "UNKNOWN_OPTION" },
    );
}

/** @throws {GradstepError} `UNKNOWN_RULE`, `INVALID_CHAIN` */
function builtInByName(name: string): Rule {
  const links = name.split("+").map(linkByName);
  if (links.length === 1) return links[0].rule;
  const rule = chainedRule(links);
  rule.texts();
  return rule;
}

/** A group whose own rule, if it has one, is a spec instead of a configuration. */
function withRule(
  { rule, ...group }: GroupOptions | GroupConfig,
  ownRules: readonly Rule[],
): GroupOptions {
  if (rule === undefined) return withSchedules(group) as GroupOptions;
  return {
    ...withSchedules(group),
    rule: optimizerByName(rule as OptimizerConfig, {}, ownRules),
  } as GroupOptions;
}

/** @throws {GradstepError} `UNKNOWN_RULE` */
function linkByName(name: string, _: number, { length }: readonly string[]): Link {
  const rule = rules.find((one) => one.name === name);
  if (rule !== undefined) return { rule, stage: undefined };
  const stagesOfChains = length > 1 ? stages : [];
  const stage = stagesOfChains.find((one) => one.name === name);
  if (stage !== undefined) return { rule: stage, stage };
  const known = [...rules, ...stagesOfChains].map((one) => one.name);
  throw new GradstepError(
    `There is no rule ${length > 1 ? "or stage " : ""}${show(name)}; expected one of ${list(known)}.${didYouMean(name, known)}`,
    { code: "UNKNOWN_RULE" },
  );
}
