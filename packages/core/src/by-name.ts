import { GradstepError, list, show } from "./errors.js";
import { checkGroups } from "./optimizer/groups/group-options.js";
import type { OptimizerConfig } from "./optimizer/optimizer.js";
import { rules } from "./rules/index.js";
import type { OptimizerSpec } from "./rule/rule.js";

/**
 * The spec of the built-in rule of this name: `optimizerByName("adam", { learningRate: 0.01 })` returns what
 * `adam({ learningRate: 0.01 })` returns. Also takes what `optimizer.config()` returned, groups included.
 *
 * @throws {GradstepError} `UNKNOWN_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function optimizerByName(
  name: string | OptimizerConfig,
  settings: Readonly<Record<string, unknown>> = {},
): OptimizerSpec {
  if (name !== null && typeof name === "object") {
    const { name: rule, settings: configured, groups, structural, ...rest } = name;
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined || typeof rule !== "string") {
      throw new GradstepError(
        unknown === undefined
          ? `Got a configuration whose name is ${show(rule)}; expected the name of a rule.`
          : `A configuration has no "${unknown}"; expected name, settings, groups and structural.`,
        { code: unknown === undefined ? "UNKNOWN_RULE" : "UNKNOWN_OPTION" },
      );
    }
    const spec = {
      ...optimizerByName(rule, { ...configured, ...settings }),
      groups: checkGroups(groups),
    };
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
