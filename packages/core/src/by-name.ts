import { GradstepError, list, show } from "./errors.js";
import { checkGroups } from "./optimizer/group-options.js";
import type { OptimizerConfig } from "./optimizer/optimizer.js";
import { rules } from "./rules/index.js";
import type { OptimizerSpec } from "./rule/spec.js";

/**
 * The built-in rule of this name with these settings: `optimizerByName("adam", { learningRate: 0.01 })` is what
 * `adam({ learningRate: 0.01 })` gives. Takes what `optimizer.config()` gives, too, groups included.
 *
 * @throws {GradstepError} `UNKNOWN_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function optimizerByName(
  name: string | OptimizerConfig,
  settings: Readonly<Record<string, unknown>> = {},
): OptimizerSpec {
  if (name !== null && typeof name === "object") {
    const { name: rule, settings: own, groups, structural, ...rest } = name;
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined || typeof rule !== "string") {
      throw new GradstepError(
        unknown === undefined
          ? `Got a configuration of the rule ${show(rule)}; expected a name.`
          : `A configuration has no "${unknown}"; it has name, settings, groups and structural.`,
        { code: unknown === undefined ? "UNKNOWN_RULE" : "UNKNOWN_OPTION" },
      );
    }
    const spec = { ...optimizerByName(rule, { ...own, ...settings }), groups: checkGroups(groups) };
    return structural === undefined ? spec : { ...spec, structural };
  }
  const rule = rules.find((one) => one.name === name);
  if (rule === undefined) {
    throw new GradstepError(
      `There is no rule ${show(name)}; expected one of ${list(rules.map((one) => one.name))}.`,
      { code: "UNKNOWN_RULE" },
    );
  }
  return rule.specify(settings);
}
