import { GradstepError, show } from "../../errors.js";
import type { Match, MatchedParameter } from "../../rule/rule.js";
import { isArray } from "../../argument-checks/is-array.js";
import { isInstance } from "../../argument-checks/is-instance.js";

/**
 * Checks what selects the parameters of a group.
 * @param label the group, as the message names it
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkMatch(label: string, match: unknown): Match {
  const valid =
    typeof match === "string" ||
    typeof match === "function" ||
    isInstance(match, RegExp) ||
    (isArray(match) && match.every((name) => typeof name === "string"));
  if (valid) return match as Match;
  throw new GradstepError(
    `${label}: match is ${show(match)}; expected a name, a list of names, a RegExp or a function of { name, shape }.`,
    { code: "UNKNOWN_OPTION" },
  );
}

/** Whether a parameter is selected. */
export function isMatch(match: Match, parameter: MatchedParameter): boolean {
  const { name } = parameter;
  if (typeof match === "string") return match === name;
  if (match instanceof RegExp) return name.search(match) >= 0;
  return typeof match === "function" ? match(parameter) : match.includes(name);
}

/** The names that are listed; empty for a pattern or a function. */
export function listedNames(match: Match): readonly string[] {
  if (typeof match === "string") return [match];
  return isArray(match) ? match : [];
}
