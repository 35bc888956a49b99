import type { GroupOptions, Match } from "@gradstep/core";
import { withoutUniquenessNumber } from "./state/name-numbering.js";

/**
 * Groups that match the variables of a layer under any number that TF.js adds to make names unique: `/bias$/` and
 * `"d/bias"` match `d/bias_1`, too. A group that matches the full name wins.
 */
export function matchingNumberedNames(groups: readonly GroupOptions[]): GroupOptions[] {
  return groups.map((group) => {
    if (!isMatch(group.match)) return group;
    const matchesName = (name: string): boolean => {
      if (matches(group.match, name)) return true;
      const base = withoutUniquenessNumber(name);
      return (
        base !== name &&
        matches(group.match, base) &&
        !groups.some(({ match }) => isMatch(match) && matches(match, name))
      );
    };
    return { ...group, match: matchesName };
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

function matches(match: Match, name: string): boolean {
  if (typeof match === "string") return match === name;
  if (match instanceof RegExp) return name.search(match) >= 0;
  return typeof match === "function" ? match(name) : match.includes(name);
}
