import type { GroupOptions, Match, MatchedParameter } from "@gradstep/core";
import { withoutUniquenessNumber } from "./state/name-numbering.js";

/**
 * Groups that match the variables of a layer under any number that TF.js adds to make names unique: `/bias$/` and
 * `"d/bias"` match `d/bias_1`, too. A group that matches the full name wins.
 */
export function matchingNumberedNames(groups: readonly GroupOptions[]): GroupOptions[] {
  return groups.map((group) => {
    if (!isMatch(group.match)) return group;
    const matchesParameter = (parameter: MatchedParameter): boolean => {
      if (matches(group.match, parameter)) return true;
      const { name, shape } = parameter;
      const base = withoutUniquenessNumber(name);
      return (
        base !== name &&
        matches(group.match, { name: base, shape }) &&
        !groups.some(({ match }) => isMatch(match) && matches(match, parameter))
      );
    };
    return { ...group, match: matchesParameter };
  });
}

/** Anything else is left to core, which says what is wrong with it. */
function isMatch(match: unknown): match is Match {
  return (
    typeof match === "string" ||
    typeof match === "function" ||
    match instanceof RegExp ||
    (Array.isArray(match) && match.every((name) => typeof name === "string"))
  );
}

/** Whether a group has a parameter. */
export function matches(match: Match, parameter: MatchedParameter): boolean {
  const { name } = parameter;
  if (typeof match === "string") return match === name;
  if (match instanceof RegExp) return name.search(match) >= 0;
  return typeof match === "function" ? match(parameter) : match.includes(name);
}
